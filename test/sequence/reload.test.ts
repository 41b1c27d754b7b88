import { deepStrictEqual as deepEqual } from "node:assert/strict";
import fc from "fast-check";
import t from "tap";
import type { AuditRecord } from "../../src/sequence/query.js";
import { arbitraryEntry } from "./arbitrary-entries.js";
import { batch, DAY_MS, draw, NOWHERE, seed, World } from "./world.js";

t.test("after a snapshot was installed nothing is left of what was in memory", async (t) => {
  const world = new World();
  const other = new World();
  for (const each of [world, other]) each.configured("SG", { padding: 4 });
  world.number("SG");
  // The other one has gone on: other counters, another version, settings, keys, a document.
  other.apply(seed({ retentionMs: DAY_MS, autoCreate: false }));
  const first = other.drawn(batch("SG", 50, { idempotencyKey: "k", documentRef: "d" }));
  other.configured("SG", { padding: 8 });
  other.time += 1000;
  other.reset("SG", 100);
  await world.install(other);
  t.ok(world.machine.isSeeded);
  t.match(world.refused(draw("NEW")), { code: "NOT_FOUND" }, "the settings are the snapshot's");
  t.equal(world.number("SG"), "SG00000101");
  t.same(world.drawn(batch("SG", 50, { idempotencyKey: "k", documentRef: "d" })), {
    ...first,
    replayed: true,
    created: false,
  });
});

t.test("a machine that installed another's rows goes on as that one does", async (t) => {
  const entries = fc.array(arbitraryEntry, { maxLength: 12, size: "max" });
  const property = fc.asyncProperty(entries, entries, entries, async (behind, ahead, later) => {
    const one = new World();
    const other = new World();
    const run = (world: World, list: typeof behind) =>
      list.map(({ commands, waitMs }) => {
        world.time += waitMs;
        return world.entry(commands);
      });
    run(one, behind);
    run(other, [...behind, ...ahead]);
    // Before its caches hear of it, the one that installs may hold anything.
    await one.install(other);
    deepEqual(run(one, later), run(other, later));
    const rowsOf = async (world: World) => (await world.rows()).filter(({ key }) => !key.startsWith("m1/k/"));
    deepEqual(await rowsOf(one), await rowsOf(other));
  });
  await fc.assert(property, { numRuns: 60 });
  t.pass("in 60 histories");
});

t.test(
  "a page of the audit trail that was being read goes on over an installed snapshot, and tells nothing wrong",
  async (t) => {
    const world = new World();
    const other = new World();
    for (let block = 0; block < 60; block++) {
      const commands = Array.from({ length: 20 }, () => draw("SG"));
      if (block < 40) world.entry(commands);
      other.entry(commands);
      if (block === 50) other.configured("SG", { template: "N-{SEQ}" });
    }
    let pauses = 0;
    const queries = world.queries(async () => {
      pauses++;
      if (pauses === 3) await world.install(other);
    });
    const ask = (after: string) => queries.run({ kind: "audit", prefix: "SG", after, limit: 1000, filter: {} }, 0);
    const records: AuditRecord[] = [];
    for (let after: string | undefined = ""; after !== undefined; ) {
      const answer = await ask(after);
      if (answer.kind !== "audit") throw new Error(answer.kind);
      records.push(...answer.records);
      after = answer.next;
    }
    const drawn = records.filter(({ kind }) => kind === "drawn");
    t.same(
      drawn.map(({ ranges }) => ranges?.[0]?.first),
      Array.from({ length: 1200 }, (_, place) => place + 1),
    );
    t.equal(drawn[0]?.firstFullNumber, "SG000001");
    t.equal(drawn.at(-1)?.firstFullNumber, "N-1200");
  },
);

t.test("status, preview and definitions are those of the installed snapshot at once", async (t) => {
  const world = new World();
  const other = new World();
  for (const each of [world, other]) each.drawn(batch("SG", 5));
  other.configured("PO", { padding: 2 });
  other.drawn(batch("SG", 5));
  const status = { kind: "status", prefix: "SG", scope: NOWHERE } as const;
  const queries = world.queries(() => Promise.resolve());
  t.match(await queries.run(status, world.time), { currentCounter: 5 });
  await world.install(other);
  t.match(await queries.run(status, world.time), { currentCounter: 10, totalGenerated: 10 });
  t.match(await queries.run({ kind: "preview", prefix: "PO", scope: NOWHERE, count: 1 }, world.time), {
    fullNumbers: ["PO01"],
  });
  t.match(await queries.run({ kind: "definitions", after: "", limit: 9 }, world.time), {
    definitions: [{ prefix: "PO" }, { prefix: "SG" }],
  });
});

t.test("a sweep that was under way deletes nothing that lives in the installed snapshot", async (t) => {
  const world = new World();
  const other = new World();
  for (const each of [world, other]) {
    each.apply(seed({ retentionMs: 1000 }));
    each.number("P", { idempotencyKey: "a" });
    each.time += 1000;
    each.number("P");
  }
  // The key was used again since.
  const again = other.drawn(draw("P", { idempotencyKey: "a" }));
  const sweep = world.machine.sweep(10);
  const installed = world.install(other);
  await sweep;
  await installed;
  await world.machine.sweep(10);
  t.match(world.drawn(draw("P", { idempotencyKey: "a" })), { replayed: true, messageId: again.messageId });
});
