import type { Clock, Timers } from "./ports.js";

/** Lets so many bytes pass per second, whoever sends them: the first at once, each later one when it is due. */
export class Pace {
  readonly #bytesPerSecond: number;
  readonly #clock: Clock;
  readonly #timers: Timers;
  /** When everything that was let pass so far is paid for: monotonic ms. */
  #freeAt = Number.NEGATIVE_INFINITY;

  constructor(options: { readonly bytesPerSecond: number; readonly clock: Clock; readonly timers: Timers }) {
    this.#bytesPerSecond = options.bytesPerSecond;
    this.#clock = options.clock;
    this.#timers = options.timers;
  }

  /** Calls `pass` when it is due, never at once: what else waits is done in between. */
  spend(bytes: number, pass: () => void): void {
    const now = this.#clock.monotonic();
    const dueAt = Math.max(now, this.#freeAt);
    this.#freeAt = dueAt + (bytes * 1000) / this.#bytesPerSecond;
    if (dueAt <= now) this.#timers.afterInput(pass);
    else this.#timers.after(dueAt - now, pass);
  }
}
