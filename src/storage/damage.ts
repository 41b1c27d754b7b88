import { StorageFailure } from "./log-store.js";

/** The directory cannot be trusted: says what was found, where, and the way out. Never repaired quietly. */
export function damaged(place: string, finding: string, cause?: unknown): StorageFailure {
  return new StorageFailure(
    "DAMAGED",
    `${finding} (in ${place}). The node must not go on with it. Way out, with a majority of all voters up: \`folio repair ` +
      "--rejoin` sets the data directory aside for inspection and lets the node rejoin the cluster with an empty one. " +
      "Without one: `folio recover --new-cluster` on a surviving node; without any, as for a node that is alone: `folio restore` of a backup.",
    { cause },
  );
}

/**
 * A medium that could not read: damaged only if it says so. Where it ran out of something (file descriptors, memory) or a
 * disk did not answer, the data may be as sound as ever, and to set them aside would be the damage.
 */
export function unreadable(place: string, finding: string, error: Error): StorageFailure {
  if (error instanceof StorageFailure) return error;
  if (codeOf(error) === "LEVEL_CORRUPTION" || /No such file/.test(error.message)) return damaged(place, finding, error);
  return new StorageFailure(
    "READ_FAILED",
    `${finding} (in ${place}): ${error.message}. The node ends; its data may be sound, and are checked when it starts again.`,
    { cause: error },
  );
}

/** What LevelDB's binding calls it. */
export function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

export function writtenByNewerVersion(place: string, finding: string, readable: number): StorageFailure {
  return new StorageFailure(
    "OPEN_FAILED",
    `${finding} (in ${place}), written by a newer version of Folio; this one reads up to version ${readable}.`,
  );
}

/** What is thrown or rejected with may be anything; what is passed on is an Error. */
export function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
