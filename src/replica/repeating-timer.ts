import type { Timer, Timers } from "./ports.js";

/**
 * Calls again and again, at least this long after the call before. What arrived during a stall is
 * handled first, so that a deadline is not believed before its answer was read.
 */
export class RepeatingTimer {
  readonly #timers: Timers;
  readonly #intervalMs: number;
  readonly #run: () => void;
  #timer: Timer | undefined;
  #isCancelled = false;

  constructor(options: { readonly timers: Timers; readonly intervalMs: number; readonly run: () => void }) {
    this.#timers = options.timers;
    this.#intervalMs = options.intervalMs;
    this.#run = options.run;
  }

  start(): void {
    this.#timer = this.#timers.after(this.#intervalMs, () => {
      this.#timers.afterInput(() => {
        if (this.#isCancelled) return;
        this.#run();
        if (!this.#isCancelled) this.start();
      });
    });
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#timer?.cancel();
  }
}
