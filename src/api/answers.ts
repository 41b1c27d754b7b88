import { invariant } from "../assert.js";
import { NumberRenderers, type RenderNumber } from "../sequence/number-renderer.js";
import type { Drawn, NumberRange, ResetDone } from "../sequence/result.js";
import { FULL_NUMBERS_MAX } from "./request-fields.js";

/** What both edges answer to draws, before each gives it its own field names. */

export interface AnsweredNumber {
  readonly counter: number;
  readonly fullNumber: string;
}

export interface AnsweredRange {
  readonly firstCounter: number;
  readonly lastCounter: number;
  readonly firstFullNumber: string;
  readonly lastFullNumber: string;
}

/** Answers to draws; one per edge, since it remembers how the numbers of each definition are written. */
export class DrawAnswers {
  readonly #renderers = new NumberRenderers();
  #time = 0;
  #timeText = instantText(0);

  /** The number of a single draw. */
  number(drawn: Drawn): AnsweredNumber {
    const counter = firstRange(drawn).first;
    return { counter, fullNumber: this.#renderer(drawn)(counter) };
  }

  /** The ranges of a batch in the order drawn, with the full numbers at their ends. */
  ranges(drawn: Drawn): readonly AnsweredRange[] {
    const render = this.#renderer(drawn);
    return drawn.ranges.map(({ first, last }) => ({
      firstCounter: first,
      lastCounter: last,
      firstFullNumber: render(first),
      lastFullNumber: render(last),
    }));
  }

  /** Every single number of a batch of at most FULL_NUMBERS_MAX, in the order drawn. */
  fullNumbers(drawn: Drawn): string[] {
    invariant(drawn.count <= FULL_NUMBERS_MAX, "no answer holds more full numbers than the limit");
    const render = this.#renderer(drawn);
    const { step } = drawn.definition;
    const fullNumbers: string[] = [];
    for (const { first, last } of drawn.ranges) {
      for (let counter = first; counter <= last; counter += step) fullNumbers.push(render(counter));
    }
    invariant(fullNumbers.length === drawn.count, "the ranges of a draw hold exactly its count of numbers");
    return fullNumbers;
  }

  /** When it was drawn. All draws of an entry share its time, so the last text is kept. */
  generatedAt(drawn: Drawn): string {
    if (drawn.time !== this.#time) {
      this.#time = drawn.time;
      this.#timeText = instantText(drawn.time);
    }
    return this.#timeText;
  }

  #renderer(drawn: Drawn): RenderNumber {
    return this.#renderers.renderer(drawn.definition, drawn.date, drawn.scope);
  }
}

/** The first and the last counter of a draw, in the order drawn. */
export function drawnEnds(drawn: Drawn): NumberRange {
  const lastRange = drawn.ranges.at(-1);
  invariant(lastRange !== undefined, "a draw has at least one range");
  return { first: firstRange(drawn).first, last: lastRange.last };
}

/** What a reset did, in a sentence. */
export function resetSentence(done: ResetDone): string {
  const series = done.period === "" ? done.prefix : `${done.prefix} (${done.period})`;
  const moved = `the counter of ${series} went from ${done.oldValue} to ${done.newValue}`;
  if (done.skipped === undefined) return moved;
  return `${moved}; the numbers from ${done.skipped.first} to ${done.skipped.last} are skipped and journalled as such`;
}

/** RFC 3339, UTC. @param time ms since the epoch */
export function instantText(time: number): string {
  return new Date(time).toISOString();
}

function firstRange(drawn: Drawn): NumberRange {
  const range = drawn.ranges[0];
  invariant(range !== undefined, "a draw has at least one range");
  return range;
}
