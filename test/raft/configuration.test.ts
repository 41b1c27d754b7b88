import t from "tap";
import { CoreCluster } from "./core-cluster.js";

function clusterIdsToldBy(cluster: CoreCluster, id: number): string[] {
  return cluster.transitions.flatMap(({ node, transition }) =>
    node === id && transition.kind === "configurationChanged" ? [transition.configuration.clusterId] : [],
  );
}

t.test("the first leader of all names the cluster, and everybody is told", (t) => {
  const cluster = new CoreCluster({ voters: 3, learners: 0, seed: 1 });
  cluster.timeOut(cluster.node(2));
  cluster.settle();
  for (const { id } of cluster.nodes) t.same(clusterIdsToldBy(cluster, id), ["founded by 2"]);
  t.end();
});

t.test("a founding entry that another one replaces at the same index is told too", (t) => {
  const cluster = new CoreCluster({ voters: 3, learners: 0, seed: 1 });
  const [first, second] = [cluster.node(1), cluster.node(2)];
  cluster.timeOut(first);
  // Node 1 wins with node 3, but its founding entry reaches nobody.
  while (first.core.roleName !== "leader") {
    for (const node of cluster.nodes) cluster.completeWrite(node);
    for (const message of [...cluster.take(1, 3), ...cluster.take(3, 1)]) cluster.deliver(message);
  }
  cluster.completeWrite(first);
  cluster.mail = [];
  t.equal(first.core.configuration.clusterId, "founded by 1");
  cluster.now += 200;
  cluster.timeOut(second);
  cluster.settle([2, 3]);
  // The poll taught it the term; the next one is won.
  cluster.timeOut(second);
  cluster.settle([2, 3]);
  t.equal(second.core.roleName, "leader");
  cluster.timeOut(second);
  cluster.settle();
  t.equal(first.core.configuration.clusterId, "founded by 2");
  t.same(clusterIdsToldBy(cluster, 1), ["founded by 1", "founded by 2"]);
  t.end();
});

t.test("a configuration that is truncated is rolled back, and that is told", (t) => {
  const cluster = new CoreCluster({
    voters: 3,
    learners: 0,
    seed: 1,
    disks: new Map([
      [1, { hardState: { term: 3, votedFor: 2 } }],
      [2, { hardState: { term: 3, votedFor: 2 } }],
      [3, { hardState: { term: 3, votedFor: 2 } }],
    ]),
  });
  const [first, second] = [cluster.node(1), cluster.node(2)];
  const founding = first.core.configuration;
  // Of an older leader, never committed: a command before the configuration, as after an import.
  const message = { type: "appendRequest", from: 2, to: 1, term: 3, leaderCommit: 0, round: 1 } as const;
  const command = { kind: "command", payload: new Uint8Array() } as const;
  cluster.deliver({
    ...message,
    prevLogIndex: 0,
    prevLogTerm: 0,
    entries: [
      { index: 1, term: 3, body: command },
      { index: 2, term: 3, body: { kind: "configuration", configuration: { ...founding, clusterId: "other" } } },
    ],
  });
  t.equal(first.core.configuration.clusterId, "other", "in force on append (§4.1)");
  cluster.deliver({
    ...message,
    from: 3,
    term: 4,
    prevLogIndex: 0,
    prevLogTerm: 0,
    entries: [{ index: 1, term: 4, body: command }],
  });
  t.equal(first.core.configuration, founding, "rolled back on truncation (classic bug 13)");
  t.same(clusterIdsToldBy(cluster, 1), ["other", ""]);
  t.equal(second.core.term, 3);
  t.end();
});
