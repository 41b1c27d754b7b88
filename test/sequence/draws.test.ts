import t from "tap";
import { batch, configure, counters, draw, fullNumbers, NOVEMBER, NOWHERE, reset, seed, World } from "./world.js";

const SITE = { ...NOWHERE, site: "HQ" };
const JANUARY = Date.UTC(2027, 0, 1);

t.test("an unknown prefix comes to life with the defaults", (t) => {
  const world = new World();
  const first = world.drawn(draw("SG"));
  t.match(first, { created: true, replayed: false, period: "", epoch: 0, messageId: "1-0", time: NOVEMBER, count: 1 });
  t.same(fullNumbers(first), ["SG000001"]);
  const second = world.drawn(draw("SG"));
  t.match(second, { created: false, messageId: "2-0" });
  t.same(fullNumbers(second), ["SG000002"]);
  t.end();
});

t.test("without auto-creation an unknown prefix is not found, and configuring it helps", (t) => {
  const world = new World();
  world.apply(seed({ autoCreate: false }));
  t.match(world.refused(draw("SG")), { code: "NOT_FOUND", field: "prefix" });
  world.configured("SG", {});
  t.equal(world.number("SG"), "SG000001");
  t.end();
});

t.test("only the first seed of the settings counts", (t) => {
  const world = new World();
  t.equal(world.machine.isSeeded, false);
  world.apply(seed({ autoCreate: false }));
  t.equal(world.machine.isSeeded, true);
  t.match(world.apply(seed({ autoCreate: true })), { kind: "seeded" });
  t.match(world.refused(draw("SG")), { code: "NOT_FOUND" });
  t.match(world.refused(seed({ retentionMs: 0 })), { code: "VALIDATION_ERROR", field: "idempotencyRetentionMs" });
  t.match(world.refused(seed({ keysMax: 2e9 })), { code: "VALIDATION_ERROR", field: "idempotencyKeysMax" });
  t.end();
});

t.test("a prefix, a count or a date that is none is refused by name, and the counter does not move", (t) => {
  const world = new World();
  for (const prefix of ["", ".a", "a b", "a/b", "ä", "x".repeat(51), "a\n"]) {
    t.match(world.refused(draw(prefix)), { code: "VALIDATION_ERROR", field: "prefix" }, prefix);
    t.match(world.refused(configure(prefix, {})), { code: "VALIDATION_ERROR", field: "prefix" }, prefix);
  }
  for (const count of [0, 1_000_001]) t.match(world.refused(batch("SG", count)), { field: "count" });
  for (const documentDate of ["2026-02-30", "26-01-01", "9999-01-01"]) {
    t.match(world.refused(draw("SG", { documentDate })), { code: "VALIDATION_ERROR", field: "documentDate" });
  }
  t.match(world.drawn(draw("SG")), { created: true });
  t.equal(world.number("x".repeat(50)), `${"x".repeat(50)}000001`);
  t.end();
});

t.test("a batch is one range, whatever its size", (t) => {
  const world = new World();
  const drawn = world.drawn(batch("SG", 1_000_000));
  t.same(drawn.ranges, [{ first: 1, last: 1_000_000 }]);
  t.equal(world.number("SG"), "SG1000001");
  t.end();
});

t.test("start, step and maximum hold, and a batch that does not fit draws nothing", (t) => {
  const world = new World();
  world.configured("P", { start: 10, step: 5, maximum: 27 });
  t.match(world.refused(batch("P", 5)), { code: "EXHAUSTED", field: "count" });
  t.same(counters(world.drawn(batch("P", 3))), [10, 15, 20]);
  t.match(world.refused(batch("P", 2)), { code: "EXHAUSTED" });
  t.same(counters(world.drawn(draw("P"))), [25]);
  t.match(world.refused(draw("P")), { code: "EXHAUSTED", field: "" });
  world.configured("P", { maximum: 30 });
  t.same(counters(world.drawn(draw("P"))), [30]);
  t.end();
});

t.test("numbers go up to the last safe integer and not past it", (t) => {
  const world = new World();
  world.configured("P", {});
  world.reset("P", Number.MAX_SAFE_INTEGER - 2);
  t.equal(world.number("P"), "P9007199254740990");
  t.match(world.refused(batch("P", 2)), { code: "EXHAUSTED" });
  t.equal(world.number("P"), "P9007199254740991");
  t.match(world.refused(draw("P")), { code: "EXHAUSTED" });
  world.configured("Q", { start: Number.MAX_SAFE_INTEGER });
  t.equal(world.number("Q"), "Q9007199254740991");
  t.match(world.refused(draw("Q")), { code: "EXHAUSTED" });
  t.end();
});

t.test("a sequence that is not active draws nothing, and nothing is lost by that", (t) => {
  const world = new World();
  world.number("SG");
  world.configured("SG", { isActive: false });
  t.match(world.refused(draw("SG")), { code: "CONFLICT" });
  world.configured("SG", { isActive: true });
  t.equal(world.number("SG"), "SG000002");
  t.end();
});

t.test("a new year is a new series, and the old one goes on for documents of the old year", (t) => {
  const world = new World();
  world.configured("INV", { template: "%s%d-%04d", resetRule: "yearly" });
  t.equal(world.number("INV"), "INV2026-0001");
  t.equal(world.number("INV"), "INV2026-0002");
  world.time = JANUARY;
  t.equal(world.number("INV"), "INV2027-0001");
  const late = world.drawn(draw("INV", { documentDate: "2026-12-31" }));
  t.same(fullNumbers(late), ["INV2026-0003"]);
  t.match(late, { period: "2026", time: JANUARY, date: { year: 2026, month: 12, day: 31 } });
  t.equal(world.number("INV"), "INV2027-0002");
  t.end();
});

t.test("the day begins when it begins in the sequence's time zone", (t) => {
  const world = new World();
  const zoneTransitions = [{ from: 0, offsetSeconds: 9 * 3600 }];
  world.configured("D", {
    template: "{YYYY}{MM}{DD}-{SEQ:2}",
    resetRule: "daily",
    timeZone: "Asia/Tokyo",
    zoneTransitions,
  });
  world.time = Date.UTC(2026, 11, 31, 14, 59);
  t.equal(world.number("D"), "20261231-01");
  world.time = Date.UTC(2026, 11, 31, 15);
  t.equal(world.number("D"), "20270101-01");
  t.end();
});

t.test("months and fiscal years number by themselves", (t) => {
  const world = new World();
  world.configured("M", { template: "{YY}{MM}-{SEQ}", resetRule: "monthly" });
  world.configured("F", { template: "{FY}-{SEQ}", resetRule: "yearly", fiscalYearStart: 4 });
  t.equal(world.number("M", { documentDate: "2026-10-31" }), "2610-1");
  t.equal(world.number("M", { documentDate: "2026-11-01" }), "2611-1");
  t.equal(world.number("F", { documentDate: "2026-03-31" }), "2026-1");
  t.equal(world.number("F", { documentDate: "2026-04-01" }), "2027-1");
  t.equal(world.number("F", { documentDate: "2027-03-31" }), "2027-2");
  t.end();
});

t.test("a two-digit year names the years 1970 to 2069 only", (t) => {
  const world = new World();
  world.configured("Y", { template: "{YY}-{SEQ}" });
  t.equal(world.number("Y", { documentDate: "2069-12-31" }), "69-1");
  t.match(world.refused(draw("Y", { documentDate: "1969-12-31" })), { field: "documentDate" });
  t.match(world.refused(draw("Y", { documentDate: "2070-01-01" })), { field: "documentDate" });
  t.end();
});

t.test("sites number by themselves, and must be named", (t) => {
  const world = new World();
  world.configured("S", { template: "{SITE}-{TYPE}/{SEQ:3}", scope: "site" });
  const scope = { ...SITE, documentType: "CN" };
  t.equal(world.number("S", { scope }), "HQ-CN/001");
  t.equal(world.number("S", { scope: { ...scope, site: "BR" } }), "BR-CN/001");
  t.equal(world.number("S", { scope: { ...scope, documentType: "DN" } }), "HQ-DN/002");
  t.match(world.refused(draw("S")), { code: "VALIDATION_ERROR", field: "site" });
  t.match(world.refused(draw("S", { scope: SITE })), { code: "VALIDATION_ERROR", field: "documentType" });
  t.match(world.refused(draw("S", { scope: { ...scope, site: "H-Q" } })), {
    field: "site",
    detail: /must not contain "-"/,
  });
  t.match(world.refused(draw("S", { scope: { ...scope, site: "x".repeat(201) } })), { field: "site" });
  t.match(world.refused(draw("S", { scope: { ...scope, site: "\u0000" } })), { field: "site" });
  t.end();
});

t.test("what is given and not asked for is journalled and changes nothing", (t) => {
  const world = new World();
  t.equal(world.number("SG", { scope: SITE }), "SG000001");
  t.equal(world.number("SG", { scope: { ...SITE, site: "BR" } }), "SG000002");
  t.end();
});

t.test("a change of step goes on from the last number; a change of start concerns new series only", (t) => {
  const world = new World();
  world.configured("INV", { template: "%s%d-%d", resetRule: "yearly" });
  world.number("INV");
  world.configured("INV", { step: 10, start: 500 });
  t.equal(world.number("INV"), "INV2026-11");
  t.equal(world.number("INV", { documentDate: "2025-01-01" }), "INV2025-500");
  t.end();
});

t.test("a maximum below what was issued is refused", (t) => {
  const world = new World();
  world.drawn(batch("SG", 10));
  t.match(world.refused(configure("SG", { maximum: 9 })), { code: "CONFLICT", field: "maximum" });
  world.configured("SG", { maximum: 10 });
  t.match(world.refused(draw("SG")), { code: "EXHAUSTED" });
  t.end();
});

t.test("a definition changes only from the version that the caller saw", (t) => {
  const world = new World();
  t.match(world.refused(configure("P", {}, { expectedVersion: 1 })), { code: "PRECONDITION_FAILED" });
  t.match(world.apply(configure("P", {}, { expectedVersion: 0 })), { created: true, changed: true });
  t.match(world.refused(configure("P", { step: 2 }, { expectedVersion: 0 })), {
    code: "PRECONDITION_FAILED",
    field: "expectedVersion",
  });
  t.match(world.apply(configure("P", { step: 2 }, { expectedVersion: 1 })), { definition: { version: 2 } });
  t.match(world.apply(configure("P", { step: 2 }, { expectedVersion: 2 })), {
    created: false,
    changed: false,
    definition: { version: 2 },
  });
  t.end();
});

t.test("a sample definition never overrides one that is there", (t) => {
  const world = new World();
  t.match(world.apply(configure("P", { step: 2 }, { ifAbsent: true })), { created: true });
  t.match(world.apply(configure("P", { step: 3 }, { ifAbsent: true })), {
    created: false,
    definition: { step: 2, version: 1 },
  });
  world.number("Q");
  t.match(world.apply(configure("Q", { step: 3 }, { ifAbsent: true })), {
    created: false,
    definition: { step: 1, explicit: false },
  });
  t.end();
});

t.test("a reset moves the counter of one series, and the next number is one step further", (t) => {
  const world = new World();
  t.match(world.refused(reset("INV", 5)), { code: "NOT_FOUND" });
  world.configured("INV", { template: "%s%d-%d", resetRule: "yearly", step: 5, maximum: 1000 });
  t.match(world.reset("INV", 7), {
    oldValue: -4,
    newValue: 7,
    period: "2026",
    epoch: 0,
    skipped: { first: 1, last: 6 },
  });
  t.equal(world.number("INV"), "INV2026-12");
  t.match(world.reset("INV", 100, { period: "2025" }), { oldValue: -4, period: "2025" });
  t.equal(world.number("INV", { documentDate: "2025-05-05" }), "INV2025-105");
  t.equal(world.number("INV"), "INV2026-17");
  t.match(world.refused(reset("INV", 3)), { code: "CONFLICT", field: "newValue" });
  t.match(world.reset("INV", 3, { force: true }), { oldValue: 17, newValue: 3, epoch: 1, skipped: undefined });
  t.match(world.drawn(draw("INV")), { epoch: 1, ranges: [{ first: 8, last: 8 }] });
  t.end();
});

t.test("a reset that cannot be is refused by name", (t) => {
  const world = new World();
  world.configured("S", { template: "{SITE}/{YYYY}/{SEQ}", scope: "site", resetRule: "yearly", maximum: 100 });
  const scope = SITE;
  t.match(world.refused(reset("S", 101, { scope })), { code: "VALIDATION_ERROR", field: "newValue" });
  t.match(world.refused(reset("S", 1)), { code: "VALIDATION_ERROR", field: "site" });
  t.match(world.refused(reset("S", 1, { scope, period: "2026-11" })), { field: "period", detail: /yearly periods/ });
  t.match(world.refused(reset("S", 1, { scope, expectedVersion: 7 })), { code: "PRECONDITION_FAILED" });
  t.match(world.reset("S", 100, { scope, expectedVersion: 1 }), { scopeKey: "site=HQ", newValue: 100 });
  t.match(world.refused(draw("S", { scope })), { code: "EXHAUSTED" });
  world.number("SG");
  t.match(world.refused(reset("SG", 1, { period: "2026" })), { field: "period", detail: /no periods/ });
  t.end();
});

t.test("a global sequence that shows a site is reset without one", (t) => {
  const world = new World();
  world.configured("G", { template: "{SITE}/{SEQ}" });
  t.match(world.reset("G", 9), { newValue: 9 });
  t.equal(world.number("G", { scope: SITE }), "HQ/10");
  t.end();
});
