import t from "tap";
import { readJournal } from "../../src/machine/journal.js";
import type { Entry } from "../../src/raft/types.js";
import type { NewCluster } from "../../src/recovery/recover-new-cluster.js";
import { restore } from "../../src/recovery/restore.js";
import type { SkippedSeries } from "../../src/recovery/skip-ahead.js";
import { RecoveryRefused } from "../../src/recovery/stores.js";
import { survey } from "../../src/recovery/survey.js";
import type { Command } from "../../src/sequence/command.js";
import { SequenceQueries } from "../../src/sequence/machine/queries.js";
import type { AuditRecord } from "../../src/sequence/query.js";
import type { CommandResult } from "../../src/sequence/result.js";
import { SnapshotDamaged } from "../../src/storage/snapshot-damaged.js";
import { readSnapshotFile, snapshotFile } from "../../src/storage/snapshot-file.js";
import { SnapshotEncoder } from "../../src/storage/snapshot-stream.js";
import type { StateRow } from "../../src/storage/state-store.js";
import { FOUNDERS, LogWriter, SequenceNode } from "../machine/sequence-node.js";
import { batch, configure, DAY_MS, draw, fullNumbers, NOWHERE, reset, seed } from "../sequence/world.js";
import { close, Directory, leadAlone, type OpenStores, replicatedOf } from "./directory.js";

const NOVEMBER = Date.UTC(2026, 10, 20, 8);
const CLUSTER: NewCluster = {
  nodeId: 1,
  address: "here:7070",
  clusterId: "facade",
  safetyDistance: 0,
  now: NOVEMBER + 3_600_000,
};

/** The cluster that is backed up: node 1 and session 2. */
function oldCluster(commands: readonly Command[]): { log: LogWriter; results: CommandResult[]; rows: StateRow[] } {
  const log = new LogWriter();
  log.time = NOVEMBER;
  const node = new SequenceNode();
  node.apply(log.append({ kind: "configuration", configuration: FOUNDERS }));
  node.apply(log.register(1));
  const results = commands.map((command, place) => {
    const result = node.apply(log.one(2, place + 1, command), 2).get(place + 1);
    if (result === undefined) throw new Error("a command has a result");
    return result;
  });
  node.checkpoint();
  const rows: StateRow[] = [];
  for (const [key] of node.rows()) rows.push({ key, value: node.state.get(key) ?? new Uint8Array() });
  return { log, results, rows };
}

/** The backup as the bytes of a file. */
async function backupOf({ log, rows }: { log: LogWriter; rows: readonly StateRow[] }): Promise<Buffer> {
  const encoder = new SnapshotEncoder();
  const chunks = [
    encoder.header({
      clusterId: FOUNDERS.clusterId,
      position: { index: log.entries.length, term: log.term },
      configuration: FOUNDERS,
      currentTerm: 3,
      time: NOVEMBER + 1000,
      nodeId: 2,
      version: "1.2.3",
    }),
  ];
  for (let at = 0; at < rows.length; at += 5) chunks.push(encoder.rows(rows.slice(at, at + 5)));
  chunks.push(encoder.end());
  const pieces: Uint8Array[] = [];
  for await (const piece of snapshotFile(chunks)) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function* piecesOf(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
}

function partsOf(bytes: Buffer) {
  return readSnapshotFile(piecesOf(bytes));
}

/** The new cluster draws: one command in an entry of its own, under a session of its own. */
async function goOn(stores: OpenStores, commands: readonly Command[]): Promise<CommandResult[]> {
  const { log } = stores;
  const node = replicatedOf(stores);
  const writer = new LogWriter(node.replicated.applied);
  writer.time = CLUSTER.now + 1000;
  const results: CommandResult[] = [];
  let session = 0;
  const apply = (entry: Entry) =>
    node.replicated.apply(entry, {
      session,
      nonce: "next life",
      registered: (opened) => {
        session = opened;
      },
      settled: (_request, result) => results.push(result as CommandResult),
    });
  apply(writer.registerStore(1, log.storeId, "next life"));
  for (const [place, command] of commands.entries()) apply(writer.one(session, place + 1, command));
  return results;
}

/** What can be drawn and compared in tests, briefly. */
function brief({ prefix, period, scopeKey, isKnown, outcome }: SkippedSeries): string {
  const name = `${prefix} ${period} ${scopeKey}${isKnown ? "" : " (new)"}:`;
  if (outcome.kind !== "skipped") return `${name} ${outcome.kind}`;
  return `${name} ${outcome.range.first}-${outcome.range.last} ${outcome.slots}${outcome.isLast ? " last" : ""}`;
}

t.test("a restored cluster goes on where its backup ends, with one member and no session of the old one", async (t) => {
  const old = oldCluster([
    configure("INV", { template: "%s%d-%04d", resetRule: "yearly" }),
    batch("INV", 3, { idempotencyKey: "order" }),
    draw("PO", { documentRef: "SO-1" }),
    seed({ autoCreate: false }),
  ]);
  const directory = new Directory();
  const stores = directory.open();
  const report = await restore(stores, partsOf(await backupOf(old)), CLUSTER);
  const configuration = {
    clusterId: "facade",
    members: [{ id: 1, kind: "voter", storeId: directory.storeId, address: "here:7070" }],
  };
  t.match(report, {
    backup: { clusterId: "c0ffee", nodeId: 2, version: "1.2.3", position: { index: 6, term: 1 } },
    time: NOVEMBER,
    rows: old.rows.length,
    configuration,
    end: { index: 7, term: 4 },
    series: [],
  });
  await close(stores);

  const next = directory.open();
  t.equal(next.state.generation, 1);
  t.match(survey(next, 1), {
    configuration,
    seat: "voter",
    logBase: { index: 6, term: 1 },
    applied: { index: 7, term: 4 },
  });
  const { replicated } = replicatedOf(next);
  t.same(replicated.configuration, configuration);
  t.equal(replicated.isSessionOpen(2), false);
  t.equal((await leadAlone(next)).applicableIndex, 8);
  const [keyed, document, number, unknown] = await goOn(next, [
    batch("INV", 3, { idempotencyKey: "order" }),
    draw("PO", { documentRef: "SO-1" }),
    draw("INV"),
    draw("NEW"),
  ]);
  t.same(keyed, { ...old.results[1], replayed: true });
  t.same(document, { ...old.results[2], replayed: true, created: false });
  t.same(number?.kind === "drawn" && fullNumbers(number), ["INV2026-0004"]);
  t.match(unknown, { code: "NOT_FOUND" }, "the settings are those of the backup");
  await close(next);
});

t.test(
  "a safety distance: every period and scope that is known, and those that came since, skip so many slots",
  async (t) => {
    const long = "x".repeat(150);
    const site = (name: string) => ({ scope: { ...NOWHERE, site: name } });
    const old = oldCluster([
      draw("SG"),
      configure("STEP", { step: 5, start: 10 }),
      draw("STEP"),
      configure("DAY", { template: "{YYYY}{MM}{DD}-{SEQ}", resetRule: "daily" }),
      draw("DAY", { documentDate: "2026-11-01" }),
      batch("DAY", 9),
      configure("SITE", { template: "{SITE}/{YYYY}-{SEQ}", resetRule: "yearly", scope: "site" }),
      draw("SITE", site("ü 1")),
      draw("SITE", site(long)),
      configure("OFF", { isActive: false }),
      configure("NEAR", { maximum: 12 }),
      batch("NEAR", 5),
      configure("FULL", { maximum: 3 }),
      batch("FULL", 3),
      configure("WAS", { template: "{YYYY}/{SEQ}", resetRule: "yearly" }),
      draw("WAS"),
      configure("WAS", { resetRule: "never" }),
      draw("AHEAD"),
      reset("AHEAD", 50),
    ]);
    const directory = new Directory();
    const stores = directory.open();
    const bytes = await backupOf(old);
    const report = await restore(stores, partsOf(bytes), {
      ...CLUSTER,
      safetyDistance: 10,
      now: NOVEMBER + 2 * DAY_MS,
    });
    t.same(report.series.map(brief).sort(), [
      "AHEAD  : 51-60 10",
      "DAY 2026-11-01 : 2-11 10",
      "DAY 2026-11-20 : 10-19 10",
      "DAY 2026-11-21  (new): 1-10 10",
      "DAY 2026-11-22  (new): 1-10 10",
      "FULL  : exhausted",
      "NEAR  : 6-12 7 last",
      "OFF   (new): 1-10 10",
      "SG  : 2-11 10",
      `SITE 2026 site=${long}: 2-11 10`,
      "SITE 2026 site=ü 1: 2-11 10",
      "STEP  : 15-60 10",
      "WAS   (new): 2-11 10",
      "WAS 2026 : unreachable",
    ]);
    await close(stores);
    const next = directory.open();
    const [sg, step, day, near, sites, was] = await goOn(next, [
      draw("SG"),
      draw("STEP"),
      draw("DAY", { documentDate: "2026-11-22" }),
      draw("NEAR"),
      draw("SITE", site(long)),
      draw("WAS"),
    ]);
    t.match(sg, { ranges: [{ first: 12 }] });
    t.match(step, { ranges: [{ first: 65 }] });
    t.match(day, { ranges: [{ first: 11 }], period: "2026-11-22" });
    t.match(near, { kind: "refused", code: "EXHAUSTED" });
    t.match(sites, { ranges: [{ first: 12 }] });
    t.match(was, { ranges: [{ first: 12 }] });
    await close(next);
  },
);

t.test("what was skipped stands in the audit trail: from where to where, and why", async (t) => {
  const old = oldCluster([batch("SG", 5)]);
  const directory = new Directory();
  const stores = directory.open();
  const report = await restore(stores, partsOf(await backupOf(old)), { ...CLUSTER, safetyDistance: 1000 });
  const { machine } = replicatedOf(stores);
  const queries = new SequenceQueries(stores.state, machine, () => Promise.resolve());
  const answer = await queries.run({ kind: "audit", prefix: "SG", after: "", limit: 10, filter: {} }, CLUSTER.now);
  const records: readonly AuditRecord[] = answer.kind === "audit" ? answer.records : [];
  t.match(records, [
    { kind: "drawn", messageId: "3-0", count: 5 },
    {
      kind: "reset",
      principal: "restore",
      oldValue: 5,
      newValue: 1005,
      skipped: { first: 6, last: 1005 },
      time: CLUSTER.now,
      reason: "restored from the backup of cluster c0ffee as of entry 3 of 2026-11-20T08:00:00.000Z",
    },
  ]);
  t.ok(readJournal(stores.state, report.end.index), "the last entry is journalled");
  await close(stores);
});

t.test(
  "the safety distance holds: neither a reset nor another reset rule leads back into it without force",
  async (t) => {
    const old = oldCluster([configure("INV", { template: "%s%d-%04d" }), batch("INV", 3), batch("SG", 3)]);
    const directory = new Directory();
    const stores = directory.open();
    await restore(stores, partsOf(await backupOf(old)), { ...CLUSTER, safetyDistance: 1000 });
    const results = await goOn(stores, [
      reset("SG", 3),
      draw("SG"),
      configure("INV", { resetRule: "yearly" }),
      draw("INV"),
      reset("SG", 3, { force: true }),
    ]);
    t.match(results, [
      { kind: "refused", code: "CONFLICT" },
      { kind: "drawn", ranges: [{ first: 1004 }] },
      { kind: "configured" },
      { kind: "drawn", ranges: [{ first: 1004 }], period: "2026" },
      { kind: "reset", epoch: 1 },
    ]);
    await close(stores);
  },
);

t.test("a clock that is behind the backup's stamps no earlier time", async (t) => {
  const old = oldCluster([draw("SG")]);
  const stores = new Directory().open();
  await restore(stores, partsOf(await backupOf(old)), { ...CLUSTER, safetyDistance: 5, now: NOVEMBER - DAY_MS });
  t.equal(replicatedOf(stores).replicated.time, NOVEMBER);
  await close(stores);
});

t.test("a backup that is damaged or cut off leaves the directory as empty as it was", async (t) => {
  const old = oldCluster([draw("SG"), draw("PO")]);
  const bytes = await backupOf(old);
  const directory = new Directory();
  for (const place of [3, 60, bytes.length >> 1, bytes.length - 5]) {
    const flipped = Buffer.from(bytes);
    flipped.writeUInt8(flipped.readUInt8(place) ^ 0x10, place);
    for (const wrong of [flipped, bytes.subarray(0, place)]) {
      const stores = directory.open();
      await t.rejects(restore(stores, partsOf(wrong), CLUSTER), SnapshotDamaged);
      await close(stores);
      const after = directory.open();
      t.ok(after.log.recovery.empty);
      t.throws(() => survey(after, 1), /never belonged to a cluster/);
      await close(after);
    }
  }
  const stores = directory.open();
  t.match(await restore(stores, partsOf(bytes), CLUSTER), { end: { index: 5 } });
  await close(stores);
});

t.test("a directory with anything in it is not restored into", async (t) => {
  const bytes = await backupOf(oldCluster([draw("SG")]));
  const directory = new Directory();
  const stores = directory.open();
  await restore(stores, partsOf(bytes), CLUSTER);
  await close(stores);
  const again = directory.open();
  await t.rejects(restore(again, partsOf(bytes), CLUSTER), /holds something already/);
  t.match(survey(again, 1), { configuration: { clusterId: "facade" } });
  await close(again);
});

t.test("rows of another entry than the header says, and a clock that cannot be right, are refused", async (t) => {
  const old = oldCluster([draw("SG")]);
  const other = { rows: old.rows, log: oldCluster([draw("SG"), draw("SG")]).log };
  const stores = new Directory().open();
  await t.rejects(restore(stores, partsOf(await backupOf(other)), CLUSTER), RecoveryRefused);
  await close(stores);
  const next = new Directory().open();
  const tooFar = { ...CLUSTER, safetyDistance: 1, now: Date.UTC(2060, 0) };
  await t.rejects(restore(next, partsOf(await backupOf(old)), tooFar), /Set the clock first/);
  await close(next);
});

t.test("killed at any moment, the directory is as empty as it was, or the new cluster stands", async (t) => {
  const bytes = await backupOf(oldCluster([draw("SG"), draw("PO"), draw("QUO")]));
  const seen = new Set<string>();
  for (let work = 0; work < 1000; work++) {
    const directory = new Directory();
    const { stores, death } = directory.openUntil(work);
    const cluster = { ...CLUSTER, safetyDistance: 10 };
    const outcome = await Promise.race([death, restore(stores, partsOf(bytes), cluster).then(() => "done")]);
    directory.crash(work % 2 === 0 ? "lost" : "durable");
    const after = directory.open();
    if (after.log.recovery.empty) {
      seen.add(`${outcome} empty`);
      t.match(await restore(after, partsOf(bytes), cluster), { end: { index: 10 } }, `again, after ${work}`);
    } else {
      seen.add(`${outcome} restored`);
      t.match(survey(after, 1), { configuration: { clusterId: "facade" }, seat: "voter" });
      await leadAlone(after);
    }
    await close(after);
    if (outcome === "done") break;
  }
  t.same([...seen].sort(), ["died empty", "died restored", "done restored"]);
});
