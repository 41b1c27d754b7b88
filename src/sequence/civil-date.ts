import { invariant } from "../assert.js";
import type { CivilDate } from "./result.js";

/**
 * Civil dates of the proleptic Gregorian calendar by plain arithmetic: apply asks no platform.
 * Days are counted from 1970-01-01. Source of the two conversions: Howard Hinnant, "chrono-
 * Compatible Low-Level Date Algorithms" (days_from_civil, civil_from_days).
 */
export const YEAR_MIN = 1;
/** One less than four digits hold, so that a fiscal year, which may be the next one, has four digits, too. */
export const YEAR_MAX = 9998;

const ERA_YEARS = 400;
const ERA_DAYS = 146_097;
/** Days from 0000-03-01 to 1970-01-01. */
const EPOCH_SHIFT_DAYS = 719_468;
const DAYS_BEFORE_MONTH = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334] as const;
const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;

export function daysFromCivil(date: CivilDate): number {
  const { month, day } = date;
  // Years begin in March, so that the leap day is a year's last.
  const year = month <= 2 ? date.year - 1 : date.year;
  const era = Math.floor(year / ERA_YEARS);
  const yearOfEra = year - era * ERA_YEARS;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * ERA_DAYS + dayOfEra - EPOCH_SHIFT_DAYS;
}

export function civilFromDays(days: number): CivilDate {
  const shifted = days + EPOCH_SHIFT_DAYS;
  const era = Math.floor(shifted / ERA_DAYS);
  const dayOfEra = shifted - era * ERA_DAYS;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = yearOfEra + era * ERA_YEARS + (month <= 2 ? 1 : 0);
  return { year, month, day };
}

/** YYYY-MM-DD of a day that exists, in the years that Folio knows; undefined for anything else. */
export function parseCivilDate(text: string): CivilDate | undefined {
  const match = DATE.exec(text);
  if (match === null) return undefined;
  const date = { year: Number(match[1]), month: Number(match[2]), day: Number(match[3]) };
  return isCivilDate(date) ? date : undefined;
}

export function isCivilDate(date: CivilDate): boolean {
  const { year, month, day } = date;
  if (year < YEAR_MIN || year > YEAR_MAX || month < 1 || month > 12) return false;
  return day >= 1 && day <= daysInMonth(year, month);
}

export function formatCivilDate(date: CivilDate): string {
  return `${padded(date.year, 4)}-${padded(date.month, 2)}-${padded(date.day, 2)}`;
}

/** 1 to 366. */
export function dayOfYear(date: CivilDate): number {
  const before = DAYS_BEFORE_MONTH[date.month - 1];
  invariant(before !== undefined, "a civil date has a month from 1 to 12");
  return before + date.day + (date.month > 2 && isLeapYear(date.year) ? 1 : 0);
}

/**
 * Week of ISO 8601, 1 to 53: the week belongs to the year of its Thursday, so the first days of
 * January may stand in week 52 or 53, and the last of December in week 1.
 */
export function isoWeek(date: CivilDate): number {
  const days = daysFromCivil(date);
  // 1970-01-01 was a Thursday; 0 is Monday.
  const weekday = (((days + 3) % 7) + 7) % 7;
  const thursday = civilFromDays(days - weekday + 3);
  return Math.floor((dayOfYear(thursday) - 1) / 7) + 1;
}

export function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % ERA_YEARS === 0);
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return isLeapYear(year) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

export function padded(value: number, digits: number): string {
  return String(value).padStart(digits, "0");
}
