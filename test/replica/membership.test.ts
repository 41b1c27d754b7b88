import t from "tap";
import { Load } from "./load.js";
import { VirtualCluster, type VirtualNode } from "./virtual-cluster.js";

// Members come and go while the cluster serves.

const SMALL = { logEntriesMax: 100, logTailEntries: 20 };

async function readyCluster(size: number, seed = 1): Promise<VirtualCluster> {
  const cluster = new VirtualCluster(size, seed);
  cluster.options = SMALL;
  await cluster.start();
  cluster.untilReady();
  return cluster;
}

/** Starts an empty node and has it let in as a learner. */
async function letIn(cluster: VirtualCluster, id: number): Promise<VirtualNode> {
  const node = cluster.joiner(id);
  await node.start();
  const { storeId, address } = node;
  cluster.changed({ kind: "add", nodeId: id, storeId, address });
  return node;
}

function kindOf(cluster: VirtualCluster, id: number): string | undefined {
  return cluster.leader.replica?.core?.configuration.members.find((member) => member.id === id)?.kind;
}

function isReadable(cluster: VirtualCluster, node: VirtualNode): boolean {
  let isRead = false;
  node.replica?.read(5000, { ready: () => (isRead = true), fail: () => undefined });
  cluster.time.until(() => isRead, 6000);
  return isRead;
}

t.test("an empty node joins under load, serves reads and forwards writes, and does not count", async (t) => {
  for (let seed = 1; seed <= 5; seed++) {
    const cluster = await readyCluster(3, seed);
    const load = new Load(cluster);
    load.run(cluster.nodes, 300);
    const founders = [...cluster.nodes];
    const joiner = await letIn(cluster, 4);
    load.runUntil(
      () => founders,
      () => joiner.isReady,
    );
    load.run([joiner], 50);
    load.untilAnswered();
    t.same(load.failed, []);
    t.ok(isReadable(cluster, joiner));
    t.equal(joiner.machine?.lines.length, load.draws.length, "a read waits until everything before it is there");
    t.equal(load.violation(), undefined);
    t.equal(kindOf(cluster, 4), "learner");
    for (const follower of cluster.followers) if (follower !== joiner) await follower.crash();
    cluster.time.advance(3000);
    t.equal(cluster.nodes.filter((node) => node.replica?.view().healthy === true).length, 0, "a learner is no quorum");
  }
});

t.test("a learner that hears no leader is not ready, until it hears one again", async (t) => {
  const cluster = await readyCluster(3);
  const learner = await letIn(cluster, 4);
  cluster.time.until(() => learner.isReady);
  for (const { id } of cluster.founders) cluster.network.cut(4, id);
  cluster.time.advance(1000);
  t.match(learner.replica?.view().reason, /leader has not been heard/);
  for (const { id } of cluster.founders) cluster.network.heal(4, id);
  cluster.time.until(() => learner.isReady, 5000);
  t.equal(kindOf(cluster, 4), "learner");
});

t.test("a learner that has caught up is promoted, and its vote counts from then on", async (t) => {
  const cluster = await readyCluster(3);
  const load = new Load(cluster);
  load.run(cluster.nodes, 150);
  const joiner = await letIn(cluster, 4);
  cluster.changed({ kind: "promote", nodeId: 4 });
  t.equal(kindOf(cluster, 4), "voter");
  t.equal(cluster.changed({ kind: "promote", nodeId: 4 }).outcome, "done", "to ask again does no harm");
  const [dies] = cluster.followers.filter((node) => node !== joiner);
  await dies?.crash();
  load.run([joiner], 20);
  load.untilAnswered();
  t.same(load.failed, []);
  t.equal(cluster.changed({ kind: "transfer", nodeId: 4 }).outcome, "done");
  t.equal(cluster.leader, joiner);
  load.run([joiner], 20);
  load.untilAnswered();
  t.same(load.failed, []);
});

t.test("a follower is removed: it says so, its waiters end as not executed, and it disturbs nobody", async (t) => {
  const cluster = await readyCluster(3);
  const [removed] = cluster.followers;
  if (removed === undefined) throw new Error("there is no follower");
  const load = new Load(cluster);
  load.run(cluster.nodes, 30);
  t.equal(cluster.changed({ kind: "remove", nodeId: removed.id }).outcome, "done");
  const late = removed.propose("too late");
  cluster.time.until(() => late.failure !== undefined, 1000);
  t.equal(late.failure, "NOT_EXECUTED");
  t.match(removed.replica?.view().reason, /was removed from the cluster/);
  t.match(removed.replica?.view().reason, `\`folio members add ${removed.id} ${removed.address} --voter\``);
  t.equal(removed.isReady, false);
  const { leader } = cluster;
  const others = cluster.nodes.filter((node) => node !== removed);
  const changes = leader.transitions.length;
  load.run(others, 300, 20);
  load.untilAnswered();
  t.same(load.failed, []);
  t.equal(leader.transitions.length, changes, "nobody stood, nothing changed");
  t.equal(cluster.changed({ kind: "remove", nodeId: removed.id }).outcome, "done", "to ask again does no harm");
});

t.test("commands under way at a node that is removed end with the truth", async (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const cluster = await readyCluster(3, seed);
    const [removed] = cluster.followers;
    if (removed === undefined) throw new Error("there is no follower");
    const load = new Load(cluster);
    load.run([removed], 20, 0.3);
    cluster.leader.change({ kind: "remove", nodeId: removed.id });
    load.run([removed], 20, 0.3);
    load.untilAnswered();
    t.notOk(
      load.draws.some(({ answer }) => answer.failure === "OUTCOME_UNKNOWN"),
      "it applied its own removal, so it knows",
    );
    t.ok(load.failed.length > 0, "what came too late");
    await removed.crash();
    t.equal(load.violation(), undefined);
  }
});

t.test("the leader is removed: it hands over first, and whoever asked is told where to go on", async (t) => {
  const cluster = await readyCluster(3);
  const before = cluster.leader;
  const load = new Load(cluster);
  const others = cluster.nodes.filter((node) => node !== before);
  const asked = before.change({ kind: "remove", nodeId: before.id });
  load.runUntil(
    () => others,
    () => asked.reply !== undefined,
  );
  t.match(asked.reply, { outcome: "notLeader", leaderAddress: `node-${cluster.leader.id}:7070` });
  t.not(cluster.leader, before);
  t.equal(cluster.changed({ kind: "remove", nodeId: before.id }).outcome, "done");
  load.run(others, 50);
  load.untilAnswered();
  t.same(load.failed, []);
  t.match(before.replica?.view().reason, /was removed/);
});

t.test("a leader that cannot hand over removes itself, and leads until that has committed", async (t) => {
  const cluster = await readyCluster(3);
  const before = cluster.leader;
  const others = cluster.nodes.filter((node) => node !== before);
  cluster.filter = (_from, _to, messages) => messages.filter(({ type }) => type !== "timeoutNow");
  const load = new Load(cluster);
  const asked = before.change({ kind: "remove", nodeId: before.id });
  load.runUntil(
    () => others,
    () => asked.reply !== undefined,
  );
  t.equal(asked.reply?.outcome, "done");
  load.runUntil(
    () => others,
    () => others.some((node) => node.replica?.isLeader === true),
  );
  load.untilAnswered();
  t.same(load.failed, []);
  t.equal(before.replica?.isLeader, false);
  await before.crash();
  t.equal(load.violation(), undefined);
});

t.test("a removed node is let in again, with its old store or with an empty one", async (t) => {
  for (const isWiped of [false, true]) {
    for (const isAway of [false, true]) {
      const cluster = await readyCluster(3);
      const [node] = cluster.followers;
      if (node === undefined) throw new Error("there is no follower");
      const others = cluster.nodes.filter((other) => other !== node);
      const load = new Load(cluster);
      load.run(cluster.nodes, 30);
      if (isAway) await node.crash();
      cluster.changed({ kind: "remove", nodeId: node.id });
      load.run(others, 200);
      if (!isAway) await node.crash();
      if (isWiped) node.wipe();
      await node.start();
      load.run(others, 50);
      t.equal(node.isReady, false);
      cluster.changed({ kind: "add", nodeId: node.id, storeId: node.storeId, address: node.address });
      load.runUntil(
        () => others,
        () => node.isReady,
      );
      cluster.changed({ kind: "promote", nodeId: node.id });
      load.run(cluster.nodes, 50);
      load.untilAnswered();
      t.same(load.failed, []);
      t.equal(load.violation(), undefined);
    }
  }
});

t.test("a cluster grows from one to five and shrinks to three: no draw fails, none acts twice", async (t) => {
  for (let seed = 1; seed <= 5; seed++) {
    const cluster = await readyCluster(1, seed);
    const load = new Load(cluster);
    let drawing = [...cluster.nodes];
    load.run(drawing, 150);
    for (const id of [2, 3, 4, 5]) {
      const joiner = cluster.joiner(id);
      await joiner.start();
      const { storeId, address } = joiner;
      const added = cluster.leader.change({ kind: "add", nodeId: id, storeId, address });
      load.runUntil(
        () => drawing,
        () => added.reply !== undefined && joiner.isReady,
      );
      t.equal(added.reply?.outcome, "done");
      let promoted = cluster.leader.change({ kind: "promote", nodeId: id });
      load.runUntil(
        () => drawing,
        () => {
          if (promoted.reply?.outcome === "refused") promoted = cluster.leader.change({ kind: "promote", nodeId: id });
          return promoted.reply?.outcome === "done";
        },
      );
      drawing = [...drawing, joiner];
      load.run(drawing, 50);
    }
    t.equal(cluster.leader.replica?.core?.configuration.members.length, 5);
    for (let round = 0; round < 2; round++) {
      const leaving = round === 0 ? cluster.leader : drawing.find((node) => node.replica?.isLeader === false);
      if (leaving === undefined) throw new Error("there is nobody to remove");
      drawing = drawing.filter((node) => node !== leaving);
      load.untilAnswered();
      let asked = cluster.leader.change({ kind: "remove", nodeId: leaving.id });
      load.runUntil(
        () => drawing,
        () => {
          if (asked.reply?.outcome === "notLeader")
            asked = cluster.leader.change({ kind: "remove", nodeId: leaving.id });
          return asked.reply?.outcome === "done";
        },
      );
      load.run(drawing, 50);
      await leaving.crash();
    }
    load.untilAnswered();
    t.same(load.failed, []);
    t.equal(load.violation(), undefined);
    t.equal(cluster.leader.replica?.core?.configuration.members.length, 3);
  }
});

// Drawn by lot (random-lives, seed 2282).
t.test("a founder that lost its state, but not its log, hears a leader that came later", async (t) => {
  const cluster = new VirtualCluster(3);
  cluster.options = SMALL;
  await cluster.start();
  cluster.time.until(() => cluster.nodes.some((node) => node.isReady));
  const behind = cluster.nodes.find((node) => node.replica?.isLeader === false);
  if (behind === undefined) throw new Error("there is no follower");
  await behind.crash();
  const others = cluster.nodes.filter((node) => node !== behind);
  const load = new Load(cluster);
  load.run(others, 150);
  const joiner = await letIn(cluster, 4);
  cluster.changed({ kind: "promote", nodeId: 4 });
  cluster.changed({ kind: "transfer", nodeId: 4 });
  load.run(others, 150);
  await behind.start();
  t.equal(behind.replica?.appliedIndex, 0);
  load.runUntil(
    () => [...others, joiner],
    () => behind.isReady,
  );
  load.untilAnswered();
  t.equal(cluster.leader, joiner);
  t.equal(load.violation(), undefined);
});

// Found by the simulator (seed 700079): the joiner's answers were kept from the leader, whose seat it knew as another store's.
t.test("a node with an old configuration follows a leader that holds its seat with a newer store", async (t) => {
  const cluster = await readyCluster(3);
  const load = new Load(cluster);
  load.run(cluster.nodes, 150);
  cluster.loses = ({ kind, to, from }) => kind === "chunk" && (to === 4 || from === 4);
  const joiner = await letIn(cluster, 4);
  cluster.time.until(() => joiner.replica?.core !== undefined);
  const [replaced] = cluster.followers.filter((node) => node !== joiner);
  if (replaced === undefined) throw new Error("there is no follower");
  const { id } = replaced;
  await replaced.crash();
  cluster.changed({ kind: "remove", nodeId: id });
  replaced.wipe();
  replaced.address = "elsewhere:7070";
  await replaced.start();
  cluster.changed({ kind: "add", nodeId: id, storeId: replaced.storeId, address: replaced.address });
  cluster.changed({ kind: "promote", nodeId: id });
  cluster.changed({ kind: "transfer", nodeId: id });
  t.equal(
    joiner.replica?.core?.configuration.members.find((member) => member.id === id)?.storeId === replaced.storeId,
    false,
  );
  cluster.time.advance(200);
  t.equal(joiner.dialled.find((peer) => peer.id === id)?.address, "elsewhere:7070", "where it says that it is");
  cluster.loses = () => false;
  load.runUntil(
    () => cluster.nodes.filter((node) => node !== joiner),
    () => joiner.isReady,
  );
  load.untilAnswered();
  t.equal(load.violation(), undefined);
});

t.test(
  "a node that was removed while it was away says so, instead of waiting for a leader without a word",
  async (t) => {
    const cluster = await readyCluster(3);
    // In this network the node with the higher id dials.
    const node = cluster.followers.at(-1);
    if (node === undefined) throw new Error("there is no follower");
    await node.crash();
    cluster.changed({ kind: "remove", nodeId: node.id });
    cluster.time.advance(2000);
    await node.start();
    cluster.time.until(() => /it was removed while it was away/.test(node.replica?.view().reason ?? ""));
    t.match(node.replica?.view().reason, `\`folio members add ${node.id} ${node.address} --voter\``);
    cluster.changed({ kind: "add", nodeId: node.id, storeId: node.storeId, address: node.address });
    cluster.time.until(() => node.isReady);
  },
);

t.test("a founder whose seat was freed says how it comes back, if it is started with PEERS", async (t) => {
  const cluster = await readyCluster(3);
  const node = cluster.followers.at(-1);
  if (node === undefined) throw new Error("there is no follower");
  await node.crash();
  cluster.changed({ kind: "remove", nodeId: node.id });
  node.wipe();
  await node.start();
  cluster.time.until(() => /stays out of the cluster/.test(node.replica?.view().reason ?? ""));
  t.match(node.replica?.view().reason, `\`folio members add ${node.id} ${node.address} --voter\``);
  t.match(node.replica?.view().reason, "JOIN instead of PEERS");
  cluster.changed({ kind: "add", nodeId: node.id, storeId: node.storeId, address: node.address });
  cluster.time.until(() => node.isReady);
});
