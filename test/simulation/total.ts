import type { SeedResult } from "./seed-runs.js";

const PROGRESS_MS = 5000;

/** What many runs add up to. */
export class Total {
  readonly #startedAt: number;
  #progressAt: number;
  #runs = 0;
  failures = 0;
  #simulatedMs = 0;
  #steps = 0;
  #effects = 0;
  #livenessShare = 0;

  constructor(startedAt: number) {
    this.#startedAt = startedAt;
    this.#progressAt = startedAt;
  }

  add({ simulatedMs, figures, violation }: Omit<SeedResult, "plan">): void {
    this.#runs++;
    this.#simulatedMs += simulatedMs;
    this.#steps += figures.steps;
    this.#effects += figures.effects;
    this.#livenessShare = Math.max(this.#livenessShare, figures.livenessShare);
    if (violation !== undefined) this.failures++;
    if (performance.now() - this.#progressAt < PROGRESS_MS) return;
    this.#progressAt = performance.now();
    process.stderr.write(`\r${this.#runs} seeds, ${this.failures} failed, ${this.#speed}   `);
  }

  get #speed(): string {
    return `${(this.#simulatedMs / (performance.now() - this.#startedAt)).toFixed(0)} times faster than real time`;
  }

  lines(cpuMs: number): string[] {
    const secondsEach = this.#simulatedMs / this.#runs / 1000;
    return [
      `${this.#runs} runs of ${secondsEach.toFixed(1)} simulated seconds, ${this.#steps} steps, ${this.#effects} commands`,
      `${this.#speed} by the clock, ${(this.#simulatedMs / cpuMs).toFixed(0)} times by CPU time`,
      `longest wait for a draw once a quorum was healthy: ${(100 * this.#livenessShare).toFixed(0)} % of the time that it may take`,
    ];
  }
}
