import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { type NewCluster, recoverNewCluster } from "../../src/recovery/recover-new-cluster.js";
import { restore } from "../../src/recovery/restore.js";
import { checkpoint, writeLog } from "../../src/recovery/stores.js";
import { survey } from "../../src/recovery/survey.js";
import { openLevelLogStore } from "../../src/storage/level-log-store.js";
import { openLevelStateStore } from "../../src/storage/level-state-store.js";
import { SnapshotDecoder, SnapshotEncoder, type SnapshotPart } from "../../src/storage/snapshot-stream.js";
import type { StateRow, StateStore } from "../../src/storage/state-store.js";
import { FOUNDERS, LogWriter } from "../machine/sequence-node.js";
import { batch, draw } from "../sequence/world.js";
import { close, leadAlone, type OpenStores, replicatedOf } from "./directory.js";

async function openStores(directory: string): Promise<OpenStores> {
  const log = await openLevelLogStore({ directory: join(directory, "log"), nodeId: 1, randomId: () => "a".repeat(32) });
  const { storeId, recovery } = log;
  const state = await openLevelStateStore({
    directory: join(directory, "state"),
    generation: recovery.stateGeneration,
    nodeId: 1,
    storeId,
    notice: (message) => t.fail(message),
  });
  return { log, state };
}

async function rowsOf(state: StateStore): Promise<readonly StateRow[]> {
  const view = state.openView();
  const all: StateRow[] = [];
  for (;;) {
    const rows = await new Promise<readonly StateRow[]>((resolve, reject) => {
      view.next(100_000, (failure, page) => (failure === undefined ? resolve(page) : reject(failure)));
    });
    if (rows.length === 0) break;
    all.push(...rows);
  }
  view.close();
  return all;
}

/** A node of the old cluster, and what a backup of it is made of. */
async function backedUp(directory: string): Promise<SnapshotPart[]> {
  const stores = await openStores(directory);
  const log = new LogWriter();
  log.append({ kind: "configuration", configuration: FOUNDERS });
  log.register(1);
  log.one(2, 1, batch("SG", 1000));
  log.one(2, 2, draw("PO"));
  await new Promise<void>((resolve) => stores.log.found({ ...FOUNDERS, clusterId: "" }, () => resolve()));
  await writeLog(stores.log, { hardState: { term: 1, votedFor: 1 }, entries: log.entries });
  const node = replicatedOf(stores);
  for (const entry of log.entries) node.apply(entry);
  node.replicated.flush();
  await checkpoint(stores.state);
  const encoder = new SnapshotEncoder();
  const chunks = [
    encoder.header({
      clusterId: FOUNDERS.clusterId,
      position: node.replicated.applied,
      configuration: FOUNDERS,
      currentTerm: 1,
      time: log.time,
      nodeId: 1,
      version: "1",
    }),
    encoder.rows(await rowsOf(stores.state)),
    encoder.end(),
  ];
  await close(stores);
  const decoder = new SnapshotDecoder();
  return chunks.map((chunk) => decoder.take(chunk));
}

async function* inOrder(parts: readonly SnapshotPart[]): AsyncGenerator<SnapshotPart> {
  yield* parts;
}

t.test("on LevelDB: restored, started, lost again and recovered, the numbers go on", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "folio-recovery-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const parts = await backedUp(join(folder, "old"));
  const cluster: NewCluster = {
    nodeId: 1,
    address: "here:7070",
    clusterId: "facade",
    safetyDistance: 100,
    now: Date.UTC(2026, 10, 20, 9),
  };
  const target = join(folder, "new");
  const fresh = await openStores(target);
  const { end } = await restore(fresh, inOrder(parts), cluster);
  await close(fresh);

  const started = await openStores(target);
  t.match(survey(started, 1), { configuration: { clusterId: "facade" }, applied: end, logEnd: end });
  const core = await leadAlone(started);
  t.equal(core.applicableIndex, end.index + 1);
  await close(started);

  const lost = await openStores(target);
  const report = await recoverNewCluster(lost, { ...cluster, clusterId: "decade", safetyDistance: 0 });
  t.match(report, { before: { configuration: { clusterId: "facade" } }, end: { index: end.index + 2 } });
  const { machine } = replicatedOf(lost);
  t.equal(machine.tables.series("SG", "", "")?.current, 1100);
  t.equal(machine.tables.series("PO", "", "")?.current, 101);
  await close(lost);
});
