import { createHash } from "node:crypto";
import t from "tap";
import { JournalBlock } from "../../src/generated/folio/log/v1/log.js";
import { journalKey, readJournal } from "../../src/machine/journal.js";
import type { Configuration } from "../../src/raft/types.js";
import { type NewCluster, recoverNewCluster } from "../../src/recovery/recover-new-cluster.js";
import { RecoveryRefused, writeLog } from "../../src/recovery/stores.js";
import { possibleLoss, survey } from "../../src/recovery/survey.js";
import { LogWriter } from "../machine/sequence-node.js";
import { batch, configure, draw } from "../sequence/world.js";
import { close, Directory, leadAlone, leave, type OpenStores, replicatedOf } from "./directory.js";

/** Node 1's seat is held by the directory's store; the others' as `LogWriter.register` names them. */
function members(directory: Directory, kind: "voter" | "learner" = "voter"): Configuration {
  return {
    clusterId: "c0ffee",
    members: [1, 2, 3].map((id) => ({
      id,
      kind: id === 1 ? kind : "voter",
      storeId: id === 1 ? directory.storeId : `store-${id}`,
      address: `node-${id}:7070`,
    })),
  };
}

const YEARLY = { template: "%s%d-%04d", resetRule: "yearly", maximum: 100 } as const;
const DAILY = { template: "{YYYY}{MM}{DD}-{SEQ}", resetRule: "daily", maximum: 100 } as const;
const DAY_MS = 86_400_000;

/** Entries up to 7: node 2 has session 2, of which the requests 1 to 4 acted. */
function history(configuration: Configuration, invoices: typeof YEARLY | typeof DAILY): LogWriter {
  const log = new LogWriter();
  log.append({ kind: "configuration", configuration });
  log.register(2);
  log.one(2, 1, configure("INV", invoices));
  log.one(2, 2, batch("INV", 5));
  log.term = 4;
  log.append({ kind: "noop" });
  log.time += 1000;
  log.one(2, 3, draw("INV", { idempotencyKey: "k" }));
  log.one(2, 4, draw("PO"));
  return log;
}

async function survivor(options: { applied?: number; kind?: "voter" | "learner"; daily?: true } = {}) {
  const directory = new Directory();
  const configuration = members(directory, options.kind);
  const log = history(configuration, options.daily === true ? DAILY : YEARLY);
  const founding = { ...configuration, clusterId: "" };
  await leave(directory, { founding, entries: log.entries, applied: options.applied ?? 4 });
  return { directory, log, stores: directory.open() };
}

const CLUSTER: NewCluster = {
  nodeId: 1,
  address: "here:7070",
  clusterId: "facade",
  safetyDistance: 0,
  now: Date.UTC(2026, 10, 21),
};

/** Throws unless every block is linked to the one before it; returns how many there are. */
function checkChain({ state }: OpenStores, last: number): number {
  let head: Uint8Array = new Uint8Array();
  let blocks = 0;
  for (let index = 1; index <= last; index++) {
    const bytes = state.get(journalKey(index));
    if (bytes === undefined) continue;
    if (!Buffer.from(JournalBlock.decode(bytes).previousHash).equals(head))
      throw new Error(`block ${index} is not linked`);
    head = createHash("sha256").update(bytes).digest();
    blocks++;
  }
  return blocks;
}

t.test("what a survivor knows is told before anything is changed", async (t) => {
  const { directory, log, stores } = await survivor();
  const known = survey(stores, 1);
  t.match(known, {
    nodeId: 1,
    storeId: directory.storeId,
    configuration: { clusterId: "c0ffee", members: [{ id: 1 }, { id: 2 }, { id: 3 }] },
    seat: "voter",
    term: 4,
    logBase: { index: 0, term: 0 },
    logEnd: { index: 7, term: 4 },
    applied: { index: 4, term: 1 },
    appliedTime: log.time - 1000,
    newestTime: log.time,
  });
  const loss = possibleLoss(known).join("\n");
  t.match(loss, /after entry 7, which is of 2026-11-20T08:00:01.000Z is lost/);
  t.match(loss, /Entries 5 to 7 .* may not have committed/);
  t.match(loss, /2 \(node-2:7070\), 3 \(node-3:7070\) are out for good/);
  await close(stores);
});

t.test("the survivor of a lost quorum goes on alone: all of its log counts, and its next life leads", async (t) => {
  const { directory, log, stores } = await survivor();
  const report = await recoverNewCluster(stores, CLUSTER, directory.planKeeper());
  const configuration = {
    clusterId: "facade",
    members: [{ id: 1, kind: "voter", storeId: directory.storeId, address: "here:7070" }],
  };
  t.match(report, { before: { applied: { index: 4 } }, configuration, end: { index: 8, term: 5 }, series: [] });
  await close(stores);

  const next = directory.open();
  t.match(survey(next, 1), { configuration, seat: "voter", term: 5, applied: { index: 8, term: 5 } });
  const { replicated, machine } = replicatedOf(next);
  t.same(replicated.configuration, configuration, "it is committed: the old cluster is not heard any more");
  t.equal(replicated.isSessionOpen(2), false, "a session of a node that is lost acts no more");
  t.equal(machine.tables.series("INV", "2026", "")?.current, 6, "what was in the log is applied");
  t.equal(checkChain(next, 8), 5);
  const core = await leadAlone(next);
  t.same([core.roleName, core.term, core.applicableIndex], ["leader", 6, 9]);
  t.equal(log.entries.length, 7);
  await close(next);
});

/** Up to where a day was skipped that lies between the newest entry and the first run, and what was known before. */
function skippedIn(stores: OpenStores): { readonly between: number; readonly known: number } {
  const { tables } = replicatedOf(stores).machine;
  const counterOf = (prefix: string, period: string) => tables.series(prefix, period, "")?.current ?? 0;
  return { between: counterOf("INV", "2026-11-21"), known: counterOf("PO", "") };
}

t.test("killed at any moment, the node is as it was, or alone; and another attempt skips all of it", async (t) => {
  const seen = new Set<string>();
  for (let work = 0; work < 1000; work++) {
    const { directory, stores } = await survivor({ daily: true });
    await close(stores);
    const { stores: mortal, death } = directory.openUntil(work);
    const first = { ...CLUSTER, now: CLUSTER.now + 2 * DAY_MS, safetyDistance: 10 };
    const outcome = await Promise.race([
      death,
      recoverNewCluster(mortal, first, directory.planKeeper()).then(() => "done" as const),
    ]);
    directory.crash(work % 2 === 0 ? "lost" : "durable");
    const again = directory.open();
    const { configuration } = survey(again, 1);
    t.ok(["c0ffee", "facade"].includes(configuration.clusterId), `after ${work}`);
    seen.add(`${outcome} ${configuration.clusterId}`);
    const isMarked = directory.plan !== undefined;
    t.equal(isMarked, outcome === "died", "nothing starts on what an interrupted run left");
    // The operator waits a day, and asks for less: what the first run knew and wanted counts.
    const later = { ...CLUSTER, now: first.now + DAY_MS, clusterId: "decade", safetyDistance: 3 };
    const report = await recoverNewCluster(again, later, directory.planKeeper());
    t.equal(report.configuration.clusterId, "decade");
    const { between, known } = skippedIn(again);
    t.ok(between >= 10, `the day between skipped up to ${between}, after ${work}`);
    t.ok(known >= 11, `known series skipped up to ${known}, after ${work}`);
    t.equal(directory.plan, undefined);
    checkChain(again, report.end.index);
    await close(again);
    if (outcome === "done") break;
  }
  t.same([...seen].sort(), ["died c0ffee", "died facade", "done facade"]);
});

t.test("a safety distance is skipped in every series, and the journal says so", async (t) => {
  const { directory, stores } = await survivor();
  const report = await recoverNewCluster(stores, { ...CLUSTER, safetyDistance: 20 }, directory.planKeeper());
  t.match(report.series, [
    {
      prefix: "INV",
      period: "2026",
      scopeKey: "",
      isKnown: true,
      outcome: { range: { first: 7, last: 26 }, slots: 20 },
    },
    { prefix: "PO", period: "", outcome: { kind: "skipped", range: { first: 2, last: 21 }, isLast: false } },
  ]);
  await close(stores);
  const next = directory.open();
  const { machine, replicated } = replicatedOf(next);
  t.equal(machine.tables.series("INV", "2026", "")?.current, 26);
  t.equal(replicated.applied.index, report.end.index);
  const block = readJournal(next.state, report.end.index);
  const [outcome] = (block?.commands ?? []).map(({ payload, record, ordinal }) =>
    machine.outcomeOf(payload, record, { index: block?.index ?? 0, ordinal, time: block?.time ?? 0 }),
  );
  t.match(outcome, { kind: "reset", prefix: "PO", skipped: { first: 2, last: 21 } });
  t.equal(block?.time, CLUSTER.now);
  await leadAlone(next);
  await close(next);
});

t.test("a learner may survive, too, and is told that it may be behind", async (t) => {
  const { directory, stores } = await survivor({ kind: "learner" });
  t.match(possibleLoss(survey(stores, 1)).join("\n"), /was a learner/);
  t.match(await recoverNewCluster(stores, CLUSTER, directory.planKeeper()), {
    configuration: { members: [{ id: 1, kind: "voter" }] },
  });
  await close(stores);
});

t.test("who has nothing to recover is refused, and nothing changes", async (t) => {
  const empty = new Directory().open();
  t.throws(() => survey(empty, 1), RecoveryRefused);
  await close(empty);

  const { directory, stores } = await survivor();
  await t.rejects(
    recoverNewCluster(stores, { ...CLUSTER, nodeId: 2 }, directory.planKeeper()),
    /no member of the cluster/,
  );
  const tooFar = { ...CLUSTER, safetyDistance: 1, now: Date.UTC(2060, 0) };
  await t.rejects(recoverNewCluster(stores, tooFar, directory.planKeeper()), /Set the clock first/);
  await close(stores);
  const same = directory.open();
  t.match(survey(same, 1), { term: 4, logEnd: { index: 7 }, applied: { index: 4 } });
  await close(same);

  const founding = new Directory();
  await leave(founding, { founding: { ...members(founding), clusterId: "" }, entries: [], applied: 0 });
  const founded = founding.open();
  await t.rejects(recoverNewCluster(founded, CLUSTER, founding.planKeeper()), /never committed anything/);
  await close(founded);
});

t.test("a log that lost what the state has applied is not taken for the truth", async (t) => {
  const { directory, stores } = await survivor({ applied: 7 });
  await new Promise<void>((resolve) => {
    stores.log.write({ truncateFrom: 6, entries: [] }, () => resolve());
  });
  await close(stores);
  const short = directory.open();
  t.throws(() => survey(short, 1), /entries are lost here/);
  await t.rejects(recoverNewCluster(short, CLUSTER, directory.planKeeper()), RecoveryRefused);
  await close(short);
});

t.test(
  "a state that is older than where its log begins is said to be, and not that the log lost entries",
  async (t) => {
    const { directory, stores } = await survivor({ applied: 7 });
    const base = { position: { index: 6, term: 4 }, configuration: members(directory), keepsTail: true };
    await writeLog(stores.log, { base, entries: [] });
    await close(stores);
    directory.stateDisks.remove(0);
    const old = directory.open();
    t.throws(() => survey(old, 1), {
      name: "RecoveryRefused",
      message:
        /log begins behind entry 6, but the state has only applied entry 0: .*Recover another node, or restore a backup/,
    });
    await close(old);
  },
);
