import type { Command } from "../../../src/sequence/command.js";
import type { Definition } from "../../../src/sequence/definition.js";
import type { Drawn, ResetDone } from "../../../src/sequence/result.js";
import { isBounded, isForm } from "../operations/prefixes.js";
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
 * in order, each range begins one step behind the one before. A sequence whose reset rule changes may
 * pass over numbers that its other series had used, and over nothing else.
 */
export class SeriesModel {
  readonly #report: ReportViolation;
  readonly #standings = new Map<string, Standing>();
  /** By prefix: the highest number that any of its series drew. */
  readonly #highest = new Map<string, number>();
  /** By prefix: as the newest effect that shows it has it. */
  readonly #definitions = new Map<string, Definition>();
  /** Every change of a series' current value: where a local read has to agree. */
  readonly #history = new Map<string, { readonly index: number; readonly epoch: number; readonly current: number }[]>();

  constructor(report: ReportViolation) {
    this.#report = report;
  }

  applied({ command, result, index, attempt }: Effect): void {
    if (result.kind === "drawn") {
      if (command.kind !== "draw") this.#report("slots in order", `${attempt} drew without asking for a draw`);
      if (!result.replayed) this.#drawn(result, index, attempt);
    } else if (result.kind === "reset") this.#reset(result, index);
    else if (result.kind === "configured") this.#definitions.set(result.definition.prefix, result.definition);
    else if (result.kind === "refused" && result.code === "EXHAUSTED") this.#exhausted(command, attempt);
  }

  /** What the series showed once everything up to `index` was applied; undefined before its first effect. */
  at(prefix: string, period: string, index: number): { readonly epoch: number; readonly current: number } | undefined {
    return this.#history.get(nameOf(prefix, period))?.findLast((change) => change.index <= index);
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
      if (first !== expected && !this.#passesOver(result, first, expected)) {
        const text = `${attempt} drew ${name} from ${first} instead of ${expected}`;
        this.#report(first <= standing.drawn ? "no number twice" : "slots in order", text);
      }
      if (last > result.definition.maximum) {
        this.#report("overflow is refused", `${attempt} drew ${name} up to ${last}, past ${result.definition.maximum}`);
      }
      standing.current = last;
      standing.drawn = last;
      count += (last - first) / step + 1;
    }
    if (count !== result.count) this.#report("slots in order", `${attempt} drew ${count} numbers, not ${result.count}`);
    this.#definitions.set(result.prefix, result.definition);
    this.#highest.set(result.prefix, Math.max(this.#highest.get(result.prefix) ?? -1, standing.drawn));
    this.#note(name, standing, index);
  }

  /** Refused only if the numbers are not there: told of sequences that come to their maximum and change in nothing else. */
  #exhausted(command: Command, attempt: string): void {
    if (command.kind !== "draw" || !isBounded(command.prefix)) return;
    const { prefix, count } = command;
    const definition = this.#definitions.get(prefix);
    if (definition === undefined) {
      this.#report("overflow is refused", `${attempt} found ${prefix} at its end before it had a definition`);
      return;
    }
    const { start, step, maximum } = definition;
    const current = this.#standings.get(nameOf(prefix, ""))?.current;
    const first = current === undefined ? start : current + step;
    if (first + (count - 1) * step > maximum) return;
    const text = `${attempt} was refused ${count} of ${prefix}, which has them from ${first} up to ${maximum}`;
    this.#report("overflow is refused", text);
  }

  /** To behind what the sequence had drawn when its series changed, and no further. */
  #passesOver({ prefix, definition }: Drawn, first: number, expected: number): boolean {
    const highest = this.#highest.get(prefix) ?? -1;
    return isForm(prefix) && first > expected && first - definition.step <= highest;
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
}

function nameOf(prefix: string, period: string): string {
  return `${prefix}/${period}`;
}
