import { isDeepStrictEqual } from "node:util";
import type { CommandContext } from "../../../src/machine/machine.js";
import { decodeCommand } from "../../../src/sequence/machine/command-codec.js";
import type { CommandResult } from "../../../src/sequence/result.js";
import { DefinitionModel } from "./definition-model.js";
import type { Effect } from "./effect.js";
import { FullNumbers } from "./full-numbers.js";
import { MemoModel } from "./memo-model.js";
import { SeriesModel } from "./series-model.js";
import type { ReportViolation } from "./violation.js";

/**
 * What commands did, over all nodes and lives: everywhere the same, each attempt at most once, and
 * by the rules of numbering as an independent model has them.
 */
export class Effects {
  readonly #report: ReportViolation;
  /** By place: the entry's index and the ordinal in it. */
  readonly #places = new Map<number, Effect>();
  readonly #byAttempt = new Map<string, Effect>();
  /** Which attempt a result object, on whichever node, belongs to. */
  readonly #owners = new WeakMap<object, Effect>();
  readonly series: SeriesModel;
  readonly memos: MemoModel;
  readonly #models: readonly { applied(effect: Effect): void }[];

  constructor(report: ReportViolation) {
    this.#report = report;
    this.series = new SeriesModel(report);
    this.memos = new MemoModel(report);
    this.#models = [this.memos, this.series, new DefinitionModel(report), new FullNumbers(report)];
  }

  get count(): number {
    return this.#places.size;
  }

  of(attempt: string): Effect | undefined {
    return this.#byAttempt.get(attempt);
  }

  at(index: number, ordinal: number): Effect | undefined {
    return this.#places.get(placeOf(index, ordinal));
  }

  /** Some node's machine applied a command. */
  applied(node: number, payload: Uint8Array, context: CommandContext, result: CommandResult, record: Uint8Array): void {
    const place = placeOf(context.index, context.ordinal);
    let effect = this.#places.get(place);
    if (effect === undefined) {
      effect = this.#first(payload, context, result, record);
      this.#places.set(place, effect);
    } else if (Buffer.compare(effect.payload, payload) !== 0 || Buffer.compare(effect.record, record) !== 0) {
      const text = `n${node} applied ${context.index}-${context.ordinal} with another outcome than the others`;
      this.#report("same effect everywhere", text);
    }
    this.#owners.set(result, effect);
  }

  /** A result was made again from what the journal keeps, for a waiter that did not see it applied. */
  recalled(node: number, context: CommandContext, result: CommandResult): void {
    const effect = this.at(context.index, context.ordinal);
    const place = `${context.index}-${context.ordinal}`;
    if (effect === undefined) this.#report("answers", `n${node} recalls ${place}, where nothing acted`);
    else if (isDeepStrictEqual(effect.result, result)) this.#owners.set(result, effect);
    else this.#report("answers", `n${node} recalls another result of ${place} than there was`);
  }

  #first(payload: Uint8Array, context: CommandContext, result: CommandResult, record: Uint8Array): Effect {
    const { index, ordinal, time } = context;
    const command = decodeCommand(payload);
    const attempt = command.provenance.correlationId;
    const effect: Effect = { attempt, command, result, payload, record, index, time };
    const earlier = this.#byAttempt.get(attempt);
    if (earlier !== undefined) {
      this.#report("at most once", `${attempt} acted in entry ${earlier.index} and again at ${index}-${ordinal}`);
    }
    this.#byAttempt.set(attempt, effect);
    for (const model of this.#models) model.applied(effect);
    return effect;
  }

  /** A waiter got this answer for its attempt. */
  answered(attempt: string, result: unknown): void {
    const effect = typeof result === "object" && result !== null ? this.#owners.get(result) : undefined;
    if (effect === undefined) this.#report("answers", `${attempt} was answered, but nothing was ever applied for it`);
    else if (effect.attempt !== attempt) {
      this.#report("answers", `${attempt} was answered with the result of ${effect.attempt}`);
    }
  }
}

/** An ordinal fits 16 bits. */
function placeOf(index: number, ordinal: number): number {
  return index * 65_536 + ordinal;
}
