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
