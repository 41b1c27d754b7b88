import type { Position } from "../raft/types.js";
import { type LogRecovery, StorageFailure } from "../storage/log-store.js";

/**
 * The state's checkpoint is a witness of the log: a log that ends before it has lost entries that
 * this node once acknowledged.
 * @throws StorageFailure DAMAGED
 */
export function assertLogHoldsState({ base, terms }: LogRecovery, applied: Position): void {
  const term = applied.index === base.index ? base.term : terms[applied.index - base.index - 1];
  if (term === applied.term) return;
  const found = term === undefined ? `ends at entry ${base.index + terms.length}` : `has term ${term} there`;
  throw new StorageFailure(
    "DAMAGED",
    `the state was checkpointed at entry ${applied.index} of term ${applied.term}, but the log ${found}: entries that ` +
      "this node acknowledged are lost, so it must not take part. Way out: `folio repair --rejoin` sets its directory " +
      "aside and lets it come back as a new member",
  );
}
