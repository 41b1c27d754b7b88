import { deepStrictEqual as deepEqual } from "node:assert/strict";
import fc from "fast-check";
import t from "tap";
import { slotKey } from "../../src/sequence/machine/keys.js";
import { Table } from "../../src/sequence/machine/table.js";
import { newSeries } from "../../src/sequence/series.js";
import { arbitraryEntry } from "./arbitrary-entries.js";
import { holds } from "./holds.js";
import { batch, DAY_MS, draw, NOWHERE, seed, World } from "./world.js";

const entry = fc.tuple(arbitraryEntry, fc.constantFrom("nothing", "nothing", "flush", "restart", "sweep"));

const rowsWithoutKeys = async (world: World) =>
  (await world.rows()).filter(({ key: name }) => !name.startsWith("m1/k/"));

t.test("two machines that apply the same entries agree, whenever they flush, restart and sweep", async (t) => {
  let restarts = 0;
  const property = fc.asyncProperty(fc.array(entry, { maxLength: 25, size: "max" }), async (entries) => {
    const steady = new World();
    const shaken = new World();
    for (const [{ commands, waitMs }, after] of entries) {
      steady.time += waitMs;
      shaken.time += waitMs;
      const one = steady.entry(commands);
      const other = shaken.entry(commands);
      deepEqual(other, one);
      if (after === "flush") shaken.machine.flush();
      if (after === "sweep") await shaken.machine.sweep(2);
      if (after !== "restart") continue;
      restarts++;
      await shaken.restart();
    }
    deepEqual(await rowsWithoutKeys(shaken), await rowsWithoutKeys(steady));
  });
  await fc.assert(property, { numRuns: 100 });
  t.ok(restarts > 50, "there were restarts");
});

t.test("a busy series is one record per flush, and one index row per entry", async (t) => {
  const world = new World();
  const draws = Array.from({ length: 50 }, () => draw("SG"));
  world.entry(draws);
  world.entry(draws);
  const keys = (await world.rows()).map(({ key: name }) => name);
  const series = newSeries("SG", "", "");
  t.same(keys, [
    "m1/a/SG/0000000000000001",
    "m1/a/SG/0000000000000002",
    "m1/d/SG",
    slotKey(series, 1),
    slotKey(series, 51),
    "m1/s/SG//",
    "m1/t/SG",
  ]);
});

t.test("keys of the state are printable ASCII and bounded, whatever callers send", async (t) => {
  const world = new World();
  world.configured("S", { template: "{SITE}-{SEQ}", scope: "site" });
  const wild = ["ü/😀", "x".repeat(200), " ", "%", "#"];
  for (const site of wild) {
    world.drawn(draw("S", { scope: { ...NOWHERE, site }, idempotencyKey: site, documentRef: site }));
  }
  const rows = await world.rows();
  t.ok(rows.every(({ key: name }) => /^m1\/[!-~]*$/.test(name) && name.length < 400));
  t.equal(rows.filter(({ key: name }) => name.startsWith("m1/s/")).length, wild.length);
});

t.test("finished runs of a series are kept apart", async (t) => {
  const world = new World();
  world.drawn(batch("P", 5));
  world.reset("P", 10);
  world.drawn(batch("P", 5));
  world.reset("P", 2, { force: true });
  world.drawn(draw("P"));
  const keys = (await world.rows()).map(({ key: name }) => name).filter((name) => name.startsWith("m1/g/"));
  t.same(keys, ["m1/g/P///0000000000000000/0000000000000000", "m1/g/P///0000000000000000/0000000000000001"]);
});

t.test("a sweep deletes what has expired, some rows at a time, and starts again at the end", async (t) => {
  const world = new World();
  world.apply(seed({ retentionMs: 1000 }));
  for (const name of ["a", "b", "c", "d", "e"]) world.number("P", { idempotencyKey: name });
  world.time += 1000;
  for (const name of ["c", "f"]) world.number("P", { idempotencyKey: name });
  t.same(await world.machine.sweep(4), { examined: 4, deleted: 3, wrapped: false });
  t.same(await world.machine.sweep(4), { examined: 2, deleted: 1, wrapped: true });
  t.same(await world.machine.sweep(4), { examined: 2, deleted: 0, wrapped: true });
  t.equal((await world.scan("m1/k/", "m1/k0")).length, 2);
});

t.test("a row that is replaced while the sweep reads stays", async (t) => {
  const world = new World();
  world.apply(seed({ retentionMs: 1000 }));
  world.number("P", { idempotencyKey: "a" });
  world.time += 1000;
  world.number("P");
  const sweep = world.machine.sweep(10);
  const replaced = world.drawn(draw("P", { idempotencyKey: "a" }));
  t.same(await sweep, { examined: 1, deleted: 0, wrapped: true });
  t.match(world.drawn(draw("P", { idempotencyKey: "a" })), { replayed: true, messageId: replaced.messageId });
});

t.test("entry time that goes back is a broken invariant", (t) => {
  const world = new World();
  world.number("P");
  world.time -= 1;
  t.throws(() => world.number("P"), /never goes back/);
  t.end();
});

interface Row {
  value: number;
}

t.test("a table keeps what was not flushed, however many rows pass through it", (t) => {
  holds(
    t,
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.array(fc.tuple(fc.constantFrom("get", "put", "flush"), fc.nat(9)), { maxLength: 100, size: "max" }),
      (capacity, operations) => {
        const stored = new Map<string, number>();
        const model = new Map<string, number>();
        const table = new Table<Row>({
          capacity,
          load: (name) => (stored.has(name) ? { value: stored.get(name) ?? 0 } : undefined),
          store: (name, row) => stored.set(name, row.value),
        });
        for (const [operation, at] of operations) {
          const name = String(at);
          const row = table.get(name);
          if (row?.value !== model.get(name)) throw new Error(`row ${name} is ${row?.value}, not ${model.get(name)}`);
          if (operation === "flush") table.flush();
          if (operation !== "put") continue;
          const changed = row ?? { value: 0 };
          changed.value++;
          table.put(name, changed);
          model.set(name, changed.value);
        }
        table.flush();
        return JSON.stringify([...stored].sort()) === JSON.stringify([...model].sort());
      },
    ),
    { numRuns: 500 },
  );
  t.end();
});

t.test("an hour that a refusal saw pass is remembered over a restart", async (t) => {
  const steady = new World();
  const shaken = new World();
  for (const world of [steady, shaken]) {
    world.apply(seed({ keysMax: 1, retentionMs: DAY_MS }));
    world.number("P", { idempotencyKey: "a" });
    world.time += DAY_MS / 2;
    world.refused(draw("P", { idempotencyKey: "b" }));
  }
  await shaken.restart();
  t.same(await shaken.rows(), await steady.rows());
});

t.test("a cluster whose clock is centuries off draws nothing", (t) => {
  const world = new World();
  world.time = Date.UTC(9999, 0, 1);
  t.match(world.refused(draw("P")), { code: "NOT_EXECUTED", detail: /year 9999/ });
  t.end();
});
