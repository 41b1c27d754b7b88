import t from "tap";
import { LIMITS } from "../../src/replica/options.js";
import { Load } from "./load.js";
import { VirtualCluster, type VirtualNode } from "./virtual-cluster.js";

// Nodes that were away for longer than the log reaches back.

const SMALL = { logEntriesMax: 60, logTailEntries: 10 };
/** With lines of 2 kB, a state of a few hundred of them takes a second or so. */
const SLOW = { logEntriesMax: 200, logTailEntries: 10, snapshotBytesPerSecond: 2_000_000 };
const LARGE_LINES = { lineBytes: 2000 };

async function clusterOf(size: number, options: VirtualCluster["options"], seed = 1): Promise<VirtualCluster> {
  const cluster = new VirtualCluster(size, seed);
  cluster.options = options;
  await cluster.start();
  cluster.untilReady();
  return cluster;
}

function aFollower(cluster: VirtualCluster): VirtualNode {
  const [follower] = cluster.followers;
  if (follower === undefined) throw new Error("there is no follower");
  return follower;
}

function fetched(node: VirtualNode): number {
  return node.snapshots.filter(({ direction, failure }) => direction === "fetched" && failure === undefined).length;
}

function isFetching(node: VirtualNode): boolean {
  return /fetches a snapshot/.test(node.replica?.view().reason ?? "");
}

/** Cuts a node off from all others, or lets it back. */
function setApart(cluster: VirtualCluster, node: VirtualNode, isApart: boolean): void {
  for (const other of cluster.nodes) {
    if (other === node) continue;
    if (isApart) cluster.network.cut(node.id, other.id);
    else cluster.network.heal(node.id, other.id);
  }
}

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

t.test("a node that was away past compaction fetches a snapshot and catches up under load", async (t) => {
  for (let seed = 1; seed <= 10; seed++) {
    const cluster = await clusterOf(3, SMALL, seed);
    const away = aFollower(cluster);
    const others = cluster.nodes.filter((node) => node !== away);
    const load = new Load(cluster);
    await away.crash();
    load.run(others, 300);
    await away.start();
    load.runUntil(
      () => others,
      () => away.isReady,
    );
    load.run(cluster.nodes, 30);
    load.untilAnswered();
    t.equal(fetched(away), 1);
    t.same(load.failed, []);
    t.equal(load.violation(), undefined);
    await away.crash();
    await away.start();
    cluster.untilReady();
    t.equal(load.violation(), undefined, "the installed state is what a restart finds");
  }
});

t.test(
  "what a node waited for while it was away is answered from the snapshot, or goes again and acts once",
  async (t) => {
    for (let seed = 1; seed <= 10; seed++) {
      const cluster = await clusterOf(3, SMALL, seed);
      const away = aFollower(cluster);
      const others = cluster.nodes.filter((node) => node !== away);
      const acted = away.propose("acted while away");
      // The forward arrives; the node hears nothing any more.
      cluster.filter = (_from, to, messages) => (to === away.id ? [] : messages);
      cluster.time.advance(1);
      // This one is sent, and lost.
      cluster.filter = () => [];
      const lost = away.propose("lost on its way");
      cluster.time.advance(1);
      cluster.filter = (_from, _to, messages) => messages;
      setApart(cluster, away, true);
      const late = away.propose("never sent");
      let isRead = false;
      away.replica?.read(10_000, { ready: () => (isRead = true), fail: (message) => t.fail(message) });
      const load = new Load(cluster);
      load.run(others, 300);
      t.equal(acted.result, undefined);
      setApart(cluster, away, false);
      cluster.time.until(() => [acted, lost, late].every(({ result }) => result !== undefined));
      t.equal(fetched(away), 1, "it came with a snapshot, not with entries");
      const lines = cluster.settledLines();
      t.equal(lines[(acted.result ?? 0) - 1], "acted while away", "the very result that its apply returned");
      for (const line of ["acted while away", "lost on its way", "never sent"]) {
        t.equal(lines.filter((other) => other === line).length, 1, line);
      }
      t.ok(isRead);
      t.same(load.failed, []);
    }
  },
);

t.test(
  "a session closed while its node was away: what may have acted ends as unknown, and never acts twice",
  async (t) => {
    const cluster = await clusterOf(3, SMALL);
    const away = aFollower(cluster);
    const others = cluster.nodes.filter((node) => node !== away);
    const acted = away.propose("acted while away");
    cluster.filter = (_from, to, messages) => (to === away.id ? [] : messages);
    cluster.time.advance(1);
    cluster.filter = (_from, _to, messages) => messages;
    setApart(cluster, away, true);
    const sentTooLate = away.propose("sent under a session that was closed");
    const load = new Load(cluster);
    load.run(others, 50);
    cluster.changed({ kind: "remove", nodeId: away.id });
    load.run(others, 200);
    const { id: nodeId, storeId, address } = away;
    cluster.changed({ kind: "add", nodeId, storeId, address });
    setApart(cluster, away, false);
    cluster.time.until(() => [acted, sentTooLate].every(({ failure }) => failure === "OUTCOME_UNKNOWN"));
    cluster.time.until(() => away.isReady);
    const after = away.propose("under the next session");
    cluster.time.until(() => after.result !== undefined);
    const lines = cluster.settledLines();
    t.equal(lines.filter((line) => line === "acted while away").length, 1);
    t.notOk(lines.includes("sent under a session that was closed"));
    t.equal(fetched(away), 1);
  },
);

t.test(
  "whenever a node dies while it installs a snapshot, it comes back with the old state or the new one",
  async (t) => {
    let diedInstalled = 0;
    let diedBefore = 0;
    for (let moment = 0; moment < 40; moment++) {
      const cluster = await clusterOf(3, SMALL);
      const away = aFollower(cluster);
      const others = cluster.nodes.filter((node) => node !== away);
      const load = new Load(cluster);
      await away.crash();
      load.run(others, 200);
      load.untilAnswered();
      await away.start();
      const appliedBefore = away.replica?.appliedIndex ?? 0;
      cluster.time.until(() => isFetching(away));
      cluster.time.advance(moment * 0.15);
      await away.crash(moment % 2 === 0 ? "durable" : "lost");
      await away.start();
      const appliedAfter = away.replica?.appliedIndex ?? 0;
      if (appliedAfter > appliedBefore) diedInstalled++;
      else {
        diedBefore++;
        t.equal(appliedAfter, appliedBefore, "the old state, as it was");
      }
      cluster.untilReady();
      load.run(cluster.nodes, 10);
      load.untilAnswered();
      t.equal(load.violation(), undefined);
      t.equal(away.stateDisks.generations.length, 1, "nothing is left over");
    }
    t.ok(diedInstalled > 5 && diedBefore > 5, `${diedBefore} died before the switch, ${diedInstalled} after`);
  },
);

t.test("the leader dies while it sends a snapshot: the next one sends its own", async (t) => {
  const cluster = await clusterOf(5, SLOW);
  const away = aFollower(cluster);
  const load = new Load(cluster, LARGE_LINES);
  await away.crash();
  const others = () => cluster.nodes.filter((node) => node !== away && node.replica !== undefined);
  load.run(others(), 300);
  await away.start();
  cluster.time.until(() => isFetching(away));
  const { leader } = cluster;
  load.run(others(), 20);
  load.untilAnswered();
  t.ok(isFetching(away), "it is on its way");
  await leader.crash();
  load.runUntil(others, () => away.isReady);
  load.untilAnswered();
  t.same(load.failed, []);
  t.ok(away.snapshots.some(({ peer, failure }) => peer === leader.id && failure !== undefined));
  t.equal(fetched(away), 1);
  await leader.start();
  cluster.untilReady();
  t.equal(load.violation(), undefined);
});

t.test("members change while a snapshot is on its way; the joiner dies under it, and comes back", async (t) => {
  const cluster = await clusterOf(3, SLOW);
  const load = new Load(cluster, LARGE_LINES);
  const founders = [...cluster.nodes];
  load.run(founders, 300);
  const joiner = cluster.joiner(4);
  await joiner.start();
  cluster.changed({ kind: "add", nodeId: 4, storeId: joiner.storeId, address: joiner.address });
  cluster.time.until(() => isFetching(joiner));
  const other = cluster.joiner(5);
  await other.start();
  const added = cluster.leader.change({ kind: "add", nodeId: 5, storeId: other.storeId, address: other.address });
  load.run(founders, 30);
  t.equal(added.reply?.outcome, "done");
  const removed = cluster.followers.find((node) => node.id < 4);
  if (removed === undefined) throw new Error("there is no follower to remove");
  const gone = cluster.leader.change({ kind: "remove", nodeId: removed.id });
  const staying = founders.filter((node) => node !== removed);
  load.run(staying, 30);
  t.equal(gone.reply?.outcome, "done");
  await joiner.crash();
  load.run(staying, 50);
  await joiner.start();
  load.runUntil(
    () => staying,
    () => joiner.isReady && other.isReady,
  );
  cluster.changed({ kind: "promote", nodeId: 4 });
  load.run([...staying, joiner, other], 30);
  load.untilAnswered();
  t.same(load.failed, []);
  await removed.crash();
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

t.test("two snapshots are sent at once, others wait for their turn", async (t) => {
  const cluster = await clusterOf(1, SLOW);
  const load = new Load(cluster, LARGE_LINES);
  const [first] = cluster.nodes;
  if (first === undefined) throw new Error("there is one node");
  load.run([first], 300);
  const joiners: VirtualNode[] = [];
  for (const id of [2, 3, 4, 5]) {
    const joiner = cluster.joiner(id);
    await joiner.start();
    cluster.changed({ kind: "add", nodeId: id, storeId: joiner.storeId, address: joiner.address });
    joiners.push(joiner);
  }
  load.runUntil(
    () => [first],
    () => joiners.every((joiner) => joiner.isReady),
    20,
  );
  load.untilAnswered();
  t.same(load.failed, []);
  t.ok(
    joiners.some(({ snapshots }) =>
      snapshots.some(({ failure }) => /snapshots are (read|being sent)/.test(failure ?? "")),
    ),
  );
  t.equal(load.violation(), undefined);
});

t.test("a snapshot that nobody takes any more ends by itself, and its place is free again", async (t) => {
  const cluster = await clusterOf(3, SLOW);
  const load = new Load(cluster, LARGE_LINES);
  load.run(cluster.nodes, 300);
  const { leader } = cluster;
  const sources: { close(): void }[] = [];
  const refusals: string[] = [];
  const open = () =>
    leader.replica?.openSnapshot((answer) => {
      if ("source" in answer) sources.push(answer.source);
      else refusals.push(answer.refusal);
    });
  open();
  open();
  cluster.time.until(() => sources.length === 2);
  open();
  t.match(refusals, ["2 backups are read from this node already"]);
  cluster.time.advance(LIMITS.snapshotStallMs + 200);
  open();
  cluster.time.until(() => sources.length === 3);
  t.match(leader.snapshots[0], { direction: "sent", peer: undefined, failure: /nobody asked/ });
  for (const source of sources) source.close();
  t.equal(leader.snapshots.length, 3);
});

t.test("stopping ends what is on its way, on either side, and leaves nothing behind", async (t) => {
  for (const side of ["sender", "receiver"] as const) {
    const cluster = await clusterOf(3, SLOW);
    const load = new Load(cluster, LARGE_LINES);
    const away = aFollower(cluster);
    const others = cluster.nodes.filter((node) => node !== away);
    await away.crash();
    load.run(others, 300);
    load.untilAnswered();
    await away.start();
    cluster.time.until(() => isFetching(away));
    cluster.time.advance(200);
    const stopped = side === "sender" ? cluster.leader : away;
    let hasStopped = false;
    void stopped.replica?.stop().then(() => {
      hasStopped = true;
    });
    cluster.time.advance(100);
    await new Promise(setImmediate);
    t.ok(hasStopped);
    t.ok(cluster.nodes.some((node) => node.snapshots.some(({ failure }) => /shutting down/.test(failure ?? ""))));
    await stopped.crash();
    await stopped.start();
    cluster.untilReady();
    t.equal(load.violation(), undefined);
    cluster.time.until(() => cluster.nodes.every(({ stateDisks }) => stateDisks.generations.length === 1), 1000);
  }
});

t.test("a node that is told to stop while a snapshot is put in force stops with the new state", async (t) => {
  const cluster = await clusterOf(3, SMALL);
  const load = new Load(cluster);
  const away = aFollower(cluster);
  const others = cluster.nodes.filter((node) => node !== away);
  await away.crash();
  load.run(others, 300);
  load.untilAnswered();
  await away.start();
  const core = () => away.replica?.core;
  cluster.time.until(() => (core()?.baseIndex ?? 0) > (core()?.durableIndex ?? 0), 5000);
  let hasStopped = false;
  void away.replica?.stop().then(() => {
    hasStopped = true;
  });
  cluster.time.advance(50);
  await new Promise(setImmediate);
  t.ok(hasStopped);
  await away.crash();
  await away.start();
  t.ok((away.replica?.appliedIndex ?? 0) >= 200);
  cluster.untilReady();
  t.equal(load.violation(), undefined);
});

t.test("parts of a snapshot that get lost only cost time", async (t) => {
  const cluster = await clusterOf(3, SLOW);
  const load = new Load(cluster, LARGE_LINES);
  const away = aFollower(cluster);
  const others = cluster.nodes.filter((node) => node !== away);
  await away.crash();
  load.run(others, 300);
  let parts = 0;
  cluster.loses = ({ kind }) => kind === "chunk" && ++parts % 7 === 0;
  await away.start();
  cluster.time.advance(10_000);
  t.ok(
    away.snapshots.length >= 3 && away.snapshots.length < 12,
    `${away.snapshots.length} attempts, further and further apart`,
  );
  t.equal(fetched(away), 0);
  t.same(away.stateDisks.generations.length <= 2, true);
  cluster.loses = () => false;
  load.runUntil(
    () => others,
    () => away.isReady,
    20,
  );
  load.untilAnswered();
  t.equal(load.violation(), undefined);
});
