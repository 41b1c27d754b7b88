/** How long to wait before the next attempt: doubles each time, with jitter, up to a maximum. */
export class Backoff {
  readonly #minMs: number;
  readonly #maxMs: number;
  readonly #random: () => number;
  #attempts = 0;

  /** @param options.random uniform in [0, 1) */
  constructor(options: { readonly minMs: number; readonly maxMs: number; readonly random: () => number }) {
    this.#minMs = options.minMs;
    this.#maxMs = options.maxMs;
    this.#random = options.random;
  }

  /** Between half and all of the step that is due: two nodes that failed together do not return together. */
  nextDelayMs(): number {
    const stepMs = Math.min(this.#maxMs, this.#minMs * 2 ** this.#attempts);
    if (stepMs < this.#maxMs) this.#attempts += 1;
    return stepMs * (0.5 + this.#random() / 2);
  }

  reset(): void {
    this.#attempts = 0;
  }
}
