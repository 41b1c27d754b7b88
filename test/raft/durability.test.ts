import t from "tap";
import { CoreCluster } from "./core-cluster.js";

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
