import fc from "fast-check";
import t from "tap";
import type { UnknownDraw } from "../../bench/history/collapse.js";
import type { DrawAttempt, Operation } from "../../bench/history/history.js";
import { fillHoles, type Hole } from "../../bench/history/holes.js";
import { judge } from "../../bench/history/judge.js";
import { isLinearizableByBruteForce } from "./history/brute-force.js";
import { HISTORY, STEPPED_HISTORY } from "./history/random-history.js";

t.test("the judge and a search through all orders agree on small histories", async (t) => {
  for (const [histories, numRuns] of [
    [HISTORY, 20_000],
    [STEPPED_HISTORY, 5000],
  ] as const) {
    const seen = { linearizable: 0, broken: 0 };
    fc.assert(
      fc.property(histories, (history) => {
        const verdict = judge(history);
        const expected = isLinearizableByBruteForce(history) ? "linearizable" : "broken";
        seen[expected]++;
        return verdict.kind === expected;
      }),
      { numRuns, seed: 3 },
    );
    const least = numRuns / 10;
    t.ok(seen.linearizable > least && seen.broken > least, `both were common: ${JSON.stringify(seen)}`);
  }
});

const draw = (id: string, first: number, times: { invoked: number; returned: number }, last = first): DrawAttempt => ({
  kind: "draw",
  id,
  count: last - first + 1,
  ...times,
  outcome: { kind: "drawn", epoch: 0, first, last },
});

const unknown = (id: string, count: number, invoked: number): DrawAttempt => ({
  kind: "draw",
  id,
  count,
  invoked,
  returned: Number.POSITIVE_INFINITY,
  outcome: { kind: "unknown" },
});

const ruleOf = (operations: readonly Operation[], step = 1) => {
  const verdict = judge({ start: 1, step, operations });
  return verdict.kind === "broken" ? verdict.rule : "linearizable";
};

t.test("each rule, told by the smallest history that breaks it", async (t) => {
  const early = { invoked: 0, returned: 1 };
  const late = { invoked: 2, returned: 3 };
  t.equal(ruleOf([draw("a", 1, early), draw("b", 1, late)]), "no number twice");
  t.equal(ruleOf([draw("a", 1, early, 3), draw("b", 3, late)]), "no number twice", "ranges that touch");
  t.equal(ruleOf([draw("a", 1, early), draw("b", 3, late)]), "no unexplained gap");
  t.equal(ruleOf([draw("a", 2, early), draw("b", 1, late)]), "real time");
  t.equal(ruleOf([draw("a", 1, early), draw("a", 2, late)]), "one key, one answer");
  t.equal(ruleOf([draw("a", 1, early), draw("a", 1, late)]), "linearizable", "a replay is no second draw");
});

t.test("a hole is filled by an unknown draw of its size that was invoked in time, and by nothing else", async (t) => {
  const around = [draw("a", 1, { invoked: 0, returned: 1 }), draw("b", 3, { invoked: 2, returned: 5 })];
  t.equal(ruleOf([...around, unknown("u", 1, 4)]), "linearizable");
  t.equal(ruleOf([...around, unknown("u", 2, 4)]), "no unexplained gap", "too large");
  t.equal(ruleOf([...around, unknown("u", 1, 6)]), "no unexplained gap", "invoked too late");
  const refused: DrawAttempt = { ...unknown("u", 1, 4), outcome: { kind: "notExecuted" } };
  t.equal(ruleOf([...around, refused]), "no unexplained gap", "a definite refusal fills nothing");
  const wide = [draw("a", 1, { invoked: 0, returned: 1 }), draw("b", 6, { invoked: 2, returned: 5 })];
  t.equal(ruleOf([...wide, unknown("u", 3, 0), unknown("v", 1, 0)]), "linearizable", "two together");
  t.equal(ruleOf([...wide, unknown("u", 3, 0), unknown("v", 2, 0)]), "no unexplained gap");
});

t.test("where the step changes, a hole may be filled under any step that may have been in force", async (t) => {
  const stepped = (id: string, first: number, last: number, step: number, invoked: number): DrawAttempt => ({
    kind: "draw",
    id,
    count: (last - first) / step + 1,
    invoked,
    returned: invoked + 1,
    outcome: { kind: "drawn", epoch: 0, first, last, step },
  });
  const rule = (operations: readonly Operation[]) => {
    const verdict = judge({ start: 2, step: 1, otherSteps: [3, 5], operations });
    return verdict.kind === "broken" ? verdict.rule : "linearizable";
  };
  const known = [stepped("a", 2, 2, 1, 0), stepped("b", 5, 11, 3, 2)];
  t.equal(rule(known), "linearizable", "steps follow each other");
  t.equal(rule([...known, stepped("c", 17, 17, 5, 6)]), "no unexplained gap", "11 and 5 are 16");
  t.equal(rule([...known, stepped("c", 17, 17, 5, 6), unknown("u", 1, 3)]), "linearizable", "12, then 17");
  t.equal(rule([...known, stepped("c", 18, 18, 5, 6), unknown("u", 1, 3)]), "no unexplained gap", "no step is 2");
  t.equal(rule([...known, stepped("c", 19, 19, 5, 6), unknown("u", 1, 3)]), "linearizable", "14, then 19");
  t.equal(rule([...known, stepped("c", 13, 13, 3, 6)]), "no number twice", "13 begins behind 10, where 11 was drawn");
});

t.test("a linearizable read stands between the draws; a stale one has no place", async (t) => {
  const read = (current: number, invoked: number, returned: number): Operation => ({
    kind: "read",
    id: "r",
    invoked,
    returned,
    epoch: 0,
    current,
  });
  const draws = [draw("a", 1, { invoked: 0, returned: 1 }), draw("b", 2, { invoked: 2, returned: 3 })];
  t.equal(ruleOf([...draws, read(2, 4, 5)]), "linearizable");
  t.equal(ruleOf([...draws, read(1, 2, 5)]), "linearizable", "it overlaps the second draw");
  t.equal(ruleOf([...draws, read(1, 4, 5)]), "real time", "it began after the second draw had returned");
  t.equal(
    ruleOf([draw("a", 1, { invoked: 0, returned: 1 }, 4), read(2, 0, 5)]),
    "no number twice",
    "a batch is one thing",
  );
});

t.test("resets part the epochs: all of one, the reset, all of the next", async (t) => {
  const inEpoch = (id: string, epoch: number, first: number, invoked: number): Operation => ({
    kind: "draw",
    id,
    count: 1,
    invoked,
    returned: invoked + 1,
    outcome: { kind: "drawn", epoch, first, last: first },
  });
  const reset = (oldValue: number, invoked: number): Operation => ({
    kind: "reset",
    id: "reset",
    newValue: 0,
    force: true,
    invoked,
    returned: invoked + 1,
    outcome: { kind: "reset", epoch: 1, oldValue },
  });
  t.equal(ruleOf([inEpoch("a", 0, 1, 0), reset(1, 2), inEpoch("b", 1, 1, 4)]), "linearizable");
  t.equal(ruleOf([inEpoch("a", 0, 1, 6), reset(1, 2), inEpoch("b", 1, 1, 4)]), "real time");
  t.equal(ruleOf([inEpoch("a", 0, 1, 0), reset(2, 2), inEpoch("b", 1, 1, 4)]), "no unexplained gap");
  t.equal(ruleOf([inEpoch("a", 0, 1, 0), inEpoch("b", 1, 1, 4)]), "resets explained");
});

t.test("local reads never go back within a session", async (t) => {
  const local = (id: string, appliedIndex: number, current: number, invoked: number): Operation => ({
    kind: "localRead",
    id,
    session: "c1 at n1",
    appliedIndex,
    epoch: 0,
    current,
    invoked,
    returned: invoked + 1,
  });
  t.equal(ruleOf([local("a", 5, 0, 0), local("b", 6, 0, 2)]), "linearizable");
  t.equal(ruleOf([local("a", 5, 0, 0), local("b", 4, 0, 2)]), "local reads monotonic");
  t.equal(ruleOf([local("a", 5, 2, 0), local("b", 6, 1, 2)]), "local reads monotonic");
});

t.test("fifty thousand draws are judged in well under a second's work", async (t) => {
  const operations: Operation[] = [];
  for (let place = 0; place < 50_000; place++) {
    const times = { invoked: 3 * place, returned: 3 * place + 5 };
    operations.push(place % 50 === 7 ? unknown(`d${place}`, 1, 3 * place) : draw(`d${place}`, place + 1, times));
  }
  t.equal(ruleOf(operations), "linearizable");
});

t.test("long draws are kept for the holes that nothing else fits into, though others ask first (seed 200523)", (t) => {
  const draws: UnknownDraw[] = [];
  const invoke = (invoked: number, sizes: Readonly<Record<number, number>>): void => {
    for (const [size, times] of Object.entries(sizes)) {
      for (let time = 0; time < times; time++) draws.push({ id: `u${draws.length}`, count: Number(size), invoked });
    }
  };
  invoke(1, { 1: 17, 2: 1, 3: 1, 4: 1, 6: 1, 234: 1 });
  invoke(3, { 1: 2 });
  invoke(5, { 1: 157, 2: 2, 3: 1, 4: 4, 5: 6, 6: 3, 7: 2, 8: 1, 9: 1, 234: 3, 333: 2, 1132: 3, 2632: 1, 3341: 1 });
  const holes: Hole[] = [];
  const need = (deadline: number, ...lengths: readonly number[]): void => {
    for (const to of lengths) holes.push({ epoch: 0, isAtLeast: false, from: 0, to, deadline });
  };
  need(2, 1, 1, 1, 263);
  need(4, 1, 1);
  need(6, 3836, 4, 2, 1, 234, 1, 1, 2, 1, 3, 333, 1, 1, 2);
  need(7, 3341, 1, 1);
  t.equal(fillHoles(holes, [1], { draws, jumps: [] }), "filled");
  t.end();
});

t.test("hundreds of short draws are not tried for what only long ones can make up (seed 40019533)", (t) => {
  const draws: UnknownDraw[] = [];
  const sizes: Readonly<Record<number, number>> = {
    ...{ 1: 340, 2: 6, 3: 11, 4: 3, 5: 4, 6: 3, 7: 7, 8: 3, 9: 5 },
    ...{ 1694: 1, 2078: 1, 2256: 1, 3609: 2, 4513: 3, 4619: 4, 4730: 2 },
  };
  for (const [size, times] of Object.entries(sizes)) {
    for (let time = 0; time < times; time++) draws.push({ id: `u${draws.length}`, count: Number(size), invoked: 1 });
  }
  const lengths = [1, 10, 1, 4, 1, 5, 1, 9, 1, 2, 2, 4636, 8185, 17, 2, 15, 1, 1, 2, 9, 4620, 7, 1, 4734, 1, 1, 7];
  const holes: Hole[] = lengths.map((length, place) => {
    return { epoch: 0, isAtLeast: false, from: 10_000 * place, to: 10_000 * place + length, deadline: 10 + place };
  });
  t.equal(fillHoles(holes, [1], { draws, jumps: [] }), "filled");
  const tooLong: Hole = { epoch: 0, isAtLeast: false, from: 900_000, to: 950_000, deadline: 1 };
  t.not(fillHoles([...holes, tooLong], [1], { draws, jumps: [] }), "filled");
  t.end();
});
