import type { RaftCore } from "../raft/core.js";
import type { LogCut, LogIndex } from "../raft/types.js";
import { LIMITS } from "./options.js";
import type { ReplicaObserver } from "./ports.js";

/**
 * Cuts the log below the durable checkpoint once it has grown large, and keeps a tail for peers that are
 * a little behind. What follows a snapshot on its way stays as well, up to a hard limit: a receiver that
 * is slower than the cluster writes cannot chase it for ever.
 */
export class Compaction {
  readonly #entriesMax: number;
  readonly #bytesMax: number;
  readonly #tailEntries: number;
  readonly #observer: ReplicaObserver;
  /** The least index that somebody still needs, of snapshots on their way; undefined: none. */
  readonly #pinnedAt: (core: RaftCore) => LogIndex | undefined;
  /** The checkpoint that was looked at last. */
  #lookedAt: LogIndex = 0;
  /** Cut up to here, in portions. */
  #target: LogIndex = 0;
  /** The cut that is not durable yet: at most one. */
  #outstanding: { readonly from: LogIndex } | undefined;

  constructor(options: {
    readonly entriesMax: number;
    readonly bytesMax: number;
    readonly tailEntries: number;
    readonly observer: ReplicaObserver;
    readonly pinnedAt: (core: RaftCore) => LogIndex | undefined;
  }) {
    this.#entriesMax = options.entriesMax;
    this.#bytesMax = options.bytesMax;
    this.#tailEntries = options.tailEntries;
    this.#observer = options.observer;
    this.#pinnedAt = options.pinnedAt;
  }

  /** @param checkpointIndex what is durable in the state store: no entry above it is ever cut */
  cutIfDue(core: RaftCore, checkpointIndex: LogIndex, now: number): void {
    if (this.#outstanding !== undefined) return;
    if (checkpointIndex !== this.#lookedAt) {
      this.#lookedAt = checkpointIndex;
      this.#target = Math.max(this.#target, this.#wanted(core, checkpointIndex));
    }
    const from = core.baseIndex;
    if (this.#target <= from) return;
    this.#outstanding = { from };
    core.compact(Math.min(this.#target, from + LIMITS.cutEntriesMax), now);
  }

  /** The log on disk begins elsewhere now, by a cut or by a snapshot. */
  baseWritten(base: LogCut): void {
    const cut = this.#outstanding;
    this.#outstanding = undefined;
    if (cut === undefined || base.stateGeneration !== undefined) return;
    const baseIndex = base.position.index;
    this.#observer.logCut({ baseIndex, entries: baseIndex - cut.from });
  }

  #wanted(core: RaftCore, checkpointIndex: LogIndex): LogIndex {
    const base = core.baseIndex;
    if (checkpointIndex <= base) return base;
    const { log } = core.state;
    const entries = checkpointIndex - base;
    const bytes = log.bytesBetween(base, checkpointIndex);
    if (entries <= this.#entriesMax && bytes <= this.#bytesMax) return base;
    let target = Math.max(base, checkpointIndex - this.#tailEntries);
    // Entries may be large: the tail is a fraction of the log by bytes, too.
    while (target < checkpointIndex && log.bytesBetween(target, checkpointIndex) > this.#bytesMax / 4) target++;
    const pinned = this.#pinnedAt(core);
    const factor = LIMITS.pinnedLogFactor;
    const isPinned = entries <= factor * this.#entriesMax && bytes <= factor * this.#bytesMax;
    return pinned === undefined || !isPinned ? target : Math.max(base, Math.min(target, pinned));
  }
}
