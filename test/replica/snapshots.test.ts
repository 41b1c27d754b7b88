import t from "tap";
import { LIMITS } from "../../src/replica/options.js";
import { aFollower, clusterOf, fetched, isFetching, LARGE_LINES, SLOW, SMALL } from "./away.js";
import { Load } from "./load.js";
import type { VirtualNode } from "./virtual-cluster.js";

// Nodes that were away for longer than the log reaches back.

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

t.test(
  "the leader stands still while it sends a snapshot: the next one does not wait for it (seed 100198)",
  async (t) => {
    const cluster = await clusterOf(3, SLOW);
    const away = aFollower(cluster);
    const load = new Load(cluster, LARGE_LINES);
    await away.crash();
    load.run(
      cluster.nodes.filter((node) => node !== away),
      300,
    );
    load.untilAnswered();
    await away.start();
    cluster.time.until(() => isFetching(away));
    const { leader } = cluster;
    load.run([leader], 20);
    load.untilAnswered();
    t.ok(isFetching(away), "it is on its way");
    leader.time.pause();
    // Without the one that was away the other has no majority: it has to come in before anything can be drawn.
    cluster.time.until(() => fetched(away) === 1, LIMITS.snapshotStallMs / 2);
    t.ok(away.snapshots.some(({ peer, failure }) => peer === leader.id && failure !== undefined));
    leader.time.resume();
    cluster.untilReady();
    t.equal(load.violation(), undefined);
  },
);

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

t.test("who is slow to catch up behind its snapshot needs no other: the log waits for it, up to a limit", async (t) => {
  const entriesMax = 1200;
  const cluster = await clusterOf(3, {
    logEntriesMax: entriesMax,
    logTailEntries: 100,
    snapshotBytesPerSecond: 2_800_000,
  });
  const away = aFollower(cluster);
  let drawn = 0;
  const draw = (bytes: number) => {
    cluster.leader.propose(`${drawn++}${".".repeat(bytes)}`);
    cluster.time.advance(1);
  };
  await away.crash();
  for (let line = 0; line < 200; line++) draw(10_000);
  for (let line = 0; line < entriesMax + 300; line++) draw(5);
  await away.start();
  const lag = () => (cluster.leader.replica?.appliedIndex ?? 0) - (away.replica?.appliedIndex ?? 0);
  let most = 0;
  for (let line = 0; line < 5 * entriesMax; line++) {
    draw(5);
    // From now on its disk takes longer than the leader takes to its next checkpoint, and cut.
    if (fetched(away) > 0) away.syncMs = 300;
    most = Math.max(most, cluster.leader.replica?.core?.entryCount ?? 0);
  }
  t.ok(lag() < entriesMax, "it keeps up");
  t.equal(fetched(away), 1);
  t.ok(most <= 2 * entriesMax + 600, `the log stayed within its hard limit: ${most}`);
});

t.test("a node that cannot fetch its snapshot does not fill the log with registrations of its session", async (t) => {
  const cluster = await clusterOf(3, { logEntriesMax: 10, logTailEntries: 0 });
  const away = aFollower(cluster);
  await away.crash();
  for (let line = 0; line < 40; line++) {
    cluster.leader.propose(`${line}`);
    cluster.time.advance(50);
  }
  cluster.time.advance(2000);
  cluster.loses = ({ kind }) => kind === "chunk";
  await away.start();
  const before = cluster.leader.replica?.appliedIndex ?? 0;
  cluster.time.advance(600_000);
  t.ok((cluster.leader.replica?.appliedIndex ?? 0) - before < 5, "ten minutes of nothing");
  cluster.loses = () => false;
  cluster.untilReady();
});

t.test(
  "a store whose seat is given to another while it installs a snapshot writes that down, and ends when told to",
  async (t) => {
    const cluster = await clusterOf(3, SLOW);
    const away = aFollower(cluster);
    const [other] = cluster.nodes.filter((node) => node !== away);
    const load = new Load(cluster, LARGE_LINES);
    await away.crash();
    load.run(
      cluster.nodes.filter((node) => node !== away),
      300,
    );
    load.untilAnswered();
    away.syncMs = 200;
    await away.start();
    cluster.time.until(() => isFetching(away));
    const { leader } = cluster;
    const gone = leader.change({ kind: "remove", nodeId: away.id });
    cluster.time.until(() => gone.reply !== undefined, 1000);
    const storeId = "0123456789abcdef0123456789abcdef";
    const added = leader.change({ kind: "add", nodeId: away.id, storeId, address: "node-9:7070" });
    cluster.time.until(() => added.reply !== undefined, 1000);
    const core = away.replica?.core;
    if (core === undefined || other === undefined) throw new Error("the node has its seat, as far as it knows");
    let isWriting: boolean | undefined;
    const install = core.installSnapshot.bind(core);
    core.installSnapshot = (snapshot, now) => {
      isWriting = core.state.inFlight !== undefined;
      return install(snapshot, now);
    };
    // Refused polls of higher terms keep its slow disk busy: the snapshot comes while a write is in flight.
    cluster.time.until(() => {
      if (away.replica?.core === undefined) return true;
      const term = core.term + 1;
      const refusal = { type: "voteReply", from: other.id, to: away.id, term, preVote: true, granted: false } as const;
      if (core.state.inFlight === undefined) core.receive(refusal, cluster.time.now);
      away.replica.read(1, { ready: () => {}, fail: () => {} });
      return false;
    }, 60_000);
    t.equal(isWriting, true, "a write was in flight when the snapshot was installed");
    cluster.time.until(() => fetched(away) === 1);
    let hasStopped = false;
    const stopped = away.replica?.stop().then(() => {
      hasStopped = true;
    });
    cluster.time.advance(2000);
    await Promise.race([stopped, new Promise(setImmediate)]);
    t.ok(hasStopped, "it ends when it is told to");
    await away.crash();
    await away.start();
    t.equal(away.replica?.core, undefined, "it knows from its disk that the seat is another's");
  },
);
