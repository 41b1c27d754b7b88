import t from "tap";
import type { Query, QueryAnswer } from "../../src/sequence/query.js";
import { batch, configure, DAY_MS, draw, NOBODY, NOWHERE, reset, World } from "./world.js";

const CLERK = {
  ...NOBODY,
  principal: "erp",
  clientId: "c1",
  generatedBy: "clerk",
  correlationId: "x1",
  requestId: "r1",
};

async function ask<Kind extends QueryAnswer["kind"]>(world: World, query: Query & { readonly kind: Kind }) {
  const answer = await world.query(query);
  if (answer.kind !== query.kind) throw new Error(`the answer is ${answer.kind}`);
  return answer as Extract<QueryAnswer, { kind: Kind }>;
}

function status(world: World, prefix: string, scope = NOWHERE) {
  return ask(world, { kind: "status", prefix, scope });
}

function audit(world: World, prefix: string, more: { after?: string; limit?: number; filter?: object } = {}) {
  return ask(world, { kind: "audit", prefix, after: "", limit: 100, filter: {}, ...more });
}

t.test("a prefix that was never used is absent, for every question", async (t) => {
  const world = new World();
  t.same(await world.query({ kind: "status", prefix: "SG", scope: NOWHERE }), { kind: "absent" });
  t.same(await world.query({ kind: "definition", prefix: "SG" }), { kind: "absent" });
  t.same(await world.query({ kind: "preview", prefix: "SG", scope: NOWHERE, count: 1 }), { kind: "absent" });
  t.same(await world.query({ kind: "audit", prefix: "SG", after: "", limit: 1, filter: {} }), { kind: "absent" });
});

t.test("a status shows where the series of today stands, and the total of all", async (t) => {
  const world = new World();
  world.configured("INV", { template: "%s%d-%04d", resetRule: "yearly", step: 2 });
  t.match(await status(world, "INV"), {
    period: "2026",
    currentCounter: -1,
    nextCounter: 1,
    nextFullNumber: "INV2026-0001",
    totalGenerated: 0,
    lastGenerated: undefined,
  });
  world.drawn(batch("INV", 10));
  t.match(await status(world, "INV"), {
    currentCounter: 19,
    nextCounter: 21,
    nextFullNumber: "INV2026-0021",
    totalGenerated: 10,
    lastGenerated: world.time,
    epoch: 0,
    released: 0,
    reserved: 0,
  });
  world.reset("INV", 3, { force: true });
  t.match(await status(world, "INV"), { currentCounter: 3, nextCounter: 5, epoch: 1, totalGenerated: 10 });
  const before = world.time;
  world.time = Date.UTC(2027, 0, 1);
  t.match(await status(world, "INV"), {
    period: "2027",
    currentCounter: -1,
    nextFullNumber: "INV2027-0001",
    totalGenerated: 10,
    lastGenerated: before,
  });
});

t.test("a status shows no next number when there is none, or when it cannot be written", async (t) => {
  const world = new World();
  world.configured("P", { maximum: 1 });
  world.number("P");
  t.match(await status(world, "P"), { currentCounter: 1, nextCounter: undefined, nextFullNumber: undefined });
  world.configured("S", { template: "{SITE}-{SEQ}", scope: "site" });
  t.match(await status(world, "S"), { nextCounter: 1, nextFullNumber: undefined });
  world.number("S", { scope: { ...NOWHERE, site: "HQ" } });
  t.match(await status(world, "S", { ...NOWHERE, site: "HQ" }), { currentCounter: 1, nextFullNumber: "HQ-2" });
  t.match(await status(world, "S", { ...NOWHERE, site: "BR" }), { currentCounter: 0, nextFullNumber: "BR-1" });
});

t.test("a preview shows what draws then get, and draws nothing", async (t) => {
  const world = new World();
  world.configured("P", { step: 5, maximum: 18 });
  world.number("P");
  const preview = await ask(world, { kind: "preview", prefix: "P", scope: NOWHERE, count: 5 });
  t.same(preview, { kind: "preview", fullNumbers: ["P000006", "P000011", "P000016"], period: "" });
  t.equal(world.number("P"), "P000006");
});

t.test("definitions come in pages by prefix, the newest state of each", async (t) => {
  const world = new World();
  for (const prefix of ["B", "A-1", "A", "A.1", "a", "A0"]) world.number(prefix);
  await world.restart();
  world.configured("A0", { step: 2 });
  const seen: string[] = [];
  for (let after: string | undefined = ""; after !== undefined; ) {
    const page: { definitions: readonly { prefix: string; step: number }[]; next: string | undefined } = await ask(
      world,
      { kind: "definitions", after, limit: 2 },
    );
    seen.push(...page.definitions.map(({ prefix, step }) => `${prefix}:${step}`));
    after = page.next;
  }
  t.same(seen, ["A:1", "A-1:1", "A.1:1", "A0:2", "B:1", "a:1"]);
  t.match(await ask(world, { kind: "definition", prefix: "A0" }), { definition: { version: 2, explicit: true } });
});

t.test("the audit trail tells who did what, in order, and leaves out what had no effect", async (t) => {
  const world = new World();
  world.entry([
    configure("INV", {
      template: "{SITE}/{YYYY}-{SEQ:3}",
      scope: "site",
      resetRule: "yearly",
      timeZone: "UTC",
      zoneTransitions: [],
    }),
    draw("OTHER"),
    batch("INV", 3, {
      scope: { ...NOWHERE, site: "HQ" },
      provenance: CLERK,
      idempotencyKey: "k",
      documentRef: "d",
      documentDate: "2026-01-02",
    }),
    draw("INV"),
  ]);
  world.time += 5;
  world.entry([
    batch("INV", 3, {
      scope: { ...NOWHERE, site: "HQ" },
      provenance: CLERK,
      idempotencyKey: "k",
      documentRef: "d",
      documentDate: "2026-01-02",
    }),
    configure("INV", {}),
    reset("INV", 9, { scope: { ...NOWHERE, site: "HQ" }, reason: "audit", provenance: CLERK }),
  ]);
  const { records, next } = await audit(world, "INV");
  t.equal(next, undefined);
  t.same(records, [
    {
      messageId: "1-0",
      time: world.time - 5,
      prefix: "INV",
      ...NOBODY,
      kind: "configured",
      version: 1,
      change: { template: "{SITE}/{YYYY}-{SEQ:3}", scope: "site", resetRule: "yearly", timeZone: "UTC" },
    },
    {
      messageId: "1-2",
      time: world.time - 5,
      prefix: "INV",
      ...CLERK,
      kind: "drawn",
      period: "2026",
      epoch: 0,
      scopeKey: "site=HQ",
      ranges: [{ first: 1, last: 3 }],
      firstFullNumber: "HQ/2026-001",
      lastFullNumber: "HQ/2026-003",
      count: 3,
      documentRef: "d",
      documentDate: "2026-01-02",
      idempotencyKey: "k",
    },
    {
      messageId: "2-2",
      time: world.time,
      prefix: "INV",
      ...CLERK,
      kind: "reset",
      period: "2026",
      epoch: 0,
      scopeKey: "site=HQ",
      oldValue: 3,
      newValue: 9,
      reason: "audit",
      force: false,
      skipped: { first: 4, last: 9 },
    },
  ]);
});

t.test("pages of the audit trail join without a gap or a repeat, across checkpoints", async (t) => {
  const world = new World();
  for (let entry = 0; entry < 70; entry++) {
    world.time += DAY_MS;
    world.entry(Array.from({ length: 1 + (entry % 4) }, (_, place) => draw(place === 2 ? "OTHER" : "P")));
    if (entry === 30) await world.restart();
  }
  const { records: all } = await audit(world, "P", { limit: 1000 });
  const counters = all.map(({ ranges }) => ranges?.[0]?.first);
  t.same(
    counters,
    Array.from({ length: counters.length }, (_, place) => place + 1),
  );
  for (const limit of [1, 3, 7, counters.length, 1000]) {
    const joined: string[] = [];
    let pages = 0;
    for (let after: string | undefined = ""; after !== undefined; pages++) {
      const page: { records: readonly { messageId: string }[]; next: string | undefined } = await audit(world, "P", {
        after,
        limit,
      });
      joined.push(...page.records.map(({ messageId }) => messageId));
      after = page.next;
    }
    t.same(
      joined,
      all.map(({ messageId }) => messageId),
    );
    t.equal(pages, Math.max(1, Math.ceil(counters.length / limit)), "the last page knows that it is the last");
  }
});

t.test("filters let through what fits, and a filter that lets nothing through still comes to an end", async (t) => {
  const world = new World();
  const start = world.time;
  for (let entry = 0; entry < 600; entry++) {
    world.time = start + entry;
    world.entry([draw("P", { provenance: entry === 590 ? CLERK : NOBODY })]);
  }
  world.apply(reset("P", 1000));
  t.equal((await audit(world, "P", { filter: { kinds: ["reset"] }, after: "590-0" })).records.length, 1);
  const within = await audit(world, "P", { filter: { from: start + 10, to: start + 20 } });
  t.same(
    within.records.map(({ time }) => time - start),
    [10, 11, 12, 13, 14, 15, 16, 17, 18, 19],
  );
  t.equal(within.next, undefined);
  const first = await audit(world, "P", { filter: { clientId: "c1", generatedBy: "clerk", correlationId: "x1" } });
  t.same(first.records, []);
  t.type(first.next, "string", "a page ends after so many entries");
  const second = await audit(world, "P", { filter: { clientId: "c1" }, after: first.next ?? "" });
  t.same(
    second.records.map(({ messageId }) => messageId),
    ["591-0"],
  );
  t.equal(second.next, undefined);
  t.same((await audit(world, "P", { filter: { clientId: "c2" }, after: "598-0" })).records, []);
});

t.test("a cursor that is no message id gives an empty page", async (t) => {
  const world = new World();
  world.number("P");
  t.same(await audit(world, "P", { after: "soon" }), { kind: "audit", records: [], next: undefined });
});

t.test("audit pages are read one at a time, and in slices: whoever asks, the node can do other work", async (t) => {
  const world = new World();
  for (let block = 0; block < 40; block++) world.entry(Array.from({ length: 20 }, () => draw("SG")));
  let running = 0;
  let pauses = 0;
  const queries = world.queries(async () => {
    pauses++;
    running++;
    t.equal(running, 1, "only one page is being read");
    await new Promise((resolve) => setImmediate(resolve));
    running--;
  });
  const page = () =>
    queries.run({ kind: "audit", prefix: "SG", after: "", limit: 1000, filter: { clientId: "nobody" } }, world.time);
  const answers = await Promise.all([page(), page(), page()]);
  t.same(
    answers.map((answer) => answer.kind === "audit" && answer.records.length),
    [0, 0, 0],
  );
  t.ok(pauses >= 3 * 8, `${pauses} pauses in three reads of 800 commands`);
});
