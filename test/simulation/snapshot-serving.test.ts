import t from "tap";
import type { ReplicaOptions } from "../../src/replica/options.js";
import { type Answer, VirtualCluster, type VirtualNode } from "../replica/virtual-cluster.js";
import { damageRow } from "./engine/disk-damage.js";
import { Random } from "./engine/random.js";

/** A cluster with a node that was away for longer than the log reaches back. */
async function clusterWithStraggler(
  options: Partial<ReplicaOptions> = {},
): Promise<{ cluster: VirtualCluster; straggler: VirtualNode }> {
  const cluster = new VirtualCluster(3);
  cluster.options = { logEntriesMax: 20, logTailEntries: 0, ...options };
  await cluster.start();
  cluster.untilReady();
  const [straggler] = cluster.followers;
  if (straggler === undefined) throw new Error("there is a follower");
  await straggler.crash();
  const answers: Answer[] = [];
  for (let draw = 0; draw < 200; draw++) {
    answers.push(cluster.leader.propose(`draw ${draw}`));
    cluster.time.advance(10);
  }
  cluster.time.until(() => answers.every(({ result }) => result !== undefined));
  return { cluster, straggler };
}

t.test("a snapshot that was taken to its end is known to have been sent", async (t) => {
  const { cluster, straggler } = await clusterWithStraggler();
  await straggler.start();
  cluster.untilReady();
  const sent = cluster.nodes.flatMap(({ snapshots }) => snapshots.filter(({ direction }) => direction === "sent"));
  t.match(sent, [{ peer: straggler.id, failure: undefined }]);
});

t.test("a leader whose own state cannot be read ends, so that another can send a snapshot (seed 1061)", async (t) => {
  const { cluster, straggler } = await clusterWithStraggler();
  const { leader } = cluster;
  const row = damageRow(leader.stateDisk, new Random(1, "damage"));
  t.match(row, /^j\//, "a row that only a snapshot reads");
  await straggler.start();
  cluster.time.until(() => leader.failure !== undefined);
  t.match(leader.failure, { code: "DAMAGED" });
  await leader.crash();
  cluster.untilReady();
  t.ok(straggler.snapshots.some(({ direction, failure }) => direction === "fetched" && failure === undefined));
});

t.test("a voter gets its snapshot before learners do (seed 20076)", async (t) => {
  const { cluster, straggler } = await clusterWithStraggler({ snapshotBytesPerSecond: 8000 });
  const learners: VirtualNode[] = [];
  for (const nodeId of [4, 5]) {
    const learner = cluster.joiner(nodeId);
    await learner.start();
    const { storeId, address } = learner;
    cluster.changed({ kind: "add", nodeId, storeId, address });
    learners.push(learner);
  }
  cluster.time.advance(500);
  await straggler.start();
  cluster.time.until(() => straggler.isReady);
  t.ok(
    learners.some((learner) => !learner.isReady),
    "while a learner still waits for its own",
  );
  cluster.untilReady();
});
