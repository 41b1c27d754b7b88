import t from "tap";
import { aFollower, clusterOf, isFetching, LARGE_LINES, SMALL } from "./away.js";
import { Load } from "./load.js";

// The log is cut, and stays bounded.

t.test("the log stays bounded under a long load, on the leader and on its followers", async (t) => {
  const cluster = await clusterOf(3, SMALL);
  const load = new Load(cluster);
  let most = 0;
  for (let round = 0; round < 100; round++) {
    load.run(cluster.nodes, 20);
    for (const node of cluster.nodes) most = Math.max(most, node.replica?.core?.entryCount ?? 0);
  }
  load.untilAnswered();
  t.ok(cluster.nodes.every((node) => (node.replica?.core?.baseIndex ?? 0) > 1800));
  t.ok(most < 60 + 200, `${most} entries at most: what comes between two checkpoints is added`);
  for (const node of cluster.nodes) {
    await node.crash();
    await node.start();
  }
  cluster.untilReady();
  t.equal(load.violation(), undefined, "a restart goes on from checkpoint and tail");
});

t.test("the log stays bounded by its bytes, too, with few and large entries", async (t) => {
  const cluster = await clusterOf(3, { logEntriesMax: 1_000_000, logTailEntries: 500_000, logBytesMax: 1_000_000 });
  const load = new Load(cluster, { lineBytes: 50_000 });
  let most = 0;
  for (let round = 0; round < 40; round++) {
    load.run(cluster.nodes, 5, 60);
    for (const node of cluster.nodes) most = Math.max(most, node.replica?.core?.logBytes ?? 0);
  }
  load.untilAnswered();
  t.ok(most < 2_000_000, `${most} bytes at most, of 10 million`);
  t.equal(load.violation(), undefined);
});

t.test("what follows a snapshot on its way is kept, but not for ever", async (t) => {
  const cluster = await clusterOf(3, { ...SMALL, snapshotBytesPerSecond: 100_000 });
  const load = new Load(cluster, LARGE_LINES);
  const away = aFollower(cluster);
  const others = cluster.nodes.filter((node) => node !== away);
  await away.crash();
  load.run(others, 300);
  await away.start();
  cluster.time.until(() => isFetching(away));
  const core = () => {
    const { core } = cluster.leader.replica ?? {};
    if (core === undefined) throw new Error("the leader has a core");
    return core;
  };
  cluster.time.until(() => cluster.leader.snapshots.length === 0 && (cluster.leader.replica?.appliedIndex ?? 0) > 300);
  const from = core().lastIndex;
  load.run(others, 80, 10);
  t.ok(core().baseIndex <= from, "more than the maximum is kept");
  load.run(others, 200, 10);
  t.ok(core().baseIndex > from, "beyond twice the maximum, the receiver has to begin anew");
  t.ok(core().entryCount < 2 * SMALL.logEntriesMax + 100);
});
