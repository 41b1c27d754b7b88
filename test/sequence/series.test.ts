import fc from "fast-check";
import t from "tap";
import {
  currentCounter,
  enterRange,
  enterReset,
  NO_FLOOR,
  newSeries,
  nextCounter,
  planReset,
  roomFrom,
  type Segment,
  type Series,
  slotState,
  takeUpFloor,
} from "../../src/sequence/series.js";
import { holds } from "./holds.js";

const LAST = Number.MAX_SAFE_INTEGER;

t.test("the next counter is the first slot above the floor, or none past the maximum", (t) => {
  const small = fc.nat(60);
  holds(
    t,
    fc.property(
      small,
      fc.integer({ min: 1, max: 9 }),
      small,
      fc.option(small, { nil: undefined }),
      fc.integer({ min: -1, max: 60 }),
      (start, step, more, current, floor) => {
        const slots = { start, step, maximum: start + more };
        let next = current === undefined ? start : current + step;
        while (next <= floor) next += step;
        return nextCounter(slots, current, floor) === (next > slots.maximum ? undefined : next);
      },
    ),
    { numRuns: 3000 },
  );
  t.end();
});

t.test("there is room for as many numbers as there are slots", (t) => {
  holds(
    t,
    fc.property(fc.nat(100), fc.integer({ min: 1, max: 9 }), fc.nat(100), (next, step, more) => {
      let slots = 0;
      for (let counter = next; counter <= next + more; counter += step) slots++;
      return roomFrom({ start: 0, step, maximum: next + more }, next) === slots;
    }),
  );
  t.end();
});

t.test("nothing overflows at the end of the safe integers", (t) => {
  const slots = { start: 1, step: LAST, maximum: LAST };
  t.equal(nextCounter(slots, undefined, NO_FLOOR), 1);
  t.equal(roomFrom(slots, 1), 1);
  t.equal(nextCounter(slots, 1, NO_FLOOR), undefined);
  t.equal(nextCounter({ ...slots, start: 0 }, 0, NO_FLOOR), LAST);
  t.equal(nextCounter({ start: 1, step: 1, maximum: LAST }, LAST - 1, NO_FLOOR), LAST);
  t.equal(nextCounter({ start: 1, step: 1, maximum: LAST }, LAST, NO_FLOOR), undefined);
  t.equal(nextCounter({ start: 1, step: 2, maximum: LAST }, undefined, LAST - 2), LAST);
  t.equal(nextCounter({ start: 1, step: 2, maximum: LAST }, undefined, LAST), undefined);
  t.equal(roomFrom({ start: 0, step: 3, maximum: LAST }, 0), (LAST - 1) / 3 + 1);
  t.end();
});

t.test("before its first number, a series stands one step before it", (t) => {
  t.equal(currentCounter({ start: 1, step: 1, maximum: LAST }, undefined, NO_FLOOR), 0);
  t.equal(currentCounter({ start: 1, step: 10, maximum: LAST }, undefined, NO_FLOOR), -9);
  t.equal(currentCounter({ start: 1, step: 10, maximum: LAST }, undefined, 25), 21);
  t.end();
});

/** One series and every run that it sealed, as a state keeps them. */
class Run {
  readonly slots = { start: 1, step: 1, maximum: 10_000 };
  readonly series: Series = newSeries("P", "", "");
  sealed: Segment[] = [];
  #exists = false;

  draw(count: number): number[] {
    const first = nextCounter(this.slots, this.#exists ? this.series.current : undefined, NO_FLOOR);
    if (first === undefined) return [];
    const { step } = this.slots;
    const range = { first, last: first + (count - 1) * step };
    enterRange(this.series, { range, count, step, time: 0 }, (segment) => this.sealed.push(segment));
    this.#exists = true;
    return Array.from({ length: count }, (_, place) => first + place * step);
  }

  /** Whether it was done. */
  reset(newValue: number, force: boolean) {
    const plan = planReset(this.slots, this.#exists ? this.series : undefined, NO_FLOOR, { newValue, force });
    if ("kind" in plan) return plan;
    enterReset(this.series, newValue, plan.newEpoch, (segment) => this.sealed.push(segment));
    if (plan.newEpoch) this.sealed = [];
    this.#exists = true;
    return plan;
  }
}

t.test("a reset forward skips what lies between, and says so", (t) => {
  const run = new Run();
  run.draw(3);
  t.same(run.reset(10, false), { oldValue: 3, newEpoch: false, skipped: { first: 4, last: 10 } });
  t.same(run.draw(1), [11]);
  t.equal(slotState(run.series, run.sealed, 3), "issued");
  t.equal(slotState(run.series, run.sealed, 10), "skipped");
  t.equal(slotState(run.series, run.sealed, 11), "issued");
  t.equal(slotState(run.series, run.sealed, 12), "unreached");
  t.end();
});

t.test("a reset to where the series stands skips nothing and breaks no run", (t) => {
  const run = new Run();
  run.draw(3);
  t.same(run.reset(3, false), { oldValue: 3, newEpoch: false, skipped: undefined });
  t.same(run.draw(1), [4]);
  t.same(run.sealed, []);
  t.end();
});

t.test("a reset that was too far forward can be taken back as long as nothing was drawn after it", (t) => {
  const run = new Run();
  run.draw(3);
  run.reset(1000, false);
  t.match(run.reset(5, false), { oldValue: 1000, newEpoch: false, skipped: { first: 4, last: 5 } });
  t.same(run.draw(1), [6]);
  t.match(run.reset(5, false), { code: "CONFLICT", field: "newValue" });
  t.end();
});

t.test("a reset below what was drawn needs force, and then begins an epoch", (t) => {
  const run = new Run();
  run.draw(10);
  t.match(run.reset(9, false), { code: "CONFLICT" });
  t.match(run.reset(4, true), { oldValue: 10, newEpoch: true, skipped: undefined });
  t.equal(run.series.epoch, 1);
  t.same(run.draw(2), [5, 6]);
  t.match(run.reset(3, false), { code: "CONFLICT" });
  t.end();
});

t.test("force where none is needed begins no epoch", (t) => {
  const run = new Run();
  run.draw(2);
  t.match(run.reset(2, true), { newEpoch: false });
  t.equal(run.series.epoch, 0);
  t.end();
});

t.test("another step goes on from the last number and begins a run", (t) => {
  const run = new Run();
  run.draw(2);
  run.slots.step = 10;
  t.same(run.draw(2), [12, 22]);
  t.same(run.sealed, [{ first: 1, last: 2, step: 1 }]);
  t.same(run.series.segment, { first: 12, last: 22, step: 10 });
  t.end();
});

t.test("a series that took up a floor guards it", (t) => {
  const series = newSeries("P", "", "");
  takeUpFloor(series, 100, 1);
  t.match(planReset({ start: 1, step: 1, maximum: LAST }, series, NO_FLOOR, { newValue: 50, force: false }), {
    code: "CONFLICT",
  });
  t.end();
});

t.test("every slot of an epoch is in one state: issued, skipped or not yet reached", (t) => {
  const operation = fc.oneof(
    fc.record({ draw: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ to: fc.nat(60), force: fc.boolean() }),
    fc.record({ step: fc.integer({ min: 1, max: 4 }) }),
  );
  holds(
    t,
    fc.property(fc.array(operation, { maxLength: 30 }), (operations) => {
      const run = new Run();
      let issued = new Set<number>();
      for (const one of operations) {
        if ("step" in one) run.slots.step = one.step;
        else if ("to" in one) {
          const plan = run.reset(one.to, one.force);
          if (!("kind" in plan) && plan.newEpoch) issued = new Set();
        } else {
          for (const counter of run.draw(one.draw)) {
            if (issued.has(counter)) throw new Error(`${counter} was issued twice in an epoch`);
            issued.add(counter);
          }
        }
        for (let counter = 1; counter <= 300; counter++) {
          const expected = issued.has(counter) ? "issued" : counter <= run.series.current ? "skipped" : "unreached";
          if (slotState(run.series, run.sealed, counter) !== expected) throw new Error(`${counter} is not ${expected}`);
        }
      }
    }),
    { numRuns: 500 },
  );
  t.end();
});
