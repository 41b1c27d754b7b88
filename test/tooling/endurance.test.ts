import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { seeded } from "../../bench/chaos/faults.js";
import type { Draw } from "../../bench/endurance/callers.js";
import { faultsOf } from "../../bench/endurance/callers.js";
import { drawDamage, inflictDamage } from "../../bench/endurance/damage.js";
import { parseEnduranceOptions } from "../../bench/endurance/options.js";
import { Answers, median, type Stretch, stalledMs } from "../../bench/endurance/pauses.js";
import { figuresOf, transfer } from "../../bench/endurance/transfer.js";
import { UsageError } from "../../bench/options.js";
import { FolioError } from "../../src/client/error.js";

function drawn(caller: number, invoked: number, returned: number, counter: number): Draw {
  return { caller, invoked, returned, counter, entry: counter, failure: undefined };
}

t.test("a pause is the longest gap between two answers of one caller that touches the stretch", (t) => {
  const answers = new Answers([
    drawn(1, 0, 10, 1),
    drawn(2, 0, 20, 2),
    drawn(1, 10, 30, 3),
    drawn(1, 30, 130, 4),
    drawn(2, 20, 140, 5),
    drawn(3, 500, 510, 6),
  ]);
  t.equal(answers.longestPauseMs({ from: 35, to: 100 }), 120, "the second caller's, from 20 to 140");
  t.equal(answers.longestPauseMs({ from: 0, to: 25 }), 120, "a gap that begins in the stretch counts whole");
  t.equal(answers.longestPauseMs({ from: 400, to: 600 }), 470, "whoever got nothing any more waits still");
  t.equal(answers.typicalGapMs({ from: 0, to: 130 }), 60, "between 20 and 100");
  t.equal(answers.perSecond({ from: 0, to: 100 }), 30);
  t.equal(median([3, 1, 2]), 2);
  t.ok(Number.isNaN(median([])), "nothing measured fulfils no target");
  t.end();
});

t.test("a caller who joins late was not waiting before", (t) => {
  const answers = new Answers([drawn(1, 0, 50, 1), drawn(1, 50, 100, 2), drawn(2, 90, 100, 3)]);
  t.equal(answers.longestPauseMs({ from: 0, to: 100 }), 50);
  t.end();
});

t.test("what the machine stood still is no part of a pause, and the rest of it is", (t) => {
  const answers = new Answers([drawn(1, 0, 100, 1), drawn(2, 0, 60, 2), drawn(2, 60, 100, 3)]);
  const stalls = [
    { from: -50, to: 30 },
    { from: 40, to: 50 },
    { from: 99, to: 300 },
  ];
  t.equal(stalledMs({ from: 0, to: 100 }, stalls), 41);
  t.equal(answers.longestPauseMs({ from: 0, to: 100 }, stalls), 59);
  t.equal(answers.longestPauseMs({ from: 0, to: 100 }, [{ from: 0, to: 58 }]), 42, "then another pause is the longest");
  t.end();
});

t.test("hand-overs are judged by the longest pause of all, less what the machine stood still", (t) => {
  const handOvers = Array.from({ length: 30 }, (_, place) => {
    const from = place * 2000;
    return { quiet: { from, to: from + 1000 }, during: { from: from + 1000, to: from + 2000 }, callMs: 20 };
  });
  /** A caller that gets an answer every 10 ms, but for the time from 1010 to the given moment. */
  const drawsUntil = (resumed: number) => {
    const times = Array.from({ length: 6000 }, (_, place) => 10 * (place + 1));
    const answered = times.filter((time) => time <= 1010 || time >= resumed);
    return answered.map((time, place) => drawn(1, time - 10, time, place + 1));
  };
  const misses = (resumed: number, stalls: readonly Stretch[] = []) =>
    figuresOf({ handOvers, draws: drawsUntil(resumed), stalls, clients: 1 }).misses;
  t.same(misses(1100), []);
  t.same(misses(1500), ["the longest pause is 480.0 ms, and should be 100 ms at most"], "29 short ones excuse nothing");
  t.same(misses(1500, [{ from: 1050, to: 1450 }]), []);
  t.same(misses(1500, [{ from: 1050, to: 1090 }]), ["the longest pause is 440.0 ms, and should be 100 ms at most"]);
  const [table] = figuresOf({
    handOvers,
    draws: drawsUntil(1500),
    stalls: [{ from: 1050, to: 1450 }],
    clients: 1,
  }).tables;
  t.match(table?.title, /the machine stood still in 1 of them/);
  t.match(table?.rows, [
    [/^pause/, "0.0", "80.0"],
    [/as it is/, "10.0", "490.0"],
  ]);
  t.end();
});

t.test("a failed call is a fault, and so is a number that came twice", (t) => {
  t.same(faultsOf([drawn(1, 0, 10, 1), drawn(1, 10, 20, 2)], 1), []);
  t.match(faultsOf([drawn(1, 0, 10, 1), drawn(2, 0, 10, 1)], 1), [/^no number twice/]);
  t.match(faultsOf([drawn(1, 0, 10, 2)], 1), [/^no unexplained gap/]);
  const failure = new FolioError("NOT_EXECUTED", "no leader");
  const failed: Draw = { caller: 1, invoked: 0, returned: 5, counter: undefined, entry: undefined, failure };
  t.same(faultsOf([failed, drawn(1, 5, 10, 1)], 1), ["1 calls failed, the first with NOT_EXECUTED: no leader"]);
  t.end();
});

t.test("damages come from a seed and do what they say", (t) => {
  const log = { CURRENT: "MANIFEST-1", LOG: "notes", "1.ldb": "x".repeat(2000) };
  const folder = t.testdir({ "seat.json": "no store's", log, state: { "2.log": "y" } });
  const some = (seed: number) => {
    const random = seeded(seed);
    return Array.from({ length: 50 }, () => drawDamage(folder, random));
  };
  t.same(some(3), some(3));
  t.notSame(some(3), some(4));
  t.same(new Set(some(3).map(({ file }) => file.split("/")[0])), new Set(["log", "state"]));
  const file = join("log", "1.ldb");
  const read = () => readFileSync(join(folder, file));
  inflictDamage(folder, { harm: "flip", file, at: 5, bit: 0 });
  t.equal(read().indexOf("y"), 5, "x and y differ in one bit");
  inflictDamage(folder, { harm: "blank", file, at: 1000, bit: 0 });
  t.same([read()[999], read()[1000], read()[1511], read()[1512]], [120, 0, 0, 120]);
  inflictDamage(folder, { harm: "truncate", file, at: 7, bit: 0 });
  t.equal(read().length, 7);
  inflictDamage(folder, { harm: "remove", file, at: 0, bit: 0 });
  t.throws(read, { code: "ENOENT" });
  t.end();
});

t.test("what does not make sense is refused in a sentence", (t) => {
  const parse = (...parameters: string[]) => parseEnduranceOptions(parameters, [transfer]);
  t.equal(parse("--help"), undefined);
  t.throws(() => parse(), new UsageError("name a scenario: transfer or all"));
  t.throws(() => parse("flood"), new UsageError('there is no scenario "flood": transfer'));
  t.throws(() => parse("transfer", "--rounds", "0"), /--rounds takes whole numbers/);
  t.throws(() => parse("transfer", "--minutes", "soon"), /--minutes takes a number above 0, not "soon"/);
  t.throws(() => parse("transfer", "--fire"), UsageError);
  t.match(parse("all", "--minutes", "0.5"), { scenarios: [transfer], parameters: { seconds: 30 }, portOffset: 20_000 });
  t.end();
});
