import t from "tap";
import { ClockWatch } from "../../src/replica/clock-watch.js";
import { type Answer, VirtualCluster, type VirtualNode } from "./virtual-cluster.js";

const HOUR_MS = 3_600_000;

/** Draws at every node for a while, as time goes on. */
function load(cluster: VirtualCluster, ms: number): Answer[] {
  const answers: Answer[] = [];
  for (let passed = 0; passed < ms; passed += 5) {
    for (const node of cluster.nodes) answers.push(node.propose(`draw ${answers.length}`));
    cluster.time.advance(5);
  }
  return answers;
}

function newestTime(cluster: VirtualCluster): number {
  return Math.max(...cluster.nodes.map((node) => node.replica?.appliedTime ?? 0));
}

function soundWall(node: VirtualNode): number {
  return node.time.wall() - node.time.wallOffsetMs;
}

t.test("a node whose clock is ahead stamps nothing when it comes to lead: time could never go back", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const [ahead] = cluster.followers;
  if (ahead === undefined) throw new Error("there is no follower");
  ahead.time.wallOffsetMs = HOUR_MS;
  cluster.time.advance(5000);
  t.equal(cluster.leader.replica?.transferLeadership(ahead.id), true);
  const answers = load(cluster, 1500);
  t.ok(ahead.transitions.some((transition) => transition.kind === "roleChanged" && transition.role === "leader"));
  t.not(cluster.leader, ahead, "it handed over again");
  t.ok(newestTime(cluster) <= soundWall(ahead), "no entry is stamped with the time to come");
  cluster.time.until(() => answers.every(({ result, failure }) => result !== undefined || failure !== undefined));
  t.notOk(answers.some(({ failure }) => failure === "OUTCOME_UNKNOWN"));
});

t.test("a leader whose clock leaps ahead stamps nothing with it, from the very next entry on", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const { leader } = cluster;
  load(cluster, 3000);
  leader.time.wallOffsetMs = HOUR_MS;
  load(cluster, 1500);
  t.not(cluster.leader, leader, "it handed over");
  t.ok(newestTime(cluster) <= soundWall(leader), "no entry is stamped with the time to come");
});

t.test("a peer's clock is known by its truest sample: delays only make it look late", async (t) => {
  const watch = new ClockWatch({ windowMs: 1600 });
  // The peer is 100 ms ahead; frames take from 1 to 400 ms.
  for (const [now, delay] of [
    [1000, 400],
    [1200, 1],
    [1400, 250],
  ] as const) {
    watch.sample(2, now, 50_000 + now - delay + 100);
  }
  t.equal(watch.offsetOf(2, { now: 1500, wall: 51_500 }), 99);
  t.equal(watch.offsetOf(2, { now: 1500, wall: 52_500 }), -901, "our own clock leapt by a second");
  t.equal(watch.offsetOf(2, { now: 9000, wall: 59_000 }), undefined, "not heard lately");
});

t.test("the median says nothing without a majority, and in doubt it speaks for the leader", async (t) => {
  const watch = new ClockWatch({ windowMs: 1600 });
  const at = { now: 1000, wall: 51_000 };
  t.equal(watch.medianOffset(1, [1, 2, 3], at), 0);
  watch.sample(2, 1000, 51_000 + 9000);
  t.equal(watch.medianOffset(1, [1, 2, 3], at), 0, "one against one");
  watch.sample(3, 1000, 51_000 + 8000);
  t.equal(watch.medianOffset(1, [1, 2, 3], at), 8000, "two against one");
});
