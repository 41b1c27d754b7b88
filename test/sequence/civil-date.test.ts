import fc from "fast-check";
import t from "tap";
import {
  civilFromDays,
  dayOfYear,
  daysFromCivil,
  formatCivilDate,
  isLeapYear,
  isoWeek,
  parseCivilDate,
} from "../../src/sequence/civil-date.js";
import { fiscalYear } from "../../src/sequence/period.js";
import { holds } from "./holds.js";

const DAY_MS = 86_400_000;

function utcDay(year: number, month: number, day: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getTime() / DAY_MS;
}

t.test("days and civil dates agree with the platform's calendar for every day of 1890 to 2110", (t) => {
  const last = utcDay(2110, 12, 31);
  let wrong = 0;
  for (let day = utcDay(1890, 1, 1); day <= last; day++) {
    const platform = new Date(day * DAY_MS);
    const date = civilFromDays(day);
    const same =
      date.year === platform.getUTCFullYear() &&
      date.month === platform.getUTCMonth() + 1 &&
      date.day === platform.getUTCDate() &&
      daysFromCivil(date) === day;
    if (!same) wrong++;
  }
  t.equal(wrong, 0);
  t.end();
});

t.test("days and civil dates agree with the platform's calendar from the year 1 to 9998", (t) => {
  const days = fc.integer({ min: utcDay(1, 1, 1), max: utcDay(9998, 12, 31) });
  holds(
    t,
    fc.property(days, (day) => {
      const date = civilFromDays(day);
      const text = formatCivilDate(date);
      return (
        daysFromCivil(date) === day &&
        text === new Date(day * DAY_MS).toISOString().slice(0, 10) &&
        JSON.stringify(parseCivilDate(text)) === JSON.stringify(date)
      );
    }),
    { numRuns: 5000 },
  );
  t.end();
});

t.test("the day of the year and the ISO week agree with a count by hand", (t) => {
  holds(
    t,
    fc.property(fc.integer({ min: utcDay(1583, 1, 1), max: utcDay(3000, 1, 1) }), (day) => {
      const date = civilFromDays(day);
      let week = 0;
      // The week is numbered by how many Thursdays its Thursday's year has had.
      const weekday = (new Date(day * DAY_MS).getUTCDay() + 6) % 7;
      const thursday = day - weekday + 3;
      const year = new Date(thursday * DAY_MS).getUTCFullYear();
      for (let other = thursday; new Date(other * DAY_MS).getUTCFullYear() === year; other -= 7) week++;
      return dayOfYear(date) === day - utcDay(date.year, 1, 1) + 1 && isoWeek(date) === week;
    }),
    { numRuns: 2000 },
  );
  t.end();
});

t.test("the first days of January may belong to the last week of the year before", (t) => {
  t.equal(isoWeek({ year: 2027, month: 1, day: 1 }), 53);
  t.equal(isoWeek({ year: 2024, month: 12, day: 30 }), 1);
  t.equal(isoWeek({ year: 2026, month: 1, day: 1 }), 1);
  t.end();
});

t.test("a text that is no day of the calendar is no date", (t) => {
  const texts = [
    "2026-02-29",
    "2026-13-01",
    "2026-00-10",
    "2026-04-31",
    "2026-1-1",
    "0000-01-01",
    "9999-12-31",
    "",
    "today",
  ];
  for (const text of texts) t.equal(parseCivilDate(text), undefined, text);
  t.same(parseCivilDate("2024-02-29"), { year: 2024, month: 2, day: 29 });
  t.ok(isLeapYear(2000));
  t.notOk(isLeapYear(1900));
  t.end();
});

t.test("a fiscal year has the name of the year in which it ends", (t) => {
  t.equal(fiscalYear({ year: 2026, month: 3, day: 31 }, 4), 2026);
  t.equal(fiscalYear({ year: 2026, month: 4, day: 1 }, 4), 2027);
  t.equal(fiscalYear({ year: 2026, month: 12, day: 31 }, 1), 2026);
  t.end();
});
