import type { Clock, Timer, Timers } from "./ports.js";

/**
 * Calls when the core's deadline has come. After a stall (the process stood still, a busy loop),
 * what the sockets hold is read before the timer is believed: silence that was this node's own must
 * not start an election (classic bug 20).
 */
export class ElectionTimer {
  readonly #timers: Timers;
  readonly #clock: Clock;
  /** Later than this, a timer is the sign of a stall. */
  readonly #latenessMaxMs: number;
  readonly #due: (stall: { readonly lateMs: number } | undefined) => void;
  #timer: Timer | undefined;
  #dueAt = Number.POSITIVE_INFINITY;

  constructor(options: {
    readonly timers: Timers;
    readonly clock: Clock;
    readonly latenessMaxMs: number;
    readonly due: (stall: { readonly lateMs: number } | undefined) => void;
  }) {
    this.#timers = options.timers;
    this.#clock = options.clock;
    this.#latenessMaxMs = options.latenessMaxMs;
    this.#due = options.due;
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
    const lateMs = this.#clock.monotonic() - dueAt;
    if (lateMs <= this.#latenessMaxMs) {
      this.#due(undefined);
      return;
    }
    // Twice: what the first round of reading unblocked is read in the second.
    this.#timers.afterInput(() => this.#timers.afterInput(() => this.#due({ lateMs })));
  }
}
