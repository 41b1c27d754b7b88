import type { Position } from "../raft/types.js";
import { type LogRecovery, StorageFailure } from "../storage/log-store.js";

const WAY_OUT =
  "so this node must not take part. Way out: `folio repair --rejoin` sets its directory aside and lets it come back as a new " +
  "member; for a node that is alone, `folio restore` makes a new cluster from a backup";

/**
 * Each is the other's witness: a log that ends before the state's checkpoint has lost entries that this node once
 * acknowledged, and a state from before the log begins was lost, in whole or in its newest part.
 * @throws StorageFailure DAMAGED
 */
export function assertLogHoldsState({ base, terms }: LogRecovery, applied: Position): void {
  if (applied.index < base.index) {
    throw contradiction(
      `the log begins behind entry ${base.index}, but the state is of entry ${applied.index} of term ${applied.term}: the ` +
        "state that the log goes on from is lost",
    );
  }
  const term = applied.index === base.index ? base.term : terms[applied.index - base.index - 1];
  if (term === applied.term) return;
  const found = term === undefined ? `ends at entry ${base.index + terms.length}` : `has term ${term} there`;
  throw contradiction(
    `the state was checkpointed at entry ${applied.index} of term ${applied.term}, but the log ${found}: entries that this ` +
      "node acknowledged are lost",
  );
}

function contradiction(finding: string): StorageFailure {
  return new StorageFailure("DAMAGED", `${finding}, ${WAY_OUT}`);
}
