import { daysFromCivil, formatCivilDate, isCivilDate, padded, YEAR_MAX } from "./civil-date.js";
import type { Definition } from "./definition.js";
import type { CivilDate } from "./result.js";

/** What decides which period a day belongs to. */
export type PeriodRule = Pick<Definition, "resetRule" | "fiscalYearStart">;

const PERIOD = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$/;

/**
 * The fiscal year, named for the calendar year in which it ends: with a start in April,
 * 2026-04-01 belongs to 2027. A start in January makes it the calendar year.
 */
export function fiscalYear(date: CivilDate, fiscalYearStart: number): number {
  return fiscalYearStart > 1 && date.month >= fiscalYearStart ? date.year + 1 : date.year;
}

/** "" for never, else 2026 (a fiscal year), 2026-11 or 2026-11-20. */
export function periodOf(date: CivilDate, rule: PeriodRule): string {
  switch (rule.resetRule) {
    case "never":
      return "";
    case "yearly":
      return padded(fiscalYear(date, rule.fiscalYearStart), 4);
    case "monthly":
      return `${padded(date.year, 4)}-${padded(date.month, 2)}`;
    case "daily":
      return formatCivilDate(date);
  }
}

/** The first day of the period that a day belongs to, in days since 1970-01-01; without periods, -Infinity. */
export function periodStartDays(date: CivilDate, rule: PeriodRule): number {
  switch (rule.resetRule) {
    case "never":
      return Number.NEGATIVE_INFINITY;
    case "yearly": {
      const year = date.month >= rule.fiscalYearStart ? date.year : date.year - 1;
      return daysFromCivil({ year, month: rule.fiscalYearStart, day: 1 });
    }
    case "monthly":
      return daysFromCivil({ ...date, day: 1 });
    case "daily":
      return daysFromCivil(date);
  }
}

/** The last day of the period that a day belongs to, in days since 1970-01-01; without periods, the last of all days. */
export function periodEndDays(date: CivilDate, rule: PeriodRule): number {
  switch (rule.resetRule) {
    case "never":
      return daysFromCivil({ year: YEAR_MAX, month: 12, day: 31 });
    case "yearly": {
      const year = date.month >= rule.fiscalYearStart ? date.year + 1 : date.year;
      return daysFromCivil({ year, month: rule.fiscalYearStart, day: 1 }) - 1;
    }
    case "monthly":
      return (
        daysFromCivil(
          date.month === 12 ? { year: date.year + 1, month: 1, day: 1 } : { ...date, month: date.month + 1, day: 1 },
        ) - 1
      );
    case "daily":
      return daysFromCivil(date);
  }
}

/** A day of the period that the text names, which must be one of the rule's own; undefined if it names none. */
export function dayOfPeriod(period: string, rule: PeriodRule): CivilDate | undefined {
  const match = PERIOD.exec(period);
  if (match === null) return undefined;
  const named = { year: Number(match[1]), month: Number(match[2] ?? 1), day: Number(match[3] ?? 1) };
  const fiscal = rule.resetRule === "yearly" && rule.fiscalYearStart > 1;
  const date = fiscal ? { ...named, year: named.year - 1, month: rule.fiscalYearStart } : named;
  return isCivilDate(date) && periodOf(date, rule) === period ? date : undefined;
}
