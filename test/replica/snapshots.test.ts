import t from "tap";
import { type Answer, VirtualCluster, type VirtualNode } from "./virtual-cluster.js";

// Nodes that were away for longer than the log reaches back.

const SMALL = { logEntriesMax: 60, logTailEntries: 10 };

async function smallLogs(size: number, seed = 1): Promise<VirtualCluster> {
  const cluster = new VirtualCluster(size, seed);
  cluster.options = SMALL;
  await cluster.start();
  cluster.untilReady();
  return cluster;
}

/** Draws at the nodes in turn, and lets time pass, so that each is an entry of its own. */
function drawMany(cluster: VirtualCluster, nodes: readonly VirtualNode[], count: number, name = "draw"): Answer[] {
  const answers: Answer[] = [];
  for (let draw = 0; draw < count; draw++) {
    const node = nodes[draw % nodes.length];
    if (node !== undefined) answers.push(node.propose(`${name} ${draw} of ${node.id}`));
    cluster.time.advance(5);
  }
  return answers;
}

function untilAnswered(cluster: VirtualCluster, answers: readonly Answer[]): void {
  cluster.time.until(() => answers.every(({ result, failure }) => result !== undefined || failure !== undefined));
}

t.test("the log stays bounded under a long load, on the leader and on its followers", async (t) => {
  const cluster = await smallLogs(3);
  const answers: Answer[] = [];
  let most = 0;
  for (let round = 0; round < 20; round++) {
    answers.push(...drawMany(cluster, cluster.nodes, 100, `round ${round}`));
    for (const node of cluster.nodes) most = Math.max(most, node.replica?.core?.entryCount ?? 0);
  }
  untilAnswered(cluster, answers);
  t.ok(cluster.nodes.every((node) => (node.replica?.core?.baseIndex ?? 0) > 1800));
  t.ok(most < 60 + 250, `${most} entries at most: what comes between two checkpoints is added`);
  t.equal(cluster.settledLines().length, 2000);
  for (const node of cluster.nodes) {
    await node.crash();
    await node.start();
  }
  cluster.untilReady();
  t.equal(cluster.settledLines().length, 2000, "a restart goes on from checkpoint and tail");
});

t.test("a node that was away past compaction fetches a snapshot and catches up under load", async (t) => {
  for (let seed = 1; seed <= 10; seed++) {
    const cluster = await smallLogs(3, seed);
    const [away] = cluster.followers;
    if (away === undefined) throw new Error("there is no follower");
    const others = cluster.nodes.filter((node) => node !== away);
    await away.crash();
    const answers = drawMany(cluster, others, 300);
    await away.start();
    answers.push(...drawMany(cluster, others, 100, "during"));
    untilAnswered(cluster, answers);
    cluster.untilReady();
    answers.push(...drawMany(cluster, cluster.nodes, 30, "after"));
    untilAnswered(cluster, answers);
    t.equal(
      away.snapshots.filter(({ direction, failure }) => direction === "fetched" && failure === undefined).length,
      1,
    );
    t.notOk(answers.some(({ failure }) => failure !== undefined));
    t.equal(new Set(cluster.settledLines()).size, 430);
    await away.crash();
    await away.start();
    cluster.untilReady();
    t.equal(new Set(cluster.settledLines()).size, 430, "the installed state is what a restart finds");
  }
});
