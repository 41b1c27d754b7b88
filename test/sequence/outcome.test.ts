import { deepStrictEqual as deepEqual } from "node:assert/strict";
import fc from "fast-check";
import t from "tap";
import { readJournal } from "../../src/machine/journal.js";
import type { CommandResult, Drawn } from "../../src/sequence/result.js";
import { arbitraryEntry } from "./arbitrary-entries.js";
import { batch, configure, DAY_MS, draw, fullNumbers, NOWHERE, reset, seed, World } from "./world.js";

/** What the journal and the machine tell today of every command of an entry. */
function outcomesOf(world: World, index: number): unknown[] {
  const entry = readJournal(world.state, index);
  if (entry === undefined) throw new Error(`entry ${index} is not in the journal`);
  const { time } = entry;
  return entry.commands.map(({ payload, record, ordinal }) =>
    world.machine.outcomeOf(payload, record, { index, ordinal, time }),
  );
}

t.test("the journal tells the very result of every command, whatever came later", async (t) => {
  const kinds = new Map<string, number>();
  const history = fc.array(fc.tuple(arbitraryEntry, fc.constantFrom("go on", "go on", "restart", "reload")), {
    minLength: 1,
    maxLength: 25,
    size: "max",
  });
  const property = fc.asyncProperty(history, async (entries) => {
    const world = new World();
    const told: CommandResult[][] = [];
    for (const [{ commands, waitMs }, after] of entries) {
      world.time += waitMs;
      told.push(world.entry(commands).results);
      if (after === "restart") await world.restart();
      else if (after === "reload") {
        world.machine.flush();
        world.machine.reload();
      }
    }
    for (const [place, results] of told.entries()) {
      deepEqual(outcomesOf(world, place + 1), results);
      for (const { kind } of results) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }
  });
  await fc.assert(property, { numRuns: 100 });
  for (const kind of ["drawn", "reset", "configured", "seeded", "refused"]) {
    t.ok((kinds.get(kind) ?? 0) > 20, `${kinds.get(kind)} × ${kind}`);
  }
});

t.test("a number is told in the form that it was given, not in that of today", async (t) => {
  const world = new World();
  world.configured("INV", { template: "%s%d-%04d", resetRule: "yearly" });
  const first = world.drawn(batch("INV", 3, { idempotencyKey: "k" }));
  world.time += 400 * DAY_MS;
  world.configured("INV", { template: "X{YYYY}{MM}-{SEQ:9}", resetRule: "monthly", step: 7 });
  world.reset("INV", 500);
  const replayed = world.apply(batch("INV", 3, { idempotencyKey: "k" }));
  await world.restart();
  const [again] = outcomesOf(world, 2);
  t.same(again, first);
  t.same(fullNumbers(again as Drawn), ["INV2026-0001", "INV2026-0002", "INV2026-0003"]);
  t.same(outcomesOf(world, 5), [replayed]);
});

t.test("every kind of refusal comes back as it was, word for word", async (t) => {
  const world = new World();
  world.apply(seed({ autoCreate: false, keysMax: 0 }));
  world.configured("S", { template: "{SITE}-{SEQ}", scope: "site", maximum: 3 });
  const site = (name: string) => ({ scope: { ...NOWHERE, site: name } });
  const refusals = [
    world.refused(draw("UNKNOWN")),
    world.refused(draw("S")),
    world.refused(batch("S", 4, site("HQ"))),
    world.refused(draw("S", { ...site("HQ"), idempotencyKey: "k" })),
    world.refused(reset("S", 9, site("HQ"))),
    world.refused(reset("S", 1, { ...site("HQ"), expectedVersion: 7 })),
    world.refused(configure("S", { template: "%s" })),
  ];
  await world.restart();
  t.same(
    refusals.map((_, place) => outcomesOf(world, place + 3)[0]),
    refusals,
  );
  t.ok(new Set(refusals.map(({ code }) => code)).size >= 5);
});
