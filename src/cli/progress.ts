const TERMINAL_INTERVAL_MS = 200;
const LOG_INTERVAL_MS = 5000;
const MEBIBYTE = 1_048_576;

/** How far a long transfer is, on stderr: one line that changes on a terminal, else a line now and then. */
export class Progress {
  readonly #title: string;
  readonly #isTerminal = process.stderr.isTTY;
  #toldAt = performance.now();
  #hasTold = false;
  #bytes = 0;
  #rows = 0;

  constructor(title: string) {
    this.#title = title;
  }

  bytes(count: number): void {
    this.#bytes += count;
    const now = performance.now();
    if (now - this.#toldAt < (this.#isTerminal ? TERMINAL_INTERVAL_MS : LOG_INTERVAL_MS)) return;
    this.#toldAt = now;
    this.#tell();
  }

  rows(count: number): void {
    this.#rows += count;
  }

  /** What short transfers say at all, they say now. */
  done(): void {
    this.#tell();
    if (this.#isTerminal && this.#hasTold) process.stderr.write("\n");
  }

  #tell(): void {
    this.#hasTold = true;
    const line = `${this.#title}: ${(this.#bytes / MEBIBYTE).toFixed(1)} MiB, ${this.#rows} rows`;
    process.stderr.write(this.#isTerminal ? `\r${line}` : `${line}\n`);
  }
}
