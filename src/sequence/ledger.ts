import type { Definition } from "./definition.js";
import { NO_FLOOR, type Series } from "./series.js";
import type { Template } from "./template.js";

/** What all series of one sequence have used together. Changed in place by apply. */
export interface Ledger {
  readonly prefix: string;
  /** Numbers drawn, over all series and epochs. */
  issued: number;
  /** Entry time of the last draw, ms. */
  lastGenerated: number | undefined;
  /** The highest counter ever drawn; NOTHING_ISSUED before the first. */
  highest: number;
  /** The latest day that a number was drawn for, in days since 1970-01-01; BEFORE_ALL_DAYS before the first. */
  latestDay: number;
  /** The form of the definition in force. */
  form: FormUse;
  /** Every other form that numbers were drawn in. */
  pastForms: readonly FormUse[];
  floor: Floor;
  /** The newest entry with an audit row for this sequence; 0 before the first. */
  auditedIndex: number;
}

/** Which numbers were drawn in one form (numbers-stay-unique.ts). */
export interface FormUse {
  /** A version of the definition that has this form. */
  readonly version: number;
  readonly widthLeast: number;
  readonly widthMost: number;
  /** The highest counter drawn in it; NOTHING_ISSUED if none was. */
  highest: number;
}

/** Series count on behind `counter`, except those of periods that begin after `latestDay`. */
export interface Floor {
  readonly counter: number;
  readonly latestDay: number;
  /** 0: there is no floor. Each later floor has the next number, so that a series takes it up once. */
  readonly generation: number;
}

/** A sequence as apply sees it. */
export interface Sequence {
  definition: Definition;
  template: Template;
  readonly ledger: Ledger;
}

export const NOTHING_ISSUED = -1;
/** Earlier than the first day of the year 1, in days since 1970-01-01. */
export const BEFORE_ALL_DAYS = -1_000_000;

export function emptyLedger(prefix: string, width: number): Ledger {
  return {
    prefix,
    issued: 0,
    lastGenerated: undefined,
    highest: NOTHING_ISSUED,
    latestDay: BEFORE_ALL_DAYS,
    form: { version: 1, widthLeast: width, widthMost: width, highest: NOTHING_ISSUED },
    pastForms: [],
    floor: { counter: NO_FLOOR, latestDay: BEFORE_ALL_DAYS, generation: 0 },
    auditedIndex: 0,
  };
}

/** The counter that the series has to stay above; NO_FLOOR if there is none, or the series took it up already. */
export function floorFor(ledger: Ledger, series: Series | undefined, periodStartDays: number): number {
  const { counter, latestDay, generation } = ledger.floor;
  if (generation === (series?.floorGeneration ?? 0)) return NO_FLOOR;
  return periodStartDays > latestDay ? NO_FLOOR : counter;
}

export function enterDraw(ledger: Ledger, draw: { last: number; count: number; day: number; time: number }): void {
  ledger.issued += draw.count;
  ledger.lastGenerated = draw.time;
  enterReach(ledger, draw);
}

/** Numbers up to `last` are out, or may be, in the form that is in force and for days up to `day`. */
export function enterReach(ledger: Ledger, { last, day }: { readonly last: number; readonly day: number }): void {
  if (last > ledger.highest) ledger.highest = last;
  if (last > ledger.form.highest) ledger.form.highest = last;
  if (day > ledger.latestDay) ledger.latestDay = day;
}
