/** From start to end: serves, drains, stops; or fails. Ends once, and is silent from then on. */
export class Life {
  readonly #silence: () => void;
  readonly #fatal: (failure: Error) => void;
  #phase: "serving" | "draining" | "stopped" = "serving";
  #hasFailed = false;
  #isStopping = false;
  #stopping: Promise<void> | undefined;
  #ended: (() => void) | undefined;

  constructor(options: {
    /** Everything that could still be heard or answered is silenced, at once. */
    readonly silence: () => void;
    /** The process must end: told once. */
    readonly fatal: (failure: Error) => void;
  }) {
    this.#silence = options.silence;
    this.#fatal = options.fatal;
  }

  /** Takes new commands. */
  get isServing(): boolean {
    return this.#phase === "serving";
  }

  get isStopped(): boolean {
    return this.#phase === "stopped";
  }

  /** It was told to stop, or has. */
  get isStopping(): boolean {
    return this.#isStopping || this.isStopped;
  }

  /** Takes no new commands; those that wait are still answered. */
  drain(): void {
    if (this.#phase === "serving") this.#phase = "draining";
  }

  /** Ends when the last work is done, or fails; stopping twice is one stop. */
  stop(lastWork: (done: () => void) => void): Promise<void> {
    if (this.isStopped) return Promise.resolve();
    this.#isStopping = true;
    this.#stopping ??= new Promise((resolve) => {
      this.#ended = resolve;
      lastWork(() => this.#end());
    });
    return this.#stopping;
  }

  #end(): void {
    if (this.isStopped) return;
    this.#phase = "stopped";
    // Whoever waits may throw as it is told: that must not keep a stop, or a failure, from being heard of.
    try {
      this.#silence();
    } finally {
      this.#ended?.();
    }
  }

  /**
   * What is half done when something throws must not be gone on with: an entry of which a part was
   * applied would be applied again. So this node is silent before anybody else runs.
   */
  guarded(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  fail(failure: Error): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    try {
      this.#end();
    } finally {
      this.#fatal(failure);
    }
  }
}
