import type { OwnOutcomes, ReplicatedState } from "../machine/replicated-state.js";
import type { LogIndex } from "../raft/types.js";
import type { StorageFailure } from "../storage/log-store.js";
import type { StateStore } from "../storage/state-store.js";
import type { EntryCache } from "./entry-cache.js";
import { LIMITS } from "./options.js";
import type { Clock, ReplicaObserver } from "./ports.js";

/** Applies what has committed and is durable, and writes checkpoints of the result. */
export class Applier {
  readonly #replicated: ReplicatedState;
  readonly #state: StateStore;
  readonly #clock: Clock;
  readonly #observer: ReplicaObserver;
  readonly #failed: (failure: StorageFailure) => void;
  #checkpointAt: number;
  #checkpointedIndex: LogIndex;
  /** Who waits for a checkpoint that begins after the one in flight. */
  readonly #afterCurrent: (() => void)[] = [];

  constructor(options: {
    readonly replicated: ReplicatedState;
    readonly state: StateStore;
    readonly clock: Clock;
    readonly observer: ReplicaObserver;
    readonly failed: (failure: StorageFailure) => void;
  }) {
    this.#replicated = options.replicated;
    this.#state = options.state;
    this.#clock = options.clock;
    this.#observer = options.observer;
    this.#failed = options.failed;
    this.#checkpointAt = options.clock.monotonic();
    this.#checkpointedIndex = options.replicated.applied.index;
  }

  get appliedIndex(): LogIndex {
    return this.#replicated.applied.index;
  }

  /**
   * Applies up to `index`, in portions. Every entry is durable here: apply never passes the
   * node's own log. Returns whether more is left for the next turn.
   */
  applyUpTo(index: LogIndex, entries: EntryCache, own: OwnOutcomes): boolean {
    const first = this.appliedIndex + 1;
    if (first > index) return false;
    const last = Math.min(index, first + LIMITS.applyEntriesPerTurnMax - 1);
    for (const entry of entries.range(first, last)) {
      const commands = this.#replicated.apply(entry, own);
      this.#observer.entryApplied({ index: entry.index, commands });
    }
    return last < index;
  }

  /** Writes a checkpoint if one is due: everything that apply depends on, in one synced batch. */
  checkpointIfDue(): void {
    const due =
      this.#state.overlayBytes >= LIMITS.checkpointBytes ||
      this.#clock.monotonic() - this.#checkpointAt >= LIMITS.checkpointIntervalMs;
    if (due && !this.#state.checkpointing) this.checkpoint(() => {});
  }

  /** `done` is called when everything applied so far is durable in the state store. */
  checkpoint(done: () => void): void {
    if (this.#state.checkpointing) {
      this.#afterCurrent.push(done);
      return;
    }
    const { index } = this.#replicated.applied;
    if (index === this.#checkpointedIndex) {
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
      this.#checkpointedIndex = index;
      this.#checkpointAt = this.#clock.monotonic();
      this.#observer.checkpointWritten({ bytes, durationMs: this.#checkpointAt - startedAt });
      done();
      for (const waiting of this.#afterCurrent.splice(0)) this.checkpoint(waiting);
    });
  }
}
