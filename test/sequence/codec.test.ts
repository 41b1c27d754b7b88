import fc from "fast-check";
import t from "tap";
import type { Command, Provenance, ScopeValues } from "../../src/sequence/command.js";
import type { DefinitionChange } from "../../src/sequence/definition.js";
import { decodeCommand, encodeCommand, prefixOfCommand } from "../../src/sequence/machine/command-codec.js";
import { decodeResult, encodeResult } from "../../src/sequence/machine/result-codec.js";
import { holds } from "./holds.js";
import { batch, configure, draw, NOBODY, reset, seed, World } from "./world.js";

const text = fc.string({ unit: "grapheme", maxLength: 12 });
const prefix = fc.stringMatching(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,49}$/);
const number = fc.maxSafeNat();
const flag = fc.boolean();
const provenance: fc.Arbitrary<Provenance> = fc.record({
  principal: text,
  clientId: text,
  generatedBy: text,
  correlationId: text,
  requestId: text,
});
const scope: fc.Arbitrary<ScopeValues> = fc.record({ site: text, partition: text, documentType: text });
const zone = fc.record({
  timeZone: text,
  zoneTransitions: fc.array(
    fc.record({ from: fc.maxSafeInteger(), offsetSeconds: fc.integer({ min: -86_399, max: 86_399 }) }),
  ),
});
const settings: fc.Arbitrary<DefinitionChange> = fc.record(
  {
    template: text,
    padding: fc.nat(16),
    separator: text,
    start: number,
    step: number,
    maximum: number,
    resetRule: text,
    fiscalYearStart: fc.nat(12),
    scope: text,
    gapPolicy: text,
    profile: text,
    isActive: flag,
    description: text,
  },
  { requiredKeys: [] },
);
const expected = fc.option(number).map((expectedVersion) => (expectedVersion === null ? {} : { expectedVersion }));
const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({
    kind: fc.constant("draw" as const),
    provenance,
    prefix,
    count: fc.nat(4_294_967_295),
    batch: flag,
    contiguous: flag,
    scope,
    documentDate: text,
    documentRef: text,
    idempotencyKey: text,
  }),
  fc
    .tuple(
      fc.record({
        kind: fc.constant("reset" as const),
        provenance,
        prefix,
        newValue: number,
        reason: text,
        force: flag,
        scope,
        period: text,
      }),
      expected,
    )
    .map(([one, version]) => ({ ...one, ...version })),
  fc
    .tuple(
      fc.record({ kind: fc.constant("configure" as const), provenance, prefix, ifAbsent: flag }),
      fc.oneof(
        settings,
        fc.tuple(settings, zone).map(([one, other]) => ({ ...one, ...other })),
      ),
      expected,
    )
    .map(([one, change, version]) => ({ ...one, change, ...version })),
  fc.record({
    kind: fc.constant("seedSettings" as const),
    provenance,
    autoCreate: flag,
    idempotencyRetentionMs: number,
    idempotencyKeysMax: number,
  }),
);

t.test("a command comes back from its bytes as it was", (t) => {
  holds(
    t,
    fc.property(command, (one) => {
      t.same(decodeCommand(encodeCommand(one)), one);
    }),
    { numRuns: 500 },
  );
  t.end();
});

t.test("the prefix is found without decoding the rest", (t) => {
  holds(
    t,
    fc.property(command, (one) => prefixOfCommand(encodeCommand(one)) === ("prefix" in one ? one.prefix : undefined)),
  );
  t.end();
});

t.test("empty fields cost nothing", (t) => {
  const nobody = { provenance: { ...NOBODY, principal: "" } };
  t.equal(encodeCommand(draw("SG", nobody)).length, 8);
  t.equal(encodeCommand(batch("SG", 1_000_000, { ...nobody, contiguous: false })).length, 12);
  t.end();
});

t.test("a number that is no safe integer from 0 on never gets into a log", (t) => {
  for (const count of [-1, 1.5, Number.NaN, 2 ** 53]) {
    t.throws(() => encodeCommand(batch("SG", count)), /safe integer/);
    t.throws(() => encodeCommand(reset("SG", count)), /safe integer/);
    t.throws(() => encodeCommand(configure("SG", { maximum: count })), /safe integer/);
    t.throws(() => encodeCommand(seed({ keysMax: count })), /safe integer/);
  }
  t.end();
});

t.test("bytes that are no command are a broken invariant", (t) => {
  t.throws(() => decodeCommand(new Uint8Array(0)), /a kind that this node knows/);
  t.equal(prefixOfCommand(new Uint8Array(0)), undefined);
  t.end();
});

t.test("a record tells what the journal needs, and is never empty", (t) => {
  const world = new World();
  const recordOf = (one: Command) => decodeResult(encodeResult(world.apply(one)));
  t.match(recordOf(seed()), { $case: "seeded" });
  t.match(recordOf(draw("SG", { idempotencyKey: "k" })), {
    $case: "drawn",
    value: {
      period: "",
      epoch: 0,
      ranges: [{ first: 1, last: 1 }],
      definitionVersion: 1,
      replayOf: "",
      created: true,
      scopeKey: "",
    },
  });
  t.match(recordOf(draw("SG", { idempotencyKey: "k" })), { value: { replayOf: "2-0", replayTime: world.time } });
  t.match(recordOf(reset("SG", 9)), {
    $case: "reset",
    value: { oldValue: 1, newValue: 9, skipped: { first: 2, last: 9 }, version: 1 },
  });
  t.match(recordOf(configure("SG", { step: 5 })), {
    $case: "configured",
    value: { version: 2, created: false, unchanged: false },
  });
  t.match(recordOf(configure("SG", {})), { value: { version: 2, unchanged: true } });
  t.match(recordOf(reset("SG", 0)), { $case: "refused", value: { code: "CONFLICT", field: "newValue" } });
  t.match(recordOf(configure("T", { step: 10, start: 1 })), { value: { created: true } });
  t.match(
    recordOf(reset("T", 0)),
    { value: { oldValue: -9, newValue: 0 } },
    "before the first number a counter may be negative",
  );
  t.match(recordOf({ ...seed(), provenance: NOBODY }), { $case: "seeded" });
  t.end();
});
