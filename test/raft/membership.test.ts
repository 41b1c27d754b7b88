import t from "tap";
import type { MemberChange } from "../../src/raft/types.js";
import { CoreCluster, memberOf } from "./core-cluster.js";

/** Node 1 leads, and an entry of its term has committed. */
function led(voters: number, learners = 0, spares = 0): CoreCluster {
  const cluster = new CoreCluster({ voters, learners, spares, seed: 1, clusterId: "c" });
  cluster.timeOut(cluster.node(1));
  cluster.settle();
  return cluster;
}

/** Time passes, messages take 1 ms each. */
function run(cluster: CoreCluster, ms: number): void {
  for (let passed = 0; passed < ms; passed++) {
    cluster.now++;
    cluster.settle();
    for (const node of cluster.nodes) {
      if (node.isUp && node.core.nextDeadline <= cluster.nowAt(node)) cluster.tick(node);
    }
  }
}

function answer(cluster: CoreCluster, change: MemberChange): string {
  const given = cluster.change(cluster.node(1), change);
  return given.kind === "refused" ? given.reason : given.kind;
}

t.test("a change says where its entry stands; it is done when that has committed", (t) => {
  const cluster = led(3);
  const given = cluster.change(cluster.node(1), { kind: "remove", id: 3 });
  t.same(given, { kind: "appended", position: { index: 2, term: 1 } });
  t.equal(cluster.node(1).core.commitIndex, 1);
  cluster.settle();
  t.equal(cluster.node(1).core.commitIndex, 2);
  t.end();
});

t.test("a seat belongs to a store, and a store sits on one seat", (t) => {
  const cluster = led(3, 0, 1);
  const newcomer = memberOf(4, "learner");
  const add = (member: Partial<typeof newcomer>) =>
    answer(cluster, { kind: "addLearner", member: { id: 4, storeId: "store-4", address: "node-4:7070", ...member } });
  t.equal(add({ id: 3 }), "seatTaken", "store-3 sits there");
  t.equal(add({ storeId: "store-3" }), "seatTaken", "it sits on seat 3");
  t.equal(add({}), "appended");
  run(cluster, 30);
  t.equal(add({}), "unchanged", "asked again, as after a lost answer");
  t.equal(add({ address: "moved:7070" }), "appended", "it moved meanwhile");
  run(cluster, 30);
  t.match(cluster.node(2).core.configuration.members[3], { id: 4, kind: "learner", address: "moved:7070" });
  t.end();
});

t.test("members stand in the order of their ids, whoever came when", (t) => {
  const cluster = led(4);
  const ids = () => cluster.node(1).core.configuration.members.map(({ id }) => id);
  t.equal(answer(cluster, { kind: "remove", id: 2 }), "appended");
  run(cluster, 30);
  t.same(ids(), [1, 3, 4]);
  const member = { id: 2, storeId: "another store", address: "node-2:7070" };
  t.equal(answer(cluster, { kind: "addLearner", member }), "appended");
  t.same(ids(), [1, 2, 3, 4]);
  t.end();
});

t.test("a voter that is added again under its own store stays a voter", (t) => {
  const cluster = led(3);
  const { kind, ...member } = memberOf(3, "voter");
  t.equal(answer(cluster, { kind: "addLearner", member }), "unchanged");
  t.equal(cluster.node(1).core.configuration.members[2]?.kind, kind);
  t.end();
});

t.test("a member's address changes like everything about members: by an entry", (t) => {
  const cluster = led(3);
  t.equal(answer(cluster, { kind: "readdress", id: 2, address: "node-2:7070" }), "unchanged");
  t.equal(answer(cluster, { kind: "readdress", id: 9, address: "x:1" }), "unknownMember");
  t.equal(answer(cluster, { kind: "readdress", id: 2, address: "moved:1" }), "appended");
  cluster.settle();
  t.match(cluster.node(3).core.configuration.members[1], { id: 2, kind: "voter", address: "moved:1" });
  t.same(cluster.node(1).core.peers, [2, 3]);
  t.end();
});

t.test("what cannot be changed is refused, each for its reason", (t) => {
  const cluster = led(1, 1);
  t.equal(answer(cluster, { kind: "remove", id: 1 }), "lastVoter");
  t.equal(answer(cluster, { kind: "remove", id: 7 }), "unknownMember");
  t.equal(answer(cluster, { kind: "promote", id: 7 }), "unknownMember");
  t.equal(answer(cluster, { kind: "promote", id: 1 }), "unchanged");
  t.same(cluster.change(cluster.node(2), { kind: "remove", id: 1 }), { kind: "refused", reason: "notLeader" });
  t.end();
});

t.test("a learner goes whether voters answer or not", (t) => {
  const cluster = led(3, 1);
  cluster.crash(cluster.node(3), "lost");
  run(cluster, 150);
  t.equal(answer(cluster, { kind: "remove", id: 4 }), "appended");
  run(cluster, 150);
  t.equal(answer(cluster, { kind: "remove", id: 2 }), "quorumAtRisk", "one of two would be left to decide for both");
  t.end();
});

t.test("a voter that needs a snapshot is not counted on for a change, though it answers (seed 302512)", (t) => {
  const cluster = led(3);
  const leader = cluster.node(1);
  cluster.crash(cluster.node(3), "lost");
  for (let entry = 0; entry < 20; entry++) {
    cluster.propose(leader, `entry ${entry}`);
    cluster.settle();
  }
  leader.checkpoint();
  cluster.compact(leader, leader.core.commitIndex - 1);
  cluster.settle();
  const behind = cluster.node(3);
  cluster.start(behind);
  // It is told to fetch a snapshot, and says that it does; its transfer never begins.
  Object.defineProperty(behind, "fetch", { get: () => undefined, set: () => undefined });
  run(cluster, 150);
  t.equal(leader.core.roleName, "leader");
  t.equal(answer(cluster, { kind: "remove", id: 2 }), "quorumAtRisk");
  t.equal(answer(cluster, { kind: "remove", id: 3 }), "appended");
  t.end();
});

t.test("a new leader makes nobody a voter that lacks the entry which opened its term", (t) => {
  const cluster = led(3, 1);
  cluster.propose(cluster.node(1), "a");
  cluster.settle([1, 2, 3]);
  cluster.mail = [];
  cluster.now += 200;
  cluster.timeOut(cluster.node(2));
  cluster.settle([2, 3]);
  const leader = cluster.node(2);
  t.equal(leader.core.roleName, "leader");
  t.same(cluster.change(leader, { kind: "promote", id: 4 }), { kind: "refused", reason: "notCaughtUp" });
  cluster.settle();
  t.match(cluster.change(leader, { kind: "promote", id: 4 }), { kind: "appended" });
  t.end();
});

t.test("a learner that is an election timeout behind has not caught up", (t) => {
  const cluster = led(3, 1);
  const learner = cluster.node(4);
  // Its disk is stuck: it answers heartbeats, and what it says is durable stays behind.
  for (let passed = 0; passed < 150; passed++) {
    cluster.now++;
    if (passed % 10 === 0) cluster.propose(cluster.node(1), `command ${passed}`);
    for (const message of cluster.mail.splice(0)) cluster.deliver(message);
    for (const node of cluster.nodes) if (node !== learner) cluster.completeWrite(node);
    for (const node of cluster.nodes) if (node.core.nextDeadline <= cluster.now) cluster.tick(node);
  }
  t.equal(answer(cluster, { kind: "promote", id: 4 }), "notCaughtUp");
  cluster.settle();
  t.equal(answer(cluster, { kind: "promote", id: 4 }), "appended");
  t.end();
});

t.test("whom a leader replicates to: members, and who departs until it knows", (t) => {
  const cluster = led(3, 0, 1);
  const leader = cluster.node(1);
  t.same(leader.core.peers, [2, 3]);
  t.same(cluster.node(2).core.peers, []);
  cluster.addLearner(leader, 4);
  t.same(leader.core.peers, [2, 3, 4]);
  run(cluster, 30);
  cluster.crash(cluster.node(3), "lost");
  t.equal(answer(cluster, { kind: "remove", id: 3 }), "appended");
  run(cluster, 150);
  t.same(leader.core.peers, [2, 3, 4], "it may yet come back and hear of it");
  run(cluster, 100);
  t.same(leader.core.peers, [2, 4], "two election timeouts after the commit nobody waits any more");
  t.end();
});

t.test("who departs and is taken in again departs no more, and begins anew", (t) => {
  const cluster = led(3);
  const leader = cluster.node(1);
  cluster.change(leader, { kind: "remove", id: 3 });
  cluster.settle([1, 2]);
  t.same(leader.core.peers, [2, 3]);
  cluster.addLearner(leader, 3);
  t.equal(leader.core.matchIndexOf(3), 0);
  run(cluster, 300);
  t.same(leader.core.peers, [2, 3]);
  t.equal(leader.core.matchIndexOf(3), leader.core.lastIndex);
  t.end();
});

t.test("a leader whose removal has committed takes nothing more, and hands over at the end of the turn", (t) => {
  const cluster = led(3);
  const leader = cluster.node(1);
  t.equal(answer(cluster, { kind: "remove", id: 1 }), "appended");
  t.equal(cluster.propose(leader, "still taken"), true);
  for (const id of [2, 3]) {
    for (const message of cluster.take(1, id)) cluster.deliver(message);
    cluster.completeWrite(cluster.node(id));
    cluster.completeWrite(cluster.node(id));
  }
  for (const message of [...cluster.take(2, 1), ...cluster.take(3, 1)]) leader.core.receive(message, cluster.now);
  t.equal(leader.core.commitIndex, 3);
  t.equal(leader.core.roleName, "leader");
  t.equal(leader.core.acceptsProposals, false);
  t.same(leader.core.changeMembers({ kind: "remove", id: 2 }, cluster.now), { kind: "refused", reason: "notLeader" });
  cluster.turn(leader);
  t.equal(leader.core.roleName, "follower");
  const told = cluster.mail.filter(({ type }) => type === "timeoutNow");
  t.equal(told.length, 1, "one voter is told to stand");
  cluster.settle();
  t.equal(cluster.leader?.id, told[0]?.to);
  t.end();
});

t.test("a leader that is removed while it hands over tells nobody else", (t) => {
  const cluster = led(3);
  const leader = cluster.node(1);
  cluster.change(leader, { kind: "remove", id: 1 });
  t.equal(cluster.transfer(leader, 3), true);
  for (const id of [2, 3]) {
    for (const message of cluster.take(1, id)) cluster.deliver(message);
    cluster.completeWrite(cluster.node(id));
  }
  for (const message of cluster.take(3, 1)) cluster.deliver(message);
  for (const message of cluster.take(2, 1)) cluster.deliver(message);
  t.equal(leader.core.roleName, "follower");
  t.same(
    cluster.mail.filter(({ type }) => type === "timeoutNow").map(({ to }) => to),
    [3],
  );
  t.end();
});

t.test("a leader of learners only at its side decides alone", (t) => {
  const cluster = led(1, 0, 2);
  const leader = cluster.node(1);
  cluster.addLearner(leader, 2);
  cluster.completeWrite(leader);
  t.equal(leader.core.commitIndex, 2, "nobody else is asked");
  run(cluster, 30);
  t.equal(cluster.node(2).core.commitIndex, 2);
  t.equal(answer(cluster, { kind: "promote", id: 2 }), "appended");
  cluster.completeWrite(leader);
  t.equal(leader.core.commitIndex, 2, "now two are needed");
  cluster.settle();
  t.equal(leader.core.commitIndex, 3);
  t.end();
});
