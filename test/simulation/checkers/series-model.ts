import type { Drawn, ResetDone } from "../../../src/sequence/result.js";
import type { Effect } from "./effect.js";
import type { ReportViolation } from "./violation.js";

/** A series as its effects say it is. */
interface Standing {
  epoch: number;
  /** The last number drawn or set; undefined before the first. */
  current: number | undefined;
  /** The last number drawn in this epoch. */
  drawn: number;
  step: number;
}

/**
 * The rules of numbering, told again in the simplest way: within an epoch fresh draws are the slots
 * in order, each range begins one step behind the one before; a key has one range for ever.
 */
export class SeriesModel {
  readonly #report: ReportViolation;
  readonly #standings = new Map<string, Standing>();
  readonly #keys = new Map<string, Drawn>();
  /** Every change of a series' current value: where a local read has to agree. */
  readonly #history = new Map<string, { readonly index: number; readonly epoch: number; readonly current: number }[]>();

  constructor(report: ReportViolation) {
    this.#report = report;
  }

  applied({ command, result, index, attempt }: Effect): void {
    if (result.kind === "drawn") {
      if (command.kind !== "draw") this.#report("slots in order", `${attempt} drew without asking for a draw`);
      else if (command.idempotencyKey !== "") this.#checkKey(command.idempotencyKey, result);
      if (!result.replayed) this.#drawn(result, index, attempt);
    } else if (result.kind === "reset") this.#reset(result, index);
  }

  /** The series of a prefix that never resets by itself; undefined before its first effect. */
  standing(prefix: string): { readonly epoch: number; readonly current: number | undefined } | undefined {
    return this.#standings.get(nameOf(prefix, ""));
  }

  /** What the series showed once everything up to `index` was applied; undefined before its first effect. */
  at(prefix: string, index: number): { readonly epoch: number; readonly current: number } | undefined {
    return this.#history.get(nameOf(prefix, ""))?.findLast((change) => change.index <= index);
  }

  get prefixes(): string[] {
    return [...this.#standings.keys()].map((name) => name.slice(0, name.indexOf("/")));
  }

  #drawn(result: Drawn, index: number, attempt: string): void {
    const name = nameOf(result.prefix, result.period);
    const { step, start } = result.definition;
    const standing = this.#standings.get(name) ?? { epoch: 0, current: undefined, drawn: -1, step };
    if (result.epoch !== standing.epoch) {
      this.#report("slots in order", `${attempt} drew ${name} in epoch ${result.epoch}, not ${standing.epoch}`);
    }
    let count = 0;
    for (const { first, last } of result.ranges) {
      const expected = standing.current === undefined ? start : standing.current + step;
      if (first !== expected) {
        const text = `${attempt} drew ${name} from ${first} instead of ${expected}`;
        this.#report(first <= standing.drawn ? "no number twice" : "slots in order", text);
      }
      standing.current = last;
      standing.drawn = last;
      count += (last - first) / step + 1;
    }
    if (count !== result.count) this.#report("slots in order", `${attempt} drew ${count} numbers, not ${result.count}`);
    this.#note(name, standing, index);
  }

  #reset({ prefix, period, epoch, oldValue, newValue }: ResetDone, index: number): void {
    const name = nameOf(prefix, period);
    const standing = this.#standings.get(name) ?? { epoch: 0, current: undefined, drawn: -1, step: 1 };
    if (standing.current !== undefined && standing.current !== oldValue) {
      this.#report("slots in order", `a reset of ${name} found ${oldValue}, not ${standing.current}`);
    }
    if (epoch === standing.epoch && newValue < standing.drawn) {
      this.#report(
        "no number twice",
        `a reset of ${name} to ${newValue} goes below ${standing.drawn} in epoch ${epoch}`,
      );
    }
    if (epoch !== standing.epoch) {
      if (epoch !== standing.epoch + 1) this.#report("slots in order", `a reset of ${name} skipped to epoch ${epoch}`);
      standing.drawn = -1;
    }
    standing.epoch = epoch;
    standing.current = newValue;
    this.#note(name, standing, index);
  }

  #note(name: string, standing: Standing, index: number): void {
    this.#standings.set(name, standing);
    const history = this.#history.get(name) ?? [];
    history.push({ index, epoch: standing.epoch, current: standing.current ?? 0 });
    this.#history.set(name, history);
  }

  #checkKey(key: string, result: Drawn): void {
    const earlier = this.#keys.get(key);
    if (earlier === undefined) {
      if (result.replayed) this.#report("one key, one range", `key ${key} was replayed, but never drawn`);
      this.#keys.set(key, result);
    } else if (!result.replayed) {
      this.#report("one key, one range", `key ${key} was drawn again`);
    } else if (textOf(earlier) !== textOf(result)) {
      this.#report("one key, one range", `key ${key} was replayed as ${textOf(result)}, drawn as ${textOf(earlier)}`);
    }
  }
}

function nameOf(prefix: string, period: string): string {
  return `${prefix}/${period}`;
}

function textOf({ epoch, ranges, time, messageId, period }: Drawn): string {
  return JSON.stringify([period, epoch, ranges, time, messageId]);
}
