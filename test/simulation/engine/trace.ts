import { createHash } from "node:crypto";

/** What happened, line by line, for a reader; kept only where somebody will read it. */
export class Trace {
  readonly #lines: string[] = [];
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** @param who a node as "n3", a client as "c2", or "world" */
  note(who: string, what: string): void {
    this.#lines.push(`${this.#nowMs().toFixed(3).padStart(10)}  ${who.padEnd(6)} ${what}`);
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  /** SHA-256 of all lines: two runs with one digest were the same run. */
  get digest(): string {
    const hash = createHash("sha256");
    for (const line of this.#lines) hash.update(line).update("\n");
    return hash.digest("hex");
  }
}
