import { invariant } from "../assert.js";
import type { Definition } from "./definition.js";
import { refused } from "./refusal.js";
import type { NumberRange, Refused } from "./result.js";

/** No floor; below every counter. */
export const NO_FLOOR = -1;

/**
 * One counter: (prefix, period, scope). Changed in place by apply; it comes to exist with its first
 * draw or reset, and until then it follows its definition.
 */
export interface Series {
  readonly prefix: string;
  readonly period: string;
  readonly scopeKey: string;
  /** 0, and one more with every reset that was forced to repeat numbers. */
  epoch: number;
  /** The last number drawn, or what a reset set: the next number is one step further. */
  current: number;
  /** A reset below this would hand out numbers again. NO_FLOOR while there are none; at most `current`. */
  guard: number;
  /** The run of numbers drawn last in this epoch; undefined before the epoch's first. */
  segment: Segment | undefined;
  /** How many earlier runs of this epoch are kept apart (SequenceState.sealSegment). */
  sealedSegments: number;
  /** Numbers drawn, over all epochs. */
  issued: number;
  /** Entry time of the last draw, ms. */
  lastGenerated: number | undefined;
  /** The floor that is taken into account (ledger.ts). */
  floorGeneration: number;
  /** The entry of the last draw; 0 before the first. */
  lastIndex: number;
}

/** Numbers drawn without a hole: first, first + step, …, last. */
export interface Segment {
  readonly first: number;
  last: number;
  readonly step: number;
}

export type Slots = Pick<Definition, "start" | "step" | "maximum">;

export interface SeriesReset {
  readonly oldValue: number;
  readonly newEpoch: boolean;
  readonly skipped: NumberRange | undefined;
}

export function newSeries(prefix: string, period: string, scopeKey: string): Series {
  return {
    prefix,
    period,
    scopeKey,
    epoch: 0,
    current: 0,
    guard: NO_FLOOR,
    segment: undefined,
    sealedSegments: 0,
    issued: 0,
    lastGenerated: undefined,
    floorGeneration: 0,
    lastIndex: 0,
  };
}

/**
 * The next number; undefined when it would be past the maximum. Slots up to the floor are passed
 * over. Nothing here leaves the safe integers: what is compared is never a sum beyond the maximum.
 */
export function nextCounter(slots: Slots, current: number | undefined, floor: number): number | undefined {
  const { start, step, maximum } = slots;
  if (current === undefined && start > floor) return start <= maximum ? start : undefined;
  const from = current ?? start;
  const base = from >= floor ? from : floor - ((floor - from) % step);
  return base > maximum - step ? undefined : base + step;
}

/** How many numbers fit from `next` on. */
export function roomFrom(slots: Slots, next: number): number {
  const distance = slots.maximum - next;
  return (distance - (distance % slots.step)) / slots.step + 1;
}

/** The number before the next one, as a status shows it: possibly below 0 before the first. */
export function currentCounter(slots: Slots, series: Series | undefined, floor: number): number {
  if (series !== undefined) return series.current;
  return (nextCounter(slots, undefined, floor) ?? slots.start) - slots.step;
}

/** @param seal keeps a run that the draw does not continue */
export function enterRange(
  series: Series,
  draw: { readonly range: NumberRange; readonly count: number; readonly step: number; readonly time: number },
  seal: (segment: Segment) => void,
): void {
  const { range, step } = draw;
  const { segment } = series;
  invariant(range.first > series.guard, "a draw is above everything that the epoch drew before");
  if (segment !== undefined && segment.step === step && range.first === segment.last + step) {
    segment.last = range.last;
  } else {
    if (segment !== undefined) {
      seal(segment);
      series.sealedSegments++;
    }
    series.segment = { first: range.first, last: range.last, step };
  }
  series.current = range.last;
  series.guard = range.last;
  series.issued += draw.count;
  series.lastGenerated = draw.time;
}

/**
 * What a reset to `newValue` would do. Backwards over slots that were only skipped is free: they
 * count as skipped once a draw has passed them.
 */
export function planReset(
  slots: Slots,
  series: Series | undefined,
  floor: number,
  reset: { readonly newValue: number; readonly force: boolean },
): SeriesReset | Refused {
  const { newValue } = reset;
  const guard = Math.max(series?.guard ?? NO_FLOOR, floor);
  const oldValue = currentCounter(slots, series, floor);
  if (newValue < guard) {
    if (reset.force) return { oldValue, newEpoch: true, skipped: undefined };
    const detail = `numbers up to ${guard} were issued already: a reset to ${newValue} would hand some of them out again, which needs force`;
    return refused("CONFLICT", "newValue", detail);
  }
  return { oldValue, newEpoch: false, skipped: skippedSlots(slots, series, floor, newValue) };
}

/** Every slot above what was drawn, here or below the floor, and up to the new value. */
function skippedSlots(
  slots: Slots,
  series: Series | undefined,
  floor: number,
  newValue: number,
): NumberRange | undefined {
  const drawn = series?.segment?.last ?? (series !== undefined && series.epoch > 0 ? series.guard : undefined);
  const first = nextCounter(slots, drawn, Math.max(floor, series?.guard ?? NO_FLOOR));
  if (first === undefined || first > newValue) return undefined;
  return { first, last: newValue - ((newValue - first) % slots.step) };
}

/** @param seal keeps the last run of the epoch that ends */
export function enterReset(
  series: Series,
  newValue: number,
  newEpoch: boolean,
  seal: (segment: Segment) => void,
): void {
  series.current = newValue;
  if (!newEpoch) return;
  if (series.segment !== undefined) seal(series.segment);
  series.epoch++;
  series.guard = newValue;
  series.segment = undefined;
  series.sealedSegments = 0;
}

/** Everything up to where the series stands may be issued, drawn here or not: no reset goes back without force. */
export function guardCurrent(series: Series): void {
  series.guard = series.current;
}

/** The series has counted past the floor, or will from now on. */
export function takeUpFloor(series: Series, floor: number, generation: number): void {
  series.floorGeneration = generation;
  if (floor > series.guard) series.guard = floor;
}

export type SlotState = "issued" | "skipped" | "unreached";

/** Of a slot in the epoch of `series`, whose earlier runs are `sealed`. */
export function slotState(series: Series, sealed: readonly Segment[], counter: number): SlotState {
  if (counter > series.current) return "unreached";
  const runs = series.segment === undefined ? sealed : [...sealed, series.segment];
  const isIssued = runs.some(
    ({ first, last, step }) => counter >= first && counter <= last && (counter - first) % step === 0,
  );
  return isIssued ? "issued" : "skipped";
}
