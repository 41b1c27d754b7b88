import type { Entry, HardState, LogCut, LogIndex, LogWrite, NodeId, Position, Term } from "../../../src/raft/types.js";
import type { LogRecovery } from "../../../src/storage/log-store.js";

/**
 * What one store holds for certain, kept by the simulator beside the real one and never read by the
 * product: what promises and recoveries are judged by. It outlives the store, whose disk may be wiped.
 */
export class DurableLog {
  hardState: HardState = { term: 0, votedFor: undefined };
  /** The log begins after it; everything up to it is in the state. */
  base: Position = { index: 0, term: 0 };
  /** Which of the node's states is in force. */
  stateGeneration = 0;
  /** Whom it ever voted for. */
  readonly votes = new Map<Term, NodeId>();
  /** The write in flight, which a crash may or may not have made durable. */
  inFlight: LogWrite | undefined;
  /** #terms[i] belongs to entry base.index + 1 + i. */
  #terms: Term[] = [];

  get lastIndex(): LogIndex {
    return this.base.index + this.#terms.length;
  }

  /** Undefined above the end, and below the base. */
  termAt(index: LogIndex): Term | undefined {
    return index === this.base.index ? this.base.term : this.#terms[index - this.base.index - 1];
  }

  /** Whether it holds that very entry; what lies below the base was committed and is in the state. */
  holds({ index, term }: Position): boolean {
    return index < this.base.index || this.termAt(index) === term;
  }

  apply({ hardState, truncateFrom, base, entries }: LogWrite): void {
    if (hardState !== undefined) this.#vote(hardState);
    if (truncateFrom !== undefined) this.#terms.length = truncateFrom - this.base.index - 1;
    if (base !== undefined) this.#cut(base);
    for (const { term } of entries) this.#terms.push(term);
  }

  #vote(hardState: HardState): void {
    this.hardState = hardState;
    if (hardState.votedFor !== undefined) this.votes.set(hardState.term, hardState.votedFor);
  }

  #cut({ position, keepsTail, stateGeneration }: LogCut): void {
    this.#terms = keepsTail ? this.#terms.slice(position.index - this.base.index) : [];
    this.base = position;
    this.stateGeneration = stateGeneration ?? this.stateGeneration;
  }

  /** The write that was in flight had reached the disk when the process died. */
  applyInFlight(): void {
    if (this.inFlight !== undefined) this.apply(this.inFlight);
    this.inFlight = undefined;
  }

  copy(): DurableLog {
    const copy = new DurableLog();
    copy.hardState = this.hardState;
    copy.base = this.base;
    copy.stateGeneration = this.stateGeneration;
    copy.#terms = [...this.#terms];
    copy.inFlight = this.inFlight;
    return copy;
  }

  /** Whether a store that was opened holds exactly this. */
  equals({ hardState, base, terms, stateGeneration }: LogRecovery): boolean {
    const { term, votedFor } = this.hardState;
    return (
      hardState.term === term &&
      hardState.votedFor === votedFor &&
      base.index === this.base.index &&
      base.term === this.base.term &&
      stateGeneration === this.stateGeneration &&
      terms.length === this.#terms.length &&
      terms.every((value, place) => value === this.#terms[place])
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
