import t from "tap";
import { freeId } from "../../src/replica/member-wording.js";
import { LIMITS } from "../../src/replica/options.js";
import { Load } from "./load.js";
import { VirtualCluster, type VirtualNode } from "./virtual-cluster.js";

// What whoever asks for a change of membership is told.

async function readyCluster(size: number, seed = 1): Promise<VirtualCluster> {
  const cluster = new VirtualCluster(size, seed);
  await cluster.start();
  cluster.untilReady();
  return cluster;
}

async function startJoiner(cluster: VirtualCluster, id: number): Promise<VirtualNode> {
  const node = cluster.joiner(id);
  await node.start();
  return node;
}

function aFollower(cluster: VirtualCluster): VirtualNode {
  const [follower] = cluster.followers;
  if (follower === undefined) throw new Error("there is no follower");
  return follower;
}

function add(node: VirtualNode, nodeId = node.id) {
  return { kind: "add", nodeId, storeId: node.storeId, address: node.address } as const;
}

t.test("only the leader changes members; others name it", async (t) => {
  const cluster = await readyCluster(3);
  const asked = aFollower(cluster).change({ kind: "remove", nodeId: 1 });
  cluster.time.until(() => asked.reply !== undefined);
  const { leader } = cluster;
  t.match(asked.reply, { outcome: "notLeader", leaderId: leader.id, leaderAddress: leader.address });
  const joiner = await startJoiner(cluster, 4);
  t.match(joiner.change({ kind: "promote", nodeId: 1 }).reply, { outcome: "notLeader", leaderAddress: "" });
});

t.test("the leader gives out ids: the same store the same one, another store another one", async (t) => {
  const cluster = await readyCluster(3);
  const { leader } = cluster;
  const requests = ["first", "second", "first", "third"].map((storeId) =>
    leader.change({ kind: "add", nodeId: 0, storeId, address: `${storeId}:7070` }),
  );
  cluster.time.until(() => requests.every(({ reply }) => reply !== undefined));
  t.same(
    requests.map(({ reply }) => [reply?.outcome, reply?.nodeId]),
    [
      ["done", 4],
      ["done", 5],
      ["done", 4],
      ["done", 6],
    ],
  );
  cluster.changed({ kind: "remove", nodeId: 6 });
  t.equal(cluster.changed({ kind: "add", nodeId: 0, storeId: "fourth", address: "x:1" }).nodeId, 7, "no id twice");
  t.equal(cluster.changed({ kind: "add", nodeId: 0, storeId: "first", address: "first:7070" }).nodeId, 4);
});

t.test("an id is above all that were seen; at the end of all ids, the least free one", async (t) => {
  t.equal(freeId([1, 2, 3], 0), 4);
  t.equal(freeId([1, 2, 3], 9), 10);
  t.equal(freeId([0, 1, 2, 65_535], 3), 3);
});

t.test("what the cluster will not have is refused in a sentence", async (t) => {
  const cluster = await readyCluster(3);
  const { leader } = cluster;
  const told = (request: Parameters<VirtualNode["change"]>[0]) => {
    const asked = leader.change(request);
    cluster.time.until(() => asked.reply !== undefined);
    return asked.reply;
  };
  const follower = aFollower(cluster);
  t.match(told({ kind: "add", nodeId: follower.id, storeId: "other", address: "x:1" }), {
    outcome: "refused",
    reason: /seat of node \d belongs to another store: if that is lost for good, remove node \d first/,
  });
  t.match(told({ kind: "add", nodeId: 9, storeId: follower.storeId, address: "x:1" }), {
    outcome: "refused",
    reason: /a member already, as node \d/,
  });
  t.match(told({ kind: "promote", nodeId: 9 }), { outcome: "refused", reason: "Node 9 is not a member." });
  t.match(told({ kind: "transfer", nodeId: 9 }), { outcome: "refused", reason: "Node 9 is no voter." });
  t.match(told({ kind: "transfer", nodeId: leader.id }), { outcome: "done" });
  await startJoiner(cluster, 4);
  cluster.changed({ kind: "add", nodeId: 4, storeId: "never there", address: "x:1" });
  t.match(told({ kind: "promote", nodeId: 4 }), {
    outcome: "refused",
    reason: /Node 4 has not caught up yet: it is \d+ of \d+ entries behind/,
  });
  await follower.crash();
  cluster.time.advance(1000);
  const other = cluster.nodes.find((node) => node !== leader && node !== follower && node.id < 4);
  t.match(told({ kind: "remove", nodeId: other?.id ?? 0 }), {
    outcome: "refused",
    reason: new RegExp(`^Too few of the voters .* Those that do not: ${follower.id}\\. First start them`),
  });
  const vain = leader.change({ kind: "transfer", nodeId: follower.id });
  cluster.time.advance(1);
  t.match(vain.reply, { outcome: "refused", reason: `Node ${follower.id} cannot be reached now: start it first.` });
  const alone = await readyCluster(1);
  const asked = alone.leader.change({ kind: "remove", nodeId: 1 });
  alone.time.until(() => asked.reply !== undefined);
  t.match(asked.reply, { outcome: "refused", reason: /last voter/ });
});

t.test("a store gives up its own seat and nobody else's, and hears of it once that has committed", async (t) => {
  const cluster = await readyCluster(3);
  const { leader } = cluster;
  const seatOf = (nodeId: number) => leader.replica?.core?.configuration.members.find(({ id }) => id === nodeId);
  cluster.changed({ kind: "add", nodeId: 4, storeId: "first", address: "x:1" });
  cluster.changed({ kind: "remove", nodeId: 4, storeId: "another" });
  t.equal(seatOf(4)?.storeId, "first", "the seat is another store's");
  cluster.changed({ kind: "remove", nodeId: 4, storeId: "first" });
  t.equal(seatOf(4), undefined);
  cluster.changed({ kind: "remove", nodeId: 4, storeId: "first" });
  // Votes are heard, entries are not: nothing commits, so a leader that comes next may bring the seat back.
  cluster.changed({ kind: "add", nodeId: 5, storeId: "second", address: "x:1" });
  cluster.filter = (_from, _to, messages) =>
    messages.filter((message) => message.type !== "appendRequest" || message.entries.length === 0);
  const first = leader.change({ kind: "remove", nodeId: 5, storeId: "second" });
  const again = leader.change({ kind: "remove", nodeId: 5, storeId: "second" });
  cluster.time.until(() => first.reply !== undefined && again.reply !== undefined);
  t.equal(seatOf(5), undefined, "it is gone from the membership in force");
  t.match(first.reply, { outcome: "unknown" });
  t.match(again.reply, { outcome: "refused", reason: "Another change of membership is under way." });
});

t.test("changes asked for at once are carried out one after the other", async (t) => {
  const cluster = await readyCluster(5);
  const { leader } = cluster;
  const requests = [
    ...[6, 7, 8].map((nodeId) => leader.change({ kind: "add", nodeId, storeId: `store-${nodeId}`, address: "x:1" })),
    ...cluster.followers.slice(0, 2).map(({ id: nodeId }) => leader.change({ kind: "remove", nodeId })),
  ];
  cluster.time.until(() => requests.every(({ reply }) => reply !== undefined));
  t.ok(requests.every(({ reply }) => reply?.outcome === "done"));
  t.equal(leader.replica?.core?.configuration.members.length, 6);
});

t.test("what cannot commit in time ends as unknown, and what could not begin as refused", async (t) => {
  const cluster = await readyCluster(3);
  const { leader } = cluster;
  // Votes are heard, entries are not: the leader goes on, and nothing commits.
  cluster.filter = (_from, _to, messages) =>
    messages.filter((message) => message.type !== "appendRequest" || message.entries.length === 0);
  const first = leader.change({ kind: "add", nodeId: 4, storeId: "a", address: "x:1" });
  const second = leader.change({ kind: "add", nodeId: 5, storeId: "b", address: "x:1" });
  const startedAt = cluster.time.now;
  cluster.time.until(() => first.reply !== undefined && second.reply !== undefined);
  t.ok(cluster.time.now - startedAt <= LIMITS.memberChangeMs + 200);
  t.match(first.reply, { outcome: "unknown", reason: "The change has not committed yet." });
  t.match(second.reply, { outcome: "refused", reason: "Another change of membership is under way." });
  cluster.filter = (_from, _to, messages) => messages;
  t.equal(cluster.changed({ kind: "add", nodeId: 4, storeId: "a", address: "x:1" }).outcome, "done");
});

t.test("a change that another leader replaces never happened, and whoever asked is told so", async (t) => {
  const cluster = await readyCluster(3);
  const before = cluster.leader;
  for (const node of cluster.followers) cluster.network.cut(before.id, node.id);
  const asked = before.change({ kind: "add", nodeId: 4, storeId: "a", address: "x:1" });
  cluster.time.advance(0.5);
  t.equal(before.replica?.core?.configuration.members.length, 4, "in force at once");
  cluster.time.until(() => cluster.nodes.some((node) => node !== before && node.replica?.isLeader === true));
  for (const node of cluster.nodes) if (node !== before) cluster.network.heal(before.id, node.id);
  cluster.time.until(() => asked.reply !== undefined);
  t.match(asked.reply, { outcome: "notLeader" });
  t.equal(before.replica?.core?.configuration.members.length, 3, "and rolled back");
  cluster.time.until(() => before.isReady);
});

t.test("leadership goes where it is asked to go, or somewhere", async (t) => {
  const cluster = await readyCluster(3);
  for (const nodeId of [1, 2, 3, 1]) {
    t.match(cluster.changed({ kind: "transfer", nodeId }), { outcome: "done", leaderId: nodeId });
    t.equal(cluster.leader.id, nodeId);
  }
  const before = cluster.leader;
  const asked = before.change({ kind: "transfer", nodeId: undefined });
  cluster.time.until(() => asked.reply !== undefined);
  t.equal(asked.reply?.outcome, "done");
  t.not(cluster.leader, before);
  cluster.filter = (_from, _to, messages) => messages.filter(({ type }) => type !== "timeoutNow");
  const vain = cluster.leader.change({ kind: "transfer", nodeId: before.id });
  cluster.time.until(() => vain.reply !== undefined);
  t.match(vain.reply, { outcome: "refused", reason: `Node ${before.id} did not take over leadership in time.` });
});

t.test("a member that says it is reached elsewhere is entered there", async (t) => {
  const cluster = await readyCluster(3);
  const moved = aFollower(cluster);
  await moved.crash();
  moved.address = "moved:7070";
  await moved.start();
  const entered = () => cluster.leader.replica?.core?.configuration.members.find(({ id }) => id === moved.id)?.address;
  cluster.time.until(() => entered() === "moved:7070");
  await moved.crash();
  moved.address = "0.0.0.0:7070";
  await moved.start();
  cluster.untilReady();
  cluster.time.advance(2000);
  t.equal(entered(), "moved:7070", "that is no address");
});

t.test("PEERS is tried first, and the configuration's address in turn with it", async (t) => {
  const cluster = await readyCluster(3);
  const node = cluster.node(3);
  await node.crash();
  node.founders = [
    { id: 1, address: "stale:7070" },
    { id: 2, address: "node-2:7070" },
    { id: 3, address: "node-3:7070" },
  ];
  for (const id of [1, 2]) cluster.network.cut(id, 3);
  await node.start();
  cluster.time.advance(100);
  t.equal(node.dialled.find(({ id }) => id === 1)?.address, "stale:7070");
  cluster.time.advance(LIMITS.addressPatienceMs);
  t.equal(node.dialled.find(({ id }) => id === 1)?.address, "node-1:7070");
  for (const id of [1, 2]) cluster.network.heal(id, 3);
  cluster.untilReady();
  cluster.time.advance(2 * LIMITS.addressPatienceMs);
  t.equal(node.dialled.find(({ id }) => id === 1)?.address, "node-1:7070", "what works stays");
});

t.test("a wiped voter stays out, and is replaced through its own seat", async (t) => {
  const cluster = await readyCluster(3);
  cluster.options = { logEntriesMax: 50, logTailEntries: 5 };
  const wiped = aFollower(cluster);
  const others = cluster.nodes.filter((node) => node !== wiped);
  const load = new Load(cluster);
  load.run(cluster.nodes, 50);
  load.untilAnswered();
  await wiped.crash();
  wiped.wipe();
  await wiped.start();
  load.run(others, 50);
  t.match(wiped.replica?.view().reason, /stays out of the cluster: the seat of node \d belongs to store/);
  t.match(wiped.replica?.view().reason, "folio repair --rejoin", "it names the way out");
  const refused = cluster.leader.change(add(wiped));
  cluster.time.until(() => refused.reply !== undefined);
  t.match(refused.reply, { outcome: "refused", reason: /belongs to another store/ });
  cluster.changed({ kind: "remove", nodeId: wiped.id });
  cluster.changed(add(wiped));
  load.runUntil(
    () => others,
    () => wiped.isReady,
  );
  cluster.changed({ kind: "promote", nodeId: wiped.id });
  const [dies] = others.filter((node) => node.replica?.isLeader === false);
  await dies?.crash();
  load.run([wiped], 30);
  load.untilAnswered();
  t.same(load.failed, []);
  await dies?.start();
  cluster.untilReady();
  t.equal(load.violation(), undefined);
});

t.test("a node that stops answers whoever waits for a change", async (t) => {
  const cluster = await readyCluster(3);
  const { leader } = cluster;
  cluster.filter = (_from, _to, messages) =>
    messages.filter((message) => message.type !== "appendRequest" || message.entries.length === 0);
  const begun = leader.change({ kind: "add", nodeId: 4, storeId: "a", address: "x:1" });
  cluster.time.advance(10);
  const waiting = leader.change({ kind: "add", nodeId: 5, storeId: "b", address: "x:1" });
  void leader.replica?.stop();
  cluster.time.advance(10);
  t.equal(begun.reply?.outcome, "unknown");
  t.equal(waiting.reply?.outcome, "refused");
  t.match(leader.change({ kind: "remove", nodeId: 2 }).reply, { outcome: "refused", reason: /shutting down/ });
});

t.test(
  "bug 18: a change whose entry was replaced may still commit, so its fate is open until another one has",
  async (t) => {
    const cluster = await readyCluster(5);
    const { leader } = cluster;
    const [witness, usurper] = cluster.followers as [VirtualNode, VirtualNode];
    let [candidate, hearers] = [usurper.id, [witness.id]];
    cluster.filter = (from, to, messages) =>
      messages.filter((message) => {
        if (message.type === "voteRequest") return from === candidate;
        return message.type !== "appendRequest" || hearers.includes(to);
      });
    const asked = leader.change({ kind: "add", nodeId: 9, storeId: "new", address: "x:1" });
    const [left, right] = [leader.replica?.core, witness.replica?.core];
    if (left === undefined || right === undefined) throw new Error("both have their seats");
    cluster.time.until(() => right.configuration.members.length === 6);
    // It is on two of five when another leader, whom only the old one hears, replaces it there.
    cluster.time.until(() => usurper.replica?.isLeader === true);
    hearers = [leader.id];
    cluster.time.until(() => left.configuration.members.length === 5);
    cluster.time.advance(10);
    t.equal(asked.reply, undefined, "it is gone here, and not lost");
    await usurper.crash();
    [candidate, hearers] = [witness.id, cluster.nodes.map(({ id }) => id)];
    cluster.time.until(() => asked.reply !== undefined);
    t.equal(asked.reply?.outcome, "done");
    t.equal(left.configuration.members.length, 6);
  },
);

t.test("a node that is far behind when it is removed is served until it knows", async (t) => {
  const cluster = await readyCluster(3);
  const { leader } = cluster;
  const [gone, stays] = cluster.followers as [VirtualNode, VirtualNode];
  for (const node of [leader, stays]) cluster.network.cut(gone.id, node.id);
  const load = new Load(cluster);
  load.run([leader, stays], 60);
  load.untilAnswered();
  const asked = leader.change({ kind: "remove", nodeId: gone.id });
  cluster.time.until(() => asked.reply !== undefined);
  for (const node of [leader, stays]) cluster.network.heal(gone.id, node.id);
  cluster.time.until(() => /was removed from the cluster/.test(gone.replica?.view().reason ?? ""), 1000);
  cluster.time.until(() => leader.replica?.core?.peers.includes(gone.id) === false);
  t.same([leader.failure, gone.failure], [undefined, undefined]);
});

t.test(
  "a leader is not removed where a voter is dead: whoever it hands over to knows as little of that one",
  async (t) => {
    for (const [size, dead] of [
      [3, 1],
      [5, 2],
    ] as const) {
      const cluster = await readyCluster(size);
      for (const node of cluster.followers.slice(0, dead)) await node.crash();
      cluster.time.advance(5000);
      const live = cluster.nodes.filter((node) => node.replica !== undefined);
      const goes = cluster.leader;
      const request = { kind: "remove", nodeId: goes.id } as const;
      let asked = goes.change(request);
      // As a caller does that is told who leads now.
      cluster.time.until(() => {
        if (asked.reply?.outcome === "notLeader") asked = cluster.leader.change(request);
        return asked.reply?.outcome === "refused";
      });
      t.match(asked.reply?.reason, /Too few of the voters that there would be answer/);
      const answers = live.map((node) => node.propose("goes on"));
      cluster.time.until(() => answers.every(({ result }) => result !== undefined));
    }
  },
);
