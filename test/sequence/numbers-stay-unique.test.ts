import fc from "fast-check";
import t from "tap";
import type { Command, ScopeValues } from "../../src/sequence/command.js";
import type { DefinitionChange } from "../../src/sequence/definition.js";
import { changeDefinition } from "../../src/sequence/definition-rules.js";
import { holds } from "./holds.js";
import { batch, configure, DAY_MS, draw, fullNumbers, reset, World } from "./world.js";

t.test("a default sequence becomes a yearly one, whose numbers cannot be mistaken for the old", (t) => {
  const world = new World();
  t.equal(world.number("INV"), "INV000001");
  world.configured("INV", { template: "%s%d-%04d", resetRule: "yearly" });
  t.equal(world.number("INV"), "INV2026-0001");
  world.configured("INV", { template: "", resetRule: "never", padding: 6 });
  t.equal(world.number("INV"), "INV000002", "the old series goes on where it was");
  t.end();
});

t.test("another width just goes on", (t) => {
  const world = new World();
  world.number("SG");
  world.configured("SG", { padding: 8 });
  t.equal(world.number("SG"), "SG00000002");
  world.configured("SG", { template: "{PREFIX}{SEQ}" });
  t.equal(world.number("SG"), "SG3");
  t.end();
});

t.test("a template that could repeat a number is refused while such numbers are out", (t) => {
  const world = new World();
  world.configured("A", { template: "%s%04d" });
  world.configured("A", { template: "%s%d%04d", resetRule: "yearly" });
  world.number("A");
  t.match(world.refused(configure("A", { template: "%s%08d", resetRule: "never" })), {
    code: "CONFLICT",
    field: "template",
  });
  t.match(world.refused(configure("A", { template: "%s%04d", resetRule: "never" })), { code: "CONFLICT" });
  world.configured("A", { template: "%s-%04d", resetRule: "never" });
  t.equal(world.number("A"), "A-0001");
  t.match(
    world.refused(configure("A", { template: "%s%08d" })),
    { code: "CONFLICT" },
    "the first form is not forgotten",
  );
  t.end();
});

t.test("how far a form has counted decides what could repeat it", (t) => {
  const world = new World();
  world.configured("A", { template: "A{SEQ:4}" });
  world.number("A");
  // A0001 has five characters, the new numbers have at least nine.
  world.configured("A", { template: "A{YYYY}{SEQ:4}", resetRule: "yearly" });
  t.equal(world.number("A"), "A20260001");
  t.end();
});

t.test("with the same template and other series, numbering goes on behind what was issued for those days", (t) => {
  const world = new World();
  world.configured("INV", { template: "%s%d-%04d" });
  world.drawn(batch("INV", 1200));
  world.configured("INV", { resetRule: "yearly" });
  t.equal(world.number("INV"), "INV2026-1201");
  t.equal(world.number("INV", { documentDate: "2025-06-01" }), "INV2025-1201", "the sequence may have numbered 2025");
  world.time = Date.UTC(2027, 0, 1);
  t.equal(world.number("INV"), "INV2027-0001", "nothing was ever issued for a day as late as that");
  world.configured("INV", { resetRule: "never" });
  t.equal(world.number("INV"), "INV2027-1202");
  t.end();
});

t.test("a change of series that is undone before anybody drew leaves no trace in what comes next", (t) => {
  const world = new World();
  world.configured("FX", { template: "{PREFIX}{YYYY}{MM}-{SEQ:4}", resetRule: "yearly", maximum: 100 });
  world.drawn(batch("FX", 100, { documentDate: "2025-05-05" }));
  t.equal(world.number("FX"), "FX202611-0001");
  world.configured("FX", { resetRule: "monthly" });
  world.configured("FX", { resetRule: "yearly" });
  t.equal(world.number("FX"), "FX202611-0002", "nobody numbered by months: there is nothing to stay above");
  t.end();
});

t.test("a floor that was needed once is needed again when both kinds of series have numbers", (t) => {
  const world = new World();
  world.configured("FX", { template: "{PREFIX}{YYYY}{MM}-{SEQ:4}", resetRule: "yearly" });
  world.drawn(batch("FX", 5));
  world.configured("FX", { resetRule: "monthly" });
  t.equal(world.number("FX"), "FX202611-0006");
  world.configured("FX", { resetRule: "yearly" });
  t.equal(world.number("FX"), "FX202611-0007");
  world.configured("FX", { template: "{PREFIX}/{YYYY}{MM}-{SEQ:4}" });
  t.equal(world.number("FX"), "FX/202611-0008", "another spelling: the series of the year goes on");
  t.end();
});

t.test("a floor holds for resets, too, unless they are forced", (t) => {
  const world = new World();
  world.configured("INV", { template: "%s%d-%04d" });
  world.drawn(batch("INV", 100));
  world.configured("INV", { resetRule: "yearly" });
  t.match(world.refused(reset("INV", 50)), { code: "CONFLICT", detail: /up to 100/ });
  t.match(world.reset("INV", 50, { force: true }), { oldValue: 100, epoch: 1 });
  t.equal(world.number("INV"), "INV2026-0051");
  t.end();
});

t.test(
  "what a reset passes over that may be issued elsewhere counts as issued: for later resets, and for other series",
  (t) => {
    const world = new World();
    world.configured("INV", { template: "%s%d-%04d" });
    world.drawn(batch("INV", 3));
    t.match(world.reset("INV", 1003, { mayBeIssued: true }), { skipped: { first: 4, last: 1003 } });
    t.match(world.refused(reset("INV", 3)), { code: "CONFLICT", detail: /up to 1003/ });
    t.match(world.refused(configure("INV", { maximum: 1000 })), { code: "CONFLICT" });
    world.configured("INV", { resetRule: "yearly" });
    t.equal(world.number("INV"), "INV2026-1004", "though nobody drew in between");
    t.equal(world.number("INV", { documentDate: "2025-06-01" }), "INV2025-1004");
    t.equal(world.number("INV", { documentDate: "2027-03-01" }), "INV2027-1004", "a lost document may be dated ahead");
    t.end();
  },
);

t.test("what may be issued in a period is of that period", (t) => {
  const world = new World();
  world.configured("INV", { template: "{PREFIX}{YYYY}{MM}{DD}-{SEQ:4}", resetRule: "monthly" });
  world.reset("INV", 1000, { mayBeIssued: true, period: "2026-11" });
  world.configured("INV", { resetRule: "daily" });
  t.equal(world.number("INV", { documentDate: "2026-11-30" }), "INV20261130-1001");
  t.equal(world.number("INV", { documentDate: "2026-12-01" }), "INV20261201-0001");
  t.end();
});

t.test("a sequence that nobody drew from, as far as is known, keeps what may be issued in its form", (t) => {
  const world = new World();
  world.configured("A", { template: "%s%04d" });
  world.reset("A", 500, { mayBeIssued: true });
  t.match(world.refused(configure("A", { template: "%s0%03d" })), { code: "CONFLICT", field: "template" });
  t.equal(world.number("A"), "A0501");
  t.end();
});

t.test("a fiscal year that begins elsewhere cannot keep its template", (t) => {
  const world = new World();
  world.configured("F", { template: "{FY}-{SEQ}", resetRule: "yearly" });
  world.number("F");
  t.match(world.refused(configure("F", { fiscalYearStart: 4 })), { code: "CONFLICT" });
  world.configured("F", { fiscalYearStart: 4, template: "FY{FY}-{SEQ}" });
  t.equal(world.number("F"), "FY2027-1");
  t.end();
});

t.test("a sequence takes so many forms and no more", (t) => {
  const world = new World();
  for (let form = 0; form <= 32; form++) {
    world.configured("P", { template: `${String.fromCharCode(65 + form)}-{SEQ}` });
    world.number("P");
  }
  t.match(world.refused(configure("P", { template: "{SEQ}x" })), { code: "CONFLICT", detail: /another prefix/ });
  t.match(world.configured("P", { description: "fine" }), { changed: true });
  world.configured("P", { template: "A-{SEQ}" });
  t.equal(world.number("P"), "A-34", "an old form can come back; the series is the same all the time");
  t.end();
});

const TEMPLATES = [
  "",
  "%s%04d",
  "%s%d-%02d",
  "%s%d%03d",
  "{YY}{MM}-{SEQ}",
  "{YYYY}{MM}{DD}{SEQ}",
  "{FY}/{SEQ}",
  "{FY}{MM}-{SEQ:3}",
  "{SITE}-{SEQ}",
  "{SITE}-{YYYY}-{SEQ:2}",
  "{SITE}-{YYYY}-{TYPE}-{SEQ:2}",
  "{YYYY}{DOY}-{SITE}/{SEQ}{CHECK:luhn}",
  "{SEQ:2}{YYYY}",
];

/** Every template with every way to count that it permits. */
const COHERENT = TEMPLATES.flatMap((template) =>
  ["never", "yearly", "monthly", "daily"].flatMap((resetRule) =>
    ["global", "site", "document_type"].flatMap((scope) =>
      [1, 4].map((fiscalYearStart): DefinitionChange => ({ template, resetRule, scope, fiscalYearStart })),
    ),
  ),
).filter((one) => !("kind" in changeDefinition("P", undefined, one, 0)));

const change: fc.Arbitrary<DefinitionChange> = fc.record(
  {
    template: fc.constantFrom(...TEMPLATES),
    padding: fc.nat(8),
    separator: fc.constantFrom("", "-", "1"),
    start: fc.nat(20),
    step: fc.integer({ min: 1, max: 5 }),
    maximum: fc.integer({ min: 20, max: 3000 }),
    resetRule: fc.constantFrom("never", "yearly", "monthly", "daily"),
    scope: fc.constantFrom("global", "site", "document_type"),
    fiscalYearStart: fc.constantFrom(1, 4, 12),
  },
  { requiredKeys: [] },
);
const scopes: fc.Arbitrary<ScopeValues> = fc.record({
  site: fc.constantFrom("A", "1", "A-2026", "2026"),
  partition: fc.constant(""),
  documentType: fc.constantFrom("X", "2026-X", "1"),
});
const documentDates = fc.constantFrom(
  "",
  "",
  "2025-12-31",
  "2026-03-31",
  "2026-04-01",
  "2027-01-01",
  "1970-01-01",
  "2070-01-01",
);
const commands: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.integer({ min: 1, max: 30 }), scopes, documentDates)
      .map(([count, scope, documentDate]) => batch("P", count, { scope, documentDate })),
  },
  {
    weight: 6,
    arbitrary: fc.tuple(scopes, documentDates).map(([scope, documentDate]) => draw("P", { scope, documentDate })),
  },
  { weight: 2, arbitrary: fc.tuple(fc.nat(60), scopes).map(([newValue, scope]) => reset("P", newValue, { scope })) },
  { weight: 2, arbitrary: change.map((one) => configure("P", one)) },
  { weight: 6, arbitrary: fc.constantFrom(...COHERENT).map((one) => configure("P", one)) },
);
const steps = fc.array(fc.tuple(commands, fc.constantFrom(0, 0, 0, 1, 20, 120)), {
  minLength: 1,
  maxLength: 40,
  size: "max",
});

t.test("whatever is configured, reset without force and drawn on whatever days, no full number comes twice", (t) => {
  let drawnNumbers = 0;
  let changes = 0;
  let floors = 0;
  holds(
    t,
    fc.property(steps, (history) => {
      const world = new World();
      const issued = new Set<string>();
      for (const [command, days] of history) {
        world.time += days * DAY_MS;
        const result = world.apply(command);
        if (result.kind === "configured" && result.changed) changes++;
        if (result.kind !== "drawn") continue;
        if ((world.machine.tables.sequence("P")?.ledger.floor.generation ?? 0) > 0) floors++;
        for (const number of fullNumbers(result)) {
          if (issued.has(number)) throw new Error(`${number} was issued twice`);
          issued.add(number);
          drawnNumbers++;
        }
      }
    }),
    { numRuns: 500 },
  );
  t.ok(drawnNumbers > 20_000, "many numbers were drawn");
  t.ok(changes > 1500, "many definitions were changed");
  t.ok(floors > 500, "many numbers were drawn behind a floor");
  t.end();
});
