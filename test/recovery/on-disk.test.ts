import { cp, mkdir, mkdtemp, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { planKeeperIn } from "../../src/directory-marks.js";
import { fillStores } from "../../src/fill-stores.js";
import { openStores as openNodeStores, openToRecover } from "../../src/node-stores.js";
import { type NewCluster, recoverNewCluster } from "../../src/recovery/recover-new-cluster.js";
import { restore } from "../../src/recovery/restore.js";
import { checkpoint, writeLog } from "../../src/recovery/stores.js";
import { survey } from "../../src/recovery/survey.js";
import { openLevelLogStore } from "../../src/storage/level-log-store.js";
import { StorageFailure } from "../../src/storage/log-store.js";
import { SnapshotDecoder, SnapshotEncoder, type SnapshotPart } from "../../src/storage/snapshot-stream.js";
import type { StateRow, StateStore } from "../../src/storage/state-store.js";
import { FOUNDERS, LogWriter } from "../machine/sequence-node.js";
import { batch, draw } from "../sequence/world.js";
import { failureOf } from "../storage/fixtures.js";
import { close, leadAlone, type OpenStores, replicatedOf } from "./directory.js";

const CLUSTER: NewCluster = {
  nodeId: 1,
  address: "here:7070",
  clusterId: "facade",
  safetyDistance: 100,
  now: Date.UTC(2026, 10, 20, 9),
};

function openStores(dataDir: string): Promise<OpenStores> {
  return openNodeStores({ dataDir, nodeId: 1, notice: (message) => t.fail(message) });
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

async function temporaryFolder(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "folio-recovery-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

t.test("on LevelDB: restored, started, lost again and recovered, the numbers go on", async (t) => {
  const folder = await temporaryFolder(t);
  const parts = await backedUp(join(folder, "old"));
  const target = join(folder, "new");
  const fresh = await openStores(target);
  const { end } = await restore(fresh, inOrder(parts), CLUSTER);
  await close(fresh);

  const started = await openStores(target);
  t.match(survey(started, 1), { configuration: { clusterId: "facade" }, applied: end, logEnd: end });
  const core = await leadAlone(started);
  t.equal(core.applicableIndex, end.index + 1);
  await close(started);

  const lost = await openStores(target);
  const keeper = await planKeeperIn(target);
  const report = await recoverNewCluster(lost, { ...CLUSTER, clusterId: "decade", safetyDistance: 0 }, keeper);
  t.match(report, { before: { configuration: { clusterId: "facade" } }, end: { index: end.index + 2 } });
  const { machine } = replicatedOf(lost);
  t.equal(machine.tables.series("SG", "", "")?.current, 1100);
  t.equal(machine.tables.series("PO", "", "")?.current, 101);
  await close(lost);
});

/** What may become of a log by mistake, and be taken for a log that is still to be made. */
const LOSSES: Readonly<Record<string, (log: string) => Promise<void>>> = {
  "the folder is removed": (log) => rm(log, { recursive: true }),
  "the folder is emptied": async (log) => {
    await rm(log, { recursive: true });
    await mkdir(log);
  },
  "only LOCK is left": async (log) => {
    await rm(log, { recursive: true });
    await mkdir(log);
    await writeFile(join(log, "LOCK"), "");
  },
  "all that was written ahead is cut off": async (log) => {
    for (const name of await readdir(log)) if (name.endsWith(".log")) await truncate(join(log, name));
  },
};

t.test("a log that is lost beside its state is not made anew, and nothing is removed", async (t) => {
  const folder = await temporaryFolder(t);
  const parts = await backedUp(join(folder, "first"));
  const restored = await openStores(join(folder, "later"));
  await restore(restored, inOrder(parts), CLUSTER);
  await close(restored);
  for (const [generation, state] of [
    ["first", "state"],
    ["later", "state-1"],
  ] as const) {
    for (const [loss, lose] of Object.entries(LOSSES)) {
      const dataDir = join(folder, "damaged");
      await rm(dataDir, { recursive: true, force: true });
      await cp(join(folder, generation), dataDir, { recursive: true });
      await lose(join(dataDir, "log"));
      const before = await readdir(dataDir);
      const files = await readdir(join(dataDir, state));
      for (const attempt of ["the first start", "the next one"]) {
        const { code, message } = await failureOf(openStores(dataDir));
        t.equal(code, "DAMAGED", `${generation}: ${loss}, ${attempt}`);
        t.match(message, `The log is missing, though ${state} beside it`);
        t.match(message, /folio repair --rejoin.*folio restore/);
      }
      t.same(await readdir(dataDir), before, "no other log is left behind");
      t.same(await readdir(join(dataDir, state)), files);
    }
  }
});

t.test("a log that lost all but its identity does not take the state with it", async (t) => {
  const dataDir = await temporaryFolder(t);
  const parts = await backedUp(join(dataDir, "old"));
  const restored = await openStores(dataDir);
  await restore(restored, inOrder(parts), CLUSTER);
  const { storeId } = restored.log;
  await close(restored);
  await rm(join(dataDir, "log"), { recursive: true });
  const empty = { directory: join(dataDir, "log"), nodeId: 1, randomId: () => storeId };
  await (await openLevelLogStore(empty)).close();
  const { code, message } = await failureOf(openStores(dataDir));
  t.equal(code, "DAMAGED");
  t.match(message, "The state of generation 0, which the log goes by, is missing");
  t.same((await readdir(dataDir)).sort(), ["log", "old", "state-1"]);
});

t.test("whatever a crash leaves of the very first start, the next one goes on", async (t) => {
  const folder = await temporaryFolder(t);
  const nothing = async () => undefined;
  const emptyLog = (dataDir: string) => mkdir(join(dataDir, "log"));
  const beginnings: Readonly<Record<string, (dataDir: string) => Promise<unknown>>> = {
    "an empty folder": nothing,
    "an empty log folder": emptyLog,
    "LevelDB had begun to make the log": async (dataDir) => {
      await emptyLog(dataDir);
      for (const name of ["LOCK", "LOG", "MANIFEST-000001"]) await writeFile(join(dataDir, "log", name), "");
    },
    "a log and no state": async (dataDir) => {
      const options = { directory: join(dataDir, "log"), nodeId: 1, randomId: () => "a".repeat(32) };
      await (await openLevelLogStore(options)).close();
    },
    "a log and a state that LevelDB had begun to make": async (dataDir) => {
      await close(await openStores(dataDir));
      await rm(join(dataDir, "state"), { recursive: true });
      await mkdir(join(dataDir, "state"));
      await writeFile(join(dataDir, "state", "LOCK"), "");
    },
    "a volume for each of the two": async (dataDir) => {
      for (const name of ["log", "state"]) await mkdir(join(dataDir, name, "lost+found"), { recursive: true });
    },
  };
  for (const [what, leave] of Object.entries(beginnings)) {
    const dataDir = await mkdtemp(join(folder, "node-"));
    await leave(dataDir);
    const stores = await openStores(dataDir);
    t.ok(stores.log.recovery.empty, what);
    await close(stores);
  }
});

t.test(
  "stores that are filled count only when they are whole: an interrupted run is refused, and repeated",
  async (t) => {
    const folder = await temporaryFolder(t);
    const parts = await backedUp(join(folder, "old"));
    const filled = (dataDir: string, then: () => Promise<void>) => {
      const notices: string[] = [];
      const place = { dataDir, nodeId: 1, notice: (message: string) => notices.push(message) };
      const fill = async (stores: OpenStores) => {
        const { end } = await restore(stores, inOrder(parts), CLUSTER);
        await then();
        return end;
      };
      return { end: fillStores(place, fill), notices };
    };
    const interrupted = join(folder, "interrupted");
    const dataDir = join(folder, "new");
    // As kill -9 leaves it: the log is in force already, and the skipping may be half done.
    const first = filled(dataDir, () => cp(dataDir, interrupted, { recursive: true }));
    await first.end;
    await close(await openStores(dataDir));
    t.same(first.notices, []);
    const { code, message } = await failureOf(openStores(interrupted));
    t.equal(code, "DAMAGED");
    t.match(message, /restoring is there: `folio restore` into .*interrupted was interrupted.*Way out: run it again/);
    const again = filled(interrupted, async () => undefined);
    const end = await again.end;
    t.match(again.notices, [/interrupted run of `folio restore` left .* is replaced/]);
    const stores = await openStores(interrupted);
    t.match(survey(stores, 1), { applied: end, logEnd: end });
    await close(stores);
    t.same((await readdir(interrupted)).sort(), ["log", "state-1"]);
  },
);

t.test("filling that fails leaves the folder as it was", async (t) => {
  const folder = await temporaryFolder(t);
  const full = new Error("no space left on device");
  const fail = async () => {
    throw full;
  };
  const there = join(folder, "there");
  await mkdir(there);
  await writeFile(join(there, "restoring"), "");
  for (const dataDir of [join(folder, "a", "b"), there]) {
    await t.rejects(fillStores({ dataDir, nodeId: 1, notice: () => undefined }, fail), full);
  }
  t.same(await readdir(folder), ["there"], "nor is a folder left that was made for it");
  t.same(await readdir(there), []);
  const stores = await openStores(there);
  const { storeId } = stores.log;
  await close(stores);
  await t.rejects(fillStores({ dataDir: there, nodeId: 1, notice: () => undefined }, fail), {
    name: "RecoveryRefused",
    message: /is not empty/,
  });
  const same = await openStores(there);
  t.equal(same.log.storeId, storeId, "what is a node's is never touched");
  await close(same);
});

t.test(
  "a recovery that fails keeps its mark, and what it was begun with; a mark that is damaged starts nothing",
  async (t) => {
    const folder = await temporaryFolder(t);
    const parts = await backedUp(join(folder, "old"));
    const place = { dataDir: join(folder, "node"), nodeId: 1, notice: (message: string) => t.fail(message) };
    await fillStores(place, (fresh) => restore(fresh, inOrder(parts), CLUSTER));
    const stores = await openToRecover(place);
    const knownUntil = survey(stores, 1).newestTime;
    const { log, state } = stores;
    const full = new StorageFailure("WRITE_FAILED", "no space left on device");
    const failing: OpenStores = {
      log: {
        storeId: log.storeId,
        recovery: log.recovery,
        read: (first, last) => log.read(first, last),
        write: (_, done) => setImmediate(done, full),
        found: (_, done) => setImmediate(done, full),
        close: () => log.close(),
      },
      state,
    };
    await t.rejects(recoverNewCluster(failing, CLUSTER, await planKeeperIn(place.dataDir)), full);
    await close(stores);
    const { code, message } = await failureOf(openStores(place.dataDir));
    t.equal(code, "DAMAGED");
    t.match(message, /recovering is there: .*the same --safety-distance 100 or a larger one/);
    const { interrupted } = await planKeeperIn(place.dataDir);
    t.same(interrupted, { knownUntil, safetyDistance: 100 });
    await t.rejects(
      fillStores(place, () => Promise.resolve()),
      /is not empty/,
    );

    await writeFile(join(place.dataDir, "recovering"), "folio recovery format=1 known");
    for (const failure of [
      failureOf(openStores(place.dataDir)),
      failureOf(planKeeperIn(place.dataDir).then(() => stores)),
    ]) {
      t.match(
        (await failure).message,
        /mark of an interrupted `folio recover --new-cluster` is damaged: "folio recovery format=1 known"/,
      );
    }
    await rm(join(place.dataDir, "recovering"));
    await writeFile(join(place.dataDir, "restoring"), "");
    t.match((await failureOf(openToRecover(place))).message, /restoring is there/);
  },
);
