import { StorageFailure } from "./log-store.js";

/** The directory cannot be trusted: says what was found, where, and the way out. Never repaired quietly. */
export function damaged(place: string, finding: string, cause?: unknown): StorageFailure {
  return new StorageFailure(
    "DAMAGED",
    `${finding} (in ${place}). The node must not go on with it: keep the data directory aside for inspection ` +
      "and let the node rejoin the cluster with an empty one, as a learner.",
    { cause },
  );
}

/** What is thrown or rejected with may be anything; what is passed on is an Error. */
export function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
