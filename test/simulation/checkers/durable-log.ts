import type { Entry, HardState, LogIndex, LogWrite, Term } from "../../../src/raft/types.js";
import type { LogRecovery } from "../../../src/storage/log-store.js";

/**
 * What one node's disk holds for certain, kept by the simulator beside the real store and never
 * read by the product: what promises and recoveries are judged by.
 */
export class DurableLog {
  hardState: HardState = { term: 0, votedFor: undefined };
  /** terms[i] belongs to entry i + 1. */
  readonly terms: Term[] = [];
  /** The write in flight, which a crash may or may not have made durable. */
  inFlight: LogWrite | undefined;

  get lastIndex(): LogIndex {
    return this.terms.length;
  }

  termAt(index: LogIndex): Term | undefined {
    return index === 0 ? 0 : this.terms[index - 1];
  }

  apply({ hardState, truncateFrom, entries }: LogWrite): void {
    if (hardState !== undefined) this.hardState = hardState;
    if (truncateFrom !== undefined) this.terms.length = truncateFrom - 1;
    for (const { term } of entries) this.terms.push(term);
  }

  copy(): DurableLog {
    const copy = new DurableLog();
    copy.hardState = this.hardState;
    copy.terms.push(...this.terms);
    copy.inFlight = this.inFlight;
    return copy;
  }

  /** Whether a store that was opened holds exactly this. */
  equals({ hardState, terms }: LogRecovery): boolean {
    const { term, votedFor } = this.hardState;
    return (
      hardState.term === term &&
      hardState.votedFor === votedFor &&
      terms.length === this.terms.length &&
      terms.every((value, place) => value === this.terms[place])
    );
  }
}

export function isSameEntry(one: Entry, other: Entry): boolean {
  if (one === other) return true;
  if (one.index !== other.index || one.term !== other.term || one.body.kind !== other.body.kind) return false;
  if (one.body.kind === "command" && other.body.kind === "command") {
    const { payload } = one.body;
    return payload === other.body.payload || Buffer.compare(payload, other.body.payload) === 0;
  }
  return JSON.stringify(one.body) === JSON.stringify(other.body);
}
