import { civilFromDays } from "./civil-date.js";
import type { ZoneTransition } from "./definition.js";
import type { CivilDate } from "./result.js";

const DAY_MS = 86_400_000;
const SECOND_MS = 1000;
/** The widest offset that a day can have; real ones stay within 16 hours. */
const OFFSET_SECONDS_MAX = 86_399;
/** From 1970 to 2100 the busiest zones change about 270 times. */
const TRANSITIONS_MAX = 2000;

/** The day that it is at `time` (ms since the epoch) by the zone's table; UTC where the table is silent. */
export function localDate(time: number, transitions: readonly ZoneTransition[]): CivilDate {
  const local = time + offsetSeconds(time, transitions) * SECOND_MS;
  return civilFromDays(Math.floor(local / DAY_MS));
}

/** Of the last transition at or before `time`; 0 before the first. */
function offsetSeconds(time: number, transitions: readonly ZoneTransition[]): number {
  let low = 0;
  let high = transitions.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const transition = transitions[middle];
    if (transition !== undefined && transition.from <= time) low = middle + 1;
    else high = middle;
  }
  return transitions[low - 1]?.offsetSeconds ?? 0;
}

/** What is wrong with a table, in words; undefined if nothing is. */
export function transitionsProblem(transitions: readonly ZoneTransition[]): string | undefined {
  if (transitions.length > TRANSITIONS_MAX) return `a zone has at most ${TRANSITIONS_MAX} transitions`;
  let previous = Number.NEGATIVE_INFINITY;
  for (const { from, offsetSeconds: offset } of transitions) {
    if (!Number.isSafeInteger(from) || from <= previous) return "transitions are whole milliseconds in ascending order";
    if (!Number.isSafeInteger(offset) || Math.abs(offset) > OFFSET_SECONDS_MAX) {
      return "an offset is a whole number of seconds within a day";
    }
    previous = from;
  }
  return undefined;
}
