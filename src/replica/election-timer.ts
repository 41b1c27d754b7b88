import type { RaftCore } from "../raft/core.js";
import type { Term } from "../raft/types.js";
import type { Clock, ReplicaObserver, Timer, Timers } from "./ports.js";

/**
 * Ticks the core when its deadline has come. After a stall (the process stood still, a busy loop),
 * what the sockets hold is read before the timer is believed: silence that was this node's own must
 * not start an election (classic bug 20). It is an excuse once: where every timer is late, silence
 * that lasts is the leader's.
 */
export class ElectionTimer {
  readonly #timers: Timers;
  readonly #clock: Clock;
  readonly #observer: ReplicaObserver;
  /** Later than this, a timer is the sign of a stall. */
  readonly #latenessMaxMs: number;
  readonly #due: () => void;
  #timer: Timer | undefined;
  #dueAt = Number.POSITIVE_INFINITY;
  #isDue = false;
  /** When reading began, before the timer was believed. */
  #readSince = 0;
  #hasReadAgain = false;
  #stalled = false;
  /** Which silence was excused: in which term, and since when. */
  #excused: { readonly term: Term; readonly since: number } | undefined;

  constructor(options: {
    readonly timers: Timers;
    readonly clock: Clock;
    readonly observer: ReplicaObserver;
    readonly latenessMaxMs: number;
    /** A turn should come that ticks. */
    readonly due: () => void;
  }) {
    this.#timers = options.timers;
    this.#clock = options.clock;
    this.#observer = options.observer;
    this.#latenessMaxMs = options.latenessMaxMs;
    this.#due = options.due;
  }

  /** Ticks the core if its time has come. */
  tick(core: RaftCore, now: number): void {
    if (!this.#isDue) return;
    this.#isDue = false;
    if (now - this.#readSince > this.#latenessMaxMs && !this.#hasReadAgain) {
      // The stall came after reading had begun: what arrived in it was not read yet. Once, lest a loop
      // that is always slow never ticks.
      this.#hasReadAgain = true;
      this.#stalled = true;
      this.#readThenBelieve(0);
      return;
    }
    this.#hasReadAgain = false;
    if (this.#stalled) this.#excuse(core, now);
    this.#stalled = false;
    core.tick(now);
  }

  #excuse(core: RaftCore, now: number): void {
    const { term, leaderHeardAt: since } = core.state;
    if (this.#excused?.term === term && this.#excused.since === since) return;
    this.#excused = { term, since };
    core.resume(now);
  }

  /** An armed timer may fire early and in vain; only a deadline that came nearer needs a new one. */
  arm(dueAt: number): void {
    if (this.#timer !== undefined && this.#dueAt <= dueAt) return;
    this.#timer?.cancel();
    this.#dueAt = dueAt;
    const delay = Math.max(0, dueAt - this.#clock.monotonic());
    this.#timer = this.#timers.after(delay, () => {
      this.#timer = undefined;
      this.#fired(dueAt);
    });
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #fired(dueAt: number): void {
    this.#readThenBelieve(this.#clock.monotonic() - dueAt);
  }

  /**
   * Twice: what the first round of reading unblocked is read in the second. Always, since a stall may
   * have ended just when the timer was due.
   */
  #readThenBelieve(lateMs: number): void {
    this.#readSince = this.#clock.monotonic();
    this.#timers.afterInput(() => this.#timers.afterInput(() => this.#believe(lateMs)));
  }

  #believe(lateMs: number): void {
    this.#isDue = true;
    if (lateMs > this.#latenessMaxMs) {
      this.#stalled = true;
      this.#observer.notice("warn", "The event loop stood still.", { lateMs: Math.round(lateMs) });
    }
    this.#due();
  }
}
