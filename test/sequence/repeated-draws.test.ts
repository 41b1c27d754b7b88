import fc from "fast-check";
import t from "tap";
import type { Draw } from "../../src/sequence/command.js";
import { holds } from "./holds.js";
import { batch, DAY_MS, draw, fullNumbers, NOBODY, NOWHERE, seed, World } from "./world.js";

const HOUR_MS = 3_600_000;

t.test("the same key and request give the same answer, and draw nothing", (t) => {
  const world = new World();
  const first = world.drawn(draw("SG", { idempotencyKey: "order 1" }));
  world.time += HOUR_MS;
  const again = world.drawn(draw("SG", { idempotencyKey: "order 1" }));
  t.same(again, { ...first, replayed: true, created: false });
  t.equal(world.number("SG"), "SG000002");
  t.end();
});

t.test("a repeat is the same to the byte, whatever became of the definition", (t) => {
  const world = new World();
  world.apply(seed({ retentionMs: 366 * DAY_MS }));
  world.configured("INV", { template: "%s%d-%04d", resetRule: "yearly" });
  const request = batch("INV", 3, { idempotencyKey: "k" });
  const first = world.drawn(request);
  world.configured("INV", { template: "X{YY}-{SEQ}", step: 7, isActive: false });
  world.time = Date.UTC(2027, 5, 1);
  world.configured("INV", { timeZone: "Pacific/Kiritimati", zoneTransitions: [{ from: 0, offsetSeconds: 50_400 }] });
  const again = world.drawn(request);
  t.same(again, { ...first, replayed: true });
  t.same(fullNumbers(again), fullNumbers(first));
  t.end();
});

t.test("the same key with another request is refused; who asks and on whose behalf is no part of a request", (t) => {
  const world = new World();
  const key = { idempotencyKey: "k" };
  world.number("SG", key);
  t.match(world.apply(draw("SG", { ...key, provenance: { ...NOBODY, clientId: "c", requestId: "r" } })), {
    replayed: true,
  });
  t.match(
    world.apply(draw("SG", { ...key, contiguous: true })),
    { replayed: true },
    "one number is contiguous either way",
  );
  const others: Partial<Draw>[] = [
    { documentDate: "2026-11-20" },
    { documentRef: "d" },
    { scope: { ...NOWHERE, site: "HQ" } },
    { scope: { ...NOWHERE, partition: "HQ" } },
    { scope: { ...NOWHERE, documentType: "HQ" } },
  ];
  for (const other of others) {
    t.match(world.refused(draw("SG", { ...key, ...other })), { code: "IDEMPOTENCY_MISMATCH", field: "idempotencyKey" });
  }
  world.drawn(batch("SG", 3, key));
  t.match(world.refused(batch("SG", 4, key)), { code: "IDEMPOTENCY_MISMATCH" });
  t.match(world.refused(batch("SG", 3, { ...key, contiguous: false })), { code: "IDEMPOTENCY_MISMATCH" });
  t.end();
});

t.test("a key belongs to a caller, an operation and a prefix", (t) => {
  const world = new World();
  const key = { idempotencyKey: "k" };
  t.equal(world.number("A", key), "A000001");
  t.equal(world.number("B", key), "B000001");
  t.equal(world.number("A", { ...key, provenance: { ...NOBODY, principal: "bob" } }), "A000002");
  t.match(world.drawn(batch("A", 1, key)), { replayed: false, ranges: [{ first: 3, last: 3 }] });
  t.match(world.drawn(draw("A", key)), { replayed: true });
  t.end();
});

t.test("keys may hold anything, and none is taken for another", (t) => {
  const keys = [
    "a",
    "a/b",
    "a%2fb",
    "a b",
    "ä",
    "%",
    "#",
    "a".repeat(255),
    `${"a".repeat(254)}b`,
    "😀",
    "m1/k",
    "\u0000",
  ];
  const world = new World();
  for (const [place, idempotencyKey] of keys.entries()) {
    t.match(world.drawn(draw("A", { idempotencyKey })), { replayed: false, ranges: [{ first: place + 1 }] });
  }
  for (const [place, idempotencyKey] of keys.entries()) {
    t.match(world.drawn(draw("A", { idempotencyKey })), { replayed: true, ranges: [{ first: place + 1 }] });
  }
  t.end();
});

t.test("a key counts as absent from the end of its retention on, whether its row is still there or not", async (t) => {
  const world = new World();
  world.apply(seed({ retentionMs: 1000 }));
  const key = { idempotencyKey: "k" };
  world.number("A", key);
  world.time += 999;
  t.match(world.drawn(draw("A", key)), { replayed: true });
  world.time += 1;
  t.match(world.drawn(draw("A", key)), { replayed: false, ranges: [{ first: 2 }] });
  world.time += 2000;
  world.number("B");
  t.same(await world.machine.sweep(10), { examined: 1, deleted: 1, wrapped: true });
  t.match(world.drawn(draw("A", key)), { replayed: false, ranges: [{ first: 3 }] });
});

t.test("a refusal is not remembered: the same key may try again", (t) => {
  const world = new World();
  world.configured("A", { isActive: false });
  t.match(world.refused(draw("A", { idempotencyKey: "k" })), { code: "CONFLICT" });
  world.configured("A", { isActive: true });
  t.match(world.drawn(draw("A", { idempotencyKey: "k" })), { replayed: false });
  t.end();
});

t.test("at the cap new keys are refused, repeats still answer, and a whole hour makes room at once", (t) => {
  const world = new World();
  world.apply(seed({ keysMax: 2, retentionMs: HOUR_MS }));
  world.number("A", { idempotencyKey: "1" });
  world.number("A", { idempotencyKey: "2" });
  t.match(world.refused(draw("A", { idempotencyKey: "3" })), { code: "NOT_EXECUTED", field: "idempotencyKey" });
  t.match(world.refused(draw("NEW", { idempotencyKey: "3" })), { code: "NOT_EXECUTED" });
  t.match(world.drawn(draw("A", { idempotencyKey: "1" })), { replayed: true });
  t.equal(world.number("A"), "A000003", "without a key nothing is in the way");
  t.match(world.drawn(draw("NEW")), { created: true }, "the refusal created nothing");
  world.time += HOUR_MS;
  t.match(
    world.refused(draw("A", { idempotencyKey: "3" })),
    { code: "NOT_EXECUTED" },
    "both expired, but within this hour",
  );
  world.time += HOUR_MS;
  t.match(world.drawn(draw("A", { idempotencyKey: "3" })), { replayed: false });
  t.end();
});

t.test("a document has one number for ever, whoever asks and however", (t) => {
  const world = new World();
  const first = world.drawn(draw("INV", { documentRef: "SO-1" }));
  world.time += 1000 * DAY_MS;
  t.same(world.drawn(draw("INV", { documentRef: "SO-1" })), { ...first, replayed: true, created: false });
  const other = { ...NOBODY, principal: "bob" };
  t.match(world.drawn(batch("INV", 1, { documentRef: "SO-1", provenance: other })), {
    replayed: true,
    messageId: "1-0",
  });
  t.equal(world.number("PO", { documentRef: "SO-1" }), "PO000001");
  t.match(world.refused(batch("INV", 2, { documentRef: "SO-1" })), {
    code: "IDEMPOTENCY_MISMATCH",
    field: "documentRef",
  });
  t.match(world.refused(draw("INV", { documentRef: "SO-1", documentDate: "2026-01-01" })), { field: "documentRef" });
  t.match(world.refused(draw("INV", { documentRef: "SO-1", scope: { ...NOWHERE, site: "HQ" } })), {
    field: "documentRef",
  });
  t.end();
});

t.test("a key used for a document that has its number belongs to that request", (t) => {
  const world = new World();
  world.number("INV", { documentRef: "SO-1" });
  t.match(world.drawn(draw("INV", { documentRef: "SO-1", idempotencyKey: "k" })), { replayed: true });
  t.match(world.refused(draw("INV", { documentRef: "SO-2", idempotencyKey: "k" })), { code: "IDEMPOTENCY_MISMATCH" });
  t.match(world.drawn(draw("INV", { documentRef: "SO-1", idempotencyKey: "k" })), { replayed: true });
  t.end();
});

t.test("where the keys are full, a document still gets its own number again", (t) => {
  const world = new World();
  world.apply(seed({ keysMax: 1 }));
  world.number("INV", { documentRef: "SO-1", idempotencyKey: "a" });
  t.match(world.drawn(draw("INV", { documentRef: "SO-1", idempotencyKey: "b" })), { replayed: true });
  t.match(world.refused(draw("INV", { documentRef: "SO-2", idempotencyKey: "b" })), { code: "NOT_EXECUTED" });
  t.end();
});

t.test("whatever is repeated in whatever order, a key has one answer within its retention", (t) => {
  const request = fc.record({
    idempotencyKey: fc.constantFrom("", "a", "b", "c"),
    documentRef: fc.constantFrom("", "", "d"),
    count: fc.integer({ min: 1, max: 3 }),
    batch: fc.boolean(),
    wait: fc.constantFrom(0, 1, 30, 50),
    prefix: fc.constantFrom("P", "Q"),
  });
  holds(
    t,
    fc.property(fc.array(request, { maxLength: 60, size: "max" }), (requests) => {
      const world = new World();
      const retentionMs = 100;
      world.apply(seed({ retentionMs }));
      const answers = new Map<string, { readonly answer: string; readonly request: string; readonly until: number }>();
      for (const { wait, prefix, ...asked } of requests) {
        world.time += wait;
        const command = draw(prefix, { ...asked, count: asked.batch ? asked.count : 1 });
        const result = world.apply(command);
        const name = JSON.stringify([prefix, asked.batch, asked.idempotencyKey]);
        const known = answers.get(name);
        const same = JSON.stringify([command.count, command.documentRef]);
        if (asked.idempotencyKey === "") continue;
        if (known !== undefined && world.time < known.until) {
          if (known.request !== same) {
            if (result.kind !== "refused" || result.code !== "IDEMPOTENCY_MISMATCH")
              throw new Error("a mismatch passed");
          } else if (result.kind !== "drawn" || fullNumbers(result).join() !== known.answer || !result.replayed) {
            throw new Error("another answer");
          }
        } else if (result.kind === "drawn") {
          answers.set(name, { answer: fullNumbers(result).join(), request: same, until: world.time + retentionMs });
        }
      }
    }),
    { numRuns: 500 },
  );
  t.end();
});
