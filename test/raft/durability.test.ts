import t from "tap";
import type { Entry, HardState } from "../../src/raft/types.js";
import { CoreCluster, configurationOf } from "./core-cluster.js";
import type { CoreNode } from "./core-node.js";
import { entryAt } from "./log-content.js";

t.test("a voter that is alone leads only once its own vote is on disk", (t) => {
  const cluster = new CoreCluster({ voters: 1, learners: 1, seed: 1 });
  const node = cluster.node(1);
  cluster.now = node.core.nextDeadline;
  cluster.tick(node);
  t.equal(node.core.roleName, "candidate", "its term could still be forgotten and used again");
  t.same(cluster.mail, [], "so the learner hears nothing of it");
  cluster.completeWrite(node);
  t.equal(node.core.roleName, "leader");
  t.same(
    cluster.mail.map(({ type, term }) => ({ type, term })),
    [{ type: "appendRequest", term: 1 }],
  );
  t.equal(node.core.commitIndex, 0, "its opening entry is not on disk yet (classic bug 10)");
  cluster.completeWrite(node);
  t.equal(node.core.commitIndex, 1);
  t.end();
});

t.test("a commit that was heard in a term that is not on disk yet is not applied", (t) => {
  // Entry 3 of term 1 is on nodes 2 and 5; node 1 leads term 2 without it, with the votes of 3 and 4.
  const configuration = configurationOf(5, 0, "c");
  const entry = (index: number, term: number): Entry => ({ index, term, body: { kind: "noop" } });
  const [first, second, third] = [entry(1, 1), entry(2, 1), entry(3, 1)];
  const disk = (entries: Entry[], hardState: HardState) => ({ baseConfiguration: configuration, entries, hardState });
  const cluster = new CoreCluster({
    voters: 5,
    learners: 0,
    seed: 1,
    clusterId: "c",
    disks: new Map([
      [1, disk([first, second], { term: 1, votedFor: undefined })],
      [2, disk([first, second, third], { term: 1, votedFor: undefined })],
      [3, disk([first, second], { term: 1, votedFor: undefined })],
      [4, disk([first, second], { term: 1, votedFor: undefined })],
      [5, disk([first, second, third], { term: 1, votedFor: undefined })],
    ]),
  });
  const [deposed, leader, witness] = [cluster.node(1), cluster.node(2), cluster.node(5)];
  cluster.timeOut(deposed);
  while (deposed.core.roleName !== "leader") {
    for (const node of cluster.nodes) cluster.completeWrite(node);
    for (const message of cluster.mail.splice(0)) if (![2, 5].includes(message.to)) cluster.deliver(message);
  }
  cluster.completeWrite(deposed);
  cluster.mail = [];
  t.equal(deposed.core.lastIndex, 3, "its opening entry, which nobody else has");

  // Node 2 wins term 3 with the same two, and commits: entry 3 of term 1 with it.
  for (const id of [2, 3, 4]) cluster.node(id).aheadMs = 300;
  const timeOut = (node: CoreNode) => {
    node.aheadMs += Math.max(0, node.core.nextDeadline - cluster.nowAt(node));
    cluster.tick(node);
  };
  for (let tries = 0; tries < 5 && leader.core.roleName !== "leader"; tries++) {
    timeOut(leader);
    cluster.settle([2, 3, 4]);
  }
  t.equal(leader.core.roleName, "leader");
  t.equal(leader.core.commitIndex, 4);
  cluster.mail = [];
  timeOut(leader);
  // Node 5 hears of the commit in a term that its disk does not know yet.
  for (const message of cluster.take(2, 5)) cluster.deliver(message);
  t.ok(witness.core.commitIndex >= 3);
  witness.checkpoint();
  cluster.crash(witness, "lost");
  cluster.start(witness);
  t.ok(witness.core.term < leader.core.term, "the term was lost");
  // What the deposed leader says now is of a later term than any that node 5 knows.
  cluster.mail = [];
  timeOut(deposed);
  t.equal(deposed.core.roleName, "leader", "it does not know yet");
  for (let round = 0; round < 4; round++) {
    for (const message of [...cluster.take(1, 5), ...cluster.take(5, 1)]) cluster.deliver(message);
    cluster.completeWrite(witness);
  }
  t.equal(entryAt(witness.disk, 3), entryAt(deposed.disk, 3), "it takes what it may");
  t.end();
});
