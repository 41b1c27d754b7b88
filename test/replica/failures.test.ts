import t from "tap";
import { type Answer, VirtualCluster } from "./virtual-cluster.js";

// What ends a node, and that nothing is promised after it.

const FULL = new Error("no space left on device");

t.test(
  "after a failed write of the log nothing is answered, sent or applied, and the process is told to end",
  async (t) => {
    for (const fate of ["lost", "durable"] as const) {
      const cluster = await new VirtualCluster(3).start();
      cluster.untilReady();
      const { leader } = cluster;
      const answers: Answer[] = [leader.propose("before")];
      cluster.time.until(() => answers[0]?.result !== undefined);
      leader.logDisk.failWrites(FULL, fate);
      answers.push(leader.propose("during"));
      cluster.time.until(() => leader.failure !== undefined);
      const applied = leader.replica?.appliedIndex;
      const sent: number[] = [];
      cluster.filter = (from, _to, messages) => {
        sent.push(from);
        return messages;
      };
      // What left before the failure is still on its way.
      cluster.time.advance(1);
      sent.length = 0;
      answers.push(leader.propose("after"));
      cluster.time.advance(3000);
      t.same(
        answers.map(({ failure }) => failure),
        [undefined, "OUTCOME_UNKNOWN", "NOT_EXECUTED"],
      );
      t.equal(leader.failures.length, 1);
      t.match(leader.failure, { code: "WRITE_FAILED" });
      t.notOk(sent.includes(leader.id), "it is silent");
      t.equal(leader.replica?.appliedIndex, applied);
      await leader.crash();
      cluster.untilReady();
    }
  },
);

t.test("a failed checkpoint ends the node like a failed write", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const [node] = cluster.followers;
  node?.stateDisk.failWrites(FULL);
  const answer = node?.propose("applied, but its checkpoint fails");
  cluster.time.until(() => node?.failure !== undefined);
  t.match(node?.failure, { code: "WRITE_FAILED" });
  t.equal(node?.failures.length, 1);
  t.equal(answer?.result, 1, "it had committed");
  cluster.time.advance(2000);
  t.equal(cluster.leader.replica?.view().healthy, true);
});

t.test("stopping ends when everything applied is in a checkpoint, also if one is in flight already", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const [node] = cluster.followers;
  if (node?.replica === undefined) throw new Error("there is no follower");
  node.syncMs = 20;
  const first = node.propose("first");
  cluster.time.until(() => first.result !== undefined);
  cluster.time.advance(515);
  const stops = [node.replica.stop(), node.replica.stop()];
  cluster.time.advance(200);
  await Promise.all(stops);
  const { appliedIndex } = node.replica;
  await node.crash();
  await node.start();
  t.equal(node.replica.appliedIndex, appliedIndex);
});

t.test("stopping ends, too, when the last checkpoint fails: that is told, and nobody waits for ever", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const [node] = cluster.followers;
  const answer = node?.propose("not in any checkpoint");
  cluster.time.until(() => answer?.result !== undefined);
  node?.stateDisk.failWrites(FULL);
  const stopped = node?.replica?.stop();
  cluster.time.until(() => node?.failure !== undefined);
  await stopped;
  await node?.replica?.stop();
  t.equal(node?.failures.length, 1);
});

t.test("a machine that throws ends the node at once: the entry is not applied again, nobody is answered", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const [node] = cluster.followers;
  if (node?.machine === undefined) throw new Error("there is no follower");
  node.machine.brokenBy = "poison";
  const answers = ["harmless", "poison", "behind it"].map((line) => node.propose(line));
  cluster.time.until(() => node.failure !== undefined);
  const lines = node.machine.lines.length;
  cluster.time.advance(3000);
  t.equal(node.failures.length, 1);
  t.match(node.failure, { message: "broken" });
  t.equal(node.machine.lines.length, lines, "nothing is applied any more");
  t.same(
    answers.slice(1).map(({ failure }) => failure),
    ["OUTCOME_UNKNOWN", "OUTCOME_UNKNOWN"],
  );
  await node.crash();
  await node.start();
  cluster.untilReady();
  t.same(cluster.settledLines(), ["harmless", "poison", "behind it"], "mended, it goes on from its checkpoint");
});
