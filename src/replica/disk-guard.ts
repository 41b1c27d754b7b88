import type { RaftCore } from "../raft/core.js";
import type { LogIndex } from "../raft/types.js";
import type { PeerBook } from "./peer-book.js";
import type { ReplicaObserver } from "./ports.js";

/**
 * A leader whose own disk is all that its callers wait for hands over. It packs no entry while a write is in flight, and
 * applies only what it holds durably: a disk that takes seconds for a write, but fails none, would hold up everybody, though
 * a majority holds without it what it writes.
 */
export class DiskGuard {
  readonly #peers: PeerBook;
  readonly #observer: ReplicaObserver;
  readonly #patienceMs: number;
  /** The write that others have overtaken: where this node's durable log ends meanwhile, and since when, monotonic ms. */
  #overtaken: { readonly durableIndex: LogIndex; since: number } | undefined;
  /** Hand-overs that were begun since the disk fell behind: whoever did not take over lets the next one have a try. */
  #attempts = 0;

  constructor(options: {
    readonly peers: PeerBook;
    readonly observer: ReplicaObserver;
    /** How long others may be ahead of this node's own disk. */
    readonly patienceMs: number;
  }) {
    this.#peers = options.peers;
    this.#observer = options.observer;
    this.#patienceMs = options.patienceMs;
  }

  /** To be called now and then. */
  watch(core: RaftCore, now: number): void {
    const { durableIndex, commitIndex } = core;
    if (core.roleName !== "leader" || commitIndex <= durableIndex) {
      this.#overtaken = undefined;
      this.#attempts = 0;
      return;
    }
    if (this.#overtaken?.durableIndex !== durableIndex) this.#overtaken = { durableIndex, since: now };
    const behindMs = now - this.#overtaken.since;
    if (behindMs < this.#patienceMs) return;
    const ahead = this.#peers.successors(core).filter((voter) => (core.matchIndexOf(voter) ?? 0) >= commitIndex);
    const successor = ahead[this.#attempts % ahead.length];
    if (successor === undefined || !core.transferLeadership(successor, now)) return;
    this.#attempts++;
    this.#overtaken.since = now;
    const text = "This leader's disk is behind those of a majority: it hands over.";
    this.#observer.notice("warn", text, { behindMs: Math.round(behindMs), successor });
  }
}
