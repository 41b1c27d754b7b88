import t from "tap";
import { CoreCluster } from "./core-cluster.js";

/** Three nodes, founded, and node 1 leads term 1. */
function ledByFirst(): CoreCluster {
  const cluster = new CoreCluster({ voters: 3, learners: 0, seed: 1, clusterId: "c" });
  cluster.timeOut(cluster.node(1));
  cluster.settle();
  return cluster;
}

t.test("a read at the leader waits for a round that begins after it", (t) => {
  const cluster = ledByFirst();
  const read = cluster.read(cluster.node(1));
  t.equal(read.outcome, "waiting");
  cluster.settle([1, 2]);
  t.equal(read.outcome, 1);
  t.end();
});

t.test("a read at a follower travels to the leader and back", (t) => {
  const cluster = ledByFirst();
  const read = cluster.read(cluster.node(3));
  t.equal(read.outcome, "waiting");
  cluster.settle();
  t.equal(read.outcome, 1);
  t.end();
});

t.test("without a leader a read is refused, and by a leader that steps down too", (t) => {
  const cluster = new CoreCluster({ voters: 3, learners: 0, seed: 1, clusterId: "c" });
  t.equal(cluster.read(cluster.node(2)).outcome, "refused");
  cluster.timeOut(cluster.node(1));
  cluster.settle();
  const read = cluster.read(cluster.node(1));
  const { node } = { node: cluster.node(1) };
  cluster.now += 300;
  cluster.tick(node);
  t.equal(node.core.roleName, "follower", "CheckQuorum");
  t.equal(read.outcome, "refused");
  t.end();
});

t.test("more reads than may wait are refused at the leader", (t) => {
  const cluster = ledByFirst();
  const reads = Array.from({ length: 10 }, () => cluster.read(cluster.node(1)));
  t.same(
    reads.map(({ outcome }) => outcome),
    [...Array.from({ length: 8 }, () => "waiting"), "refused", "refused"],
  );
  t.end();
});

t.test("a refusal of an old term's request answers no round of a later term", (t) => {
  const cluster = ledByFirst();
  const [first, second] = [cluster.node(1), cluster.node(2)];
  // Rounds of term 1 go up by reading; the last request to node 2 is delayed.
  for (let count = 0; count < 5; count++) {
    cluster.read(first);
    cluster.settle();
  }
  cluster.timeOut(first);
  const [delayed] = cluster.take(1, 2);
  cluster.mail = [];
  // Node 2 wins the poll with node 3 and comes to term 2; its requests for votes are lost.
  cluster.now += 200;
  cluster.tick(second);
  for (const poll of cluster.take(2, 3)) cluster.deliver(poll);
  for (const answer of cluster.take(3, 2)) cluster.deliver(answer);
  cluster.completeWrite(second);
  cluster.mail = [];
  t.equal(second.core.term, 2);
  // Now the old request arrives: refused, in term 2. The refusal is delayed.
  if (delayed !== undefined) cluster.deliver(delayed);
  const refusals = cluster.take(2, 1);
  t.match(refusals, [{ type: "appendReply", term: 2, outcome: { kind: "conflict" } }]);
  // Node 1 steps down, stands again and leads term 2 by the vote of node 3.
  cluster.tick(first);
  cluster.timeOut(first);
  cluster.settle([1, 3]);
  t.equal(first.core.roleName, "leader");
  t.equal(first.core.term, 2);
  // The refusal arrives. It proves nothing about node 2 today: the read must wait.
  for (const refusal of refusals) cluster.deliver(refusal);
  const read = cluster.read(first);
  cluster.read(first);
  t.equal(read.outcome, "waiting");
  cluster.settle([1, 3]);
  t.equal(read.outcome, 2);
  t.end();
});

t.test("a leader alone among the voters answers as soon as its term is open", (t) => {
  const cluster = new CoreCluster({ voters: 1, learners: 0, seed: 1, clusterId: "c" });
  const node = cluster.node(1);
  cluster.timeOut(node);
  cluster.completeWrite(node);
  const early = cluster.read(node);
  t.equal(early.outcome, "waiting", "the opening entry is not durable yet");
  cluster.completeWrite(node);
  t.equal(early.outcome, 1);
  t.equal(cluster.read(node).outcome, 1);
  t.end();
});
