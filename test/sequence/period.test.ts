import fc from "fast-check";
import t from "tap";
import { civilFromDays, daysFromCivil } from "../../src/sequence/civil-date.js";
import type { ResetRule, ZoneTransition } from "../../src/sequence/definition.js";
import { dayOfPeriod, periodOf, periodStartDays } from "../../src/sequence/period.js";
import { localDate, transitionsProblem } from "../../src/sequence/zone.js";
import { holds } from "./holds.js";

const rules = fc.record({
  resetRule: fc.constantFrom<ResetRule>("never", "yearly", "monthly", "daily"),
  fiscalYearStart: fc.integer({ min: 1, max: 12 }),
});
const days = fc.integer({ min: -100_000, max: 200_000 });

t.test("two days are of one period exactly if their periods begin on the same day", (t) => {
  holds(
    t,
    fc.property(rules, days, fc.integer({ min: 0, max: 800 }), (rule, day, distance) => {
      const one = civilFromDays(day);
      const other = civilFromDays(day + distance);
      return (
        (periodOf(one, rule) === periodOf(other, rule)) ===
        (periodStartDays(one, rule) === periodStartDays(other, rule))
      );
    }),
  );
  t.end();
});

t.test("a period names a day of its own, and begins on its own first day", (t) => {
  holds(
    t,
    fc.property(rules, days, (rule, day) => {
      const date = civilFromDays(day);
      const period = periodOf(date, rule);
      const named = dayOfPeriod(period, rule);
      if (rule.resetRule === "never") return period === "" && named === undefined;
      if (named === undefined) return false;
      const start = periodStartDays(date, rule);
      return (
        periodOf(named, rule) === period &&
        daysFromCivil(named) === start &&
        periodOf(civilFromDays(start - 1), rule) !== period
      );
    }),
  );
  t.end();
});

t.test("a text of another rule names no period", (t) => {
  const monthly = { resetRule: "monthly", fiscalYearStart: 1 } as const;
  for (const text of ["2026", "2026-13", "2026-11-20", "", "2026-1", "next"])
    t.equal(dayOfPeriod(text, monthly), undefined, text);
  t.same(dayOfPeriod("2026-11", monthly), { year: 2026, month: 11, day: 1 });
  t.same(dayOfPeriod("2027", { resetRule: "yearly", fiscalYearStart: 4 }), { year: 2026, month: 4, day: 1 });
  t.end();
});

t.test("the zone's table says which day it is", (t) => {
  const berlin = [
    { from: 0, offsetSeconds: 3600 },
    { from: Date.UTC(2026, 2, 29, 1), offsetSeconds: 7200 },
    { from: Date.UTC(2026, 9, 25, 1), offsetSeconds: 3600 },
  ];
  t.same(localDate(Date.UTC(2026, 11, 31, 22, 59, 59, 999), berlin), { year: 2026, month: 12, day: 31 });
  t.same(localDate(Date.UTC(2026, 11, 31, 23), berlin), { year: 2027, month: 1, day: 1 });
  t.same(localDate(Date.UTC(2026, 5, 30, 22), berlin), { year: 2026, month: 7, day: 1 });
  t.same(localDate(Date.UTC(2026, 11, 31, 23), []), { year: 2026, month: 12, day: 31 });
  t.end();
});

t.test("the last transition at or before a time is the one that counts, and before the first it is UTC", (t) => {
  const table = fc
    .uniqueArray(fc.integer({ min: 0, max: 50 }), { maxLength: 8 })
    .map((froms) =>
      froms
        .sort((a, b) => a - b)
        .map((from, place): ZoneTransition => ({ from: from * 1000, offsetSeconds: place * 86_399 })),
    );
  holds(
    t,
    fc.property(table, fc.integer({ min: -1000, max: 52_000 }), (transitions, time) => {
      const offset = transitions.filter(({ from }) => from <= time).at(-1)?.offsetSeconds ?? 0;
      const expected = civilFromDays(Math.floor((time + offset * 1000) / 86_400_000));
      return JSON.stringify(localDate(time, transitions)) === JSON.stringify(expected);
    }),
  );
  t.end();
});

t.test("a table out of order or with an offset of more than a day is none", (t) => {
  t.equal(transitionsProblem([]), undefined);
  t.match(
    transitionsProblem([
      { from: 1, offsetSeconds: 0 },
      { from: 1, offsetSeconds: 60 },
    ]),
    /ascending/,
  );
  t.match(transitionsProblem([{ from: 1.5, offsetSeconds: 0 }]), /whole milliseconds/);
  t.match(transitionsProblem([{ from: 1, offsetSeconds: 86_400 }]), /within a day/);
  t.match(transitionsProblem(Array.from({ length: 2001 }, (_, from) => ({ from, offsetSeconds: 0 }))), /at most/);
  t.end();
});
