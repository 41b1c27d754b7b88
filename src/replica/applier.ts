import { invariant } from "../assert.js";
import type { OwnOutcomes, ReplicatedState } from "../machine/replicated-state.js";
import type { Configuration, LogIndex, Position } from "../raft/types.js";
import type { StorageFailure } from "../storage/log-store.js";
import type { StateStore } from "../storage/state-store.js";
import type { EntryCache } from "./entry-cache.js";
import { LIMITS } from "./options.js";
import type { Clock, ReplicaObserver } from "./ports.js";

/** What the state store holds durably. */
export interface Checkpointed {
  readonly position: Position;
  /** The newest that was applied; undefined before the first. */
  readonly configuration: Configuration | undefined;
}

export interface AppliedEntry {
  readonly index: LogIndex;
  /** Effective time before the entry, ms since the epoch. */
  readonly previousTime: number;
}

/** Somebody who looks at the state as it was at certain entries. */
export interface StateWitness {
  /**
   * The entry was applied; called after each.
   * @returns whether a checkpoint is wanted that holds exactly what is applied now
   */
  applied(entry: AppliedEntry): boolean;
  /** The state store holds exactly the state at `index`, with no checkpoint in flight. */
  checkpointedAt(index: LogIndex): void;
}

/** Applies what has committed and is durable, and writes checkpoints of the result. */
export class Applier {
  readonly #replicated: ReplicatedState;
  readonly #state: StateStore;
  readonly #clock: Clock;
  readonly #observer: ReplicaObserver;
  readonly #witness: StateWitness;
  readonly #failed: (failure: StorageFailure) => void;
  readonly #resumed: () => void;
  #checkpointAt: number;
  #checkpointed: Checkpointed;
  /** Called in order when no checkpoint is in flight; each may begin one. */
  readonly #whenQuiet: (() => void)[] = [];
  /** A checkpoint is about to be taken right here: nothing is applied before it has begun. */
  #atBoundary = false;
  /** The state is about to be replaced: nothing is applied, and no checkpoint begins. */
  #isHeld = false;

  constructor(options: {
    readonly replicated: ReplicatedState;
    readonly state: StateStore;
    readonly clock: Clock;
    readonly observer: ReplicaObserver;
    readonly witness: StateWitness;
    readonly failed: (failure: StorageFailure) => void;
    /** There may be something to apply again. */
    readonly resumed: () => void;
  }) {
    this.#replicated = options.replicated;
    this.#state = options.state;
    this.#clock = options.clock;
    this.#observer = options.observer;
    this.#witness = options.witness;
    this.#failed = options.failed;
    this.#resumed = options.resumed;
    this.#checkpointAt = options.clock.monotonic();
    this.#checkpointed = this.#whatIsApplied();
  }

  get appliedIndex(): LogIndex {
    return this.#replicated.applied.index;
  }

  get checkpointed(): Checkpointed {
    return this.#checkpointed;
  }

  /** As the newest applied configuration names it; "" before. */
  get clusterId(): string {
    return this.#replicated.configuration?.clusterId ?? "";
  }

  #whatIsApplied(): Checkpointed {
    return { position: this.#replicated.applied, configuration: this.#replicated.configuration };
  }

  /**
   * Applies up to `index`, in portions. Every entry is durable here: apply never passes the
   * node's own log. Returns whether more is left for the next turn.
   */
  applyUpTo(index: LogIndex, entries: EntryCache, own: OwnOutcomes): boolean {
    const first = this.appliedIndex + 1;
    if (first > index || this.#atBoundary || this.#isHeld) return false;
    const last = Math.min(index, first + LIMITS.applyEntriesPerTurnMax - 1);
    for (const entry of entries.range(first, last)) {
      const { time: previousTime } = this.#replicated;
      const commands = this.#replicated.apply(entry, own);
      this.#observer.entryApplied({ index: entry.index, commands });
      if (this.#witness.applied({ index: entry.index, previousTime })) {
        this.#checkpointHere();
        break;
      }
    }
    return this.appliedIndex < index;
  }

  /** With a checkpoint in flight, everything waits for it: that is rare, and takes as long as one write. */
  #checkpointHere(): void {
    const { appliedIndex } = this;
    this.#atBoundary = true;
    this.#onceQuiet(() => {
      this.#atBoundary = false;
      this.#begin(() => {
        if (this.#checkpointed.position.index === appliedIndex) this.#witness.checkpointedAt(appliedIndex);
      });
      this.#resumed();
    });
  }

  /** Writes a checkpoint if one is due: everything that apply depends on, in one synced batch. */
  checkpointIfDue(): void {
    const due =
      this.#state.overlayBytes >= LIMITS.checkpointBytes ||
      this.#clock.monotonic() - this.#checkpointAt >= LIMITS.checkpointIntervalMs;
    if (due && !this.#isHeld && !this.#state.checkpointing) this.#begin(() => {});
  }

  /**
   * `done` is called when everything applied so far is durable in the state store, and then no
   * checkpoint is in flight.
   */
  checkpoint(done: () => void): void {
    this.#onceQuiet(() => this.#begin(done));
  }

  /** Nothing is applied and no checkpoint begins from now on; `ready` once none is in flight. */
  hold(ready: () => void): void {
    invariant(!this.#isHeld, "the state is replaced by one snapshot at a time");
    this.#isHeld = true;
    if (this.#state.checkpointing) this.#whenQuiet.unshift(ready);
    else ready();
  }

  /** The state store's content was replaced: what it holds is applied, and durable. */
  replaced(): void {
    invariant(this.#isHeld, "nothing was applied while the state was replaced");
    this.#checkpointed = this.#whatIsApplied();
    this.#checkpointAt = this.#clock.monotonic();
  }

  /** Goes on after `hold`. */
  release(): void {
    this.#isHeld = false;
    this.#goOn();
    this.#resumed();
  }

  #onceQuiet(begin: () => void): void {
    this.#whenQuiet.push(begin);
    this.#goOn();
  }

  #goOn(): void {
    while (!this.#isHeld && !this.#state.checkpointing) {
      const next = this.#whenQuiet.shift();
      if (next === undefined) return;
      next();
    }
  }

  #begin(done: () => void): void {
    const taken = this.#whatIsApplied();
    if (taken.position.index === this.#checkpointed.position.index) {
      done();
      return;
    }
    this.#replicated.flush();
    const bytes = this.#state.overlayBytes;
    const startedAt = this.#clock.monotonic();
    this.#state.checkpoint((failure) => {
      if (failure !== undefined) {
        this.#failed(failure);
        return;
      }
      this.#checkpointed = taken;
      this.#checkpointAt = this.#clock.monotonic();
      this.#observer.checkpointWritten({ bytes, durationMs: this.#checkpointAt - startedAt });
      done();
      if (this.#isHeld) this.#whenQuiet.shift()?.();
      else this.#goOn();
    });
  }
}
