import t from "tap";
import type { Configuration } from "../../src/raft/types.js";
import { LIMITS } from "../../src/replica/options.js";
import { openMemoryLogStore } from "../../src/storage/memory-log-store.js";
import { VirtualCluster, type VirtualNode } from "./virtual-cluster.js";

/** What `folio recover` writes; no checkpoint follows, so the node knows the new name as committed only once it leads. */
async function goAlone(node: VirtualNode): Promise<void> {
  const log = openMemoryLogStore({ disk: node.logDisk, nodeId: node.id, randomId: () => "", defer: setImmediate });
  const { hardState, base, terms } = log.recovery;
  const { id, storeId, address } = node;
  const configuration: Configuration = { clusterId: "alone", members: [{ id, kind: "voter", storeId, address }] };
  const term = hardState.term + 1;
  const index = base.index + terms.length + 1;
  const entries = [{ index, term, body: { kind: "configuration", configuration } as const }];
  await new Promise<void>((resolve, reject) => {
    log.write({ hardState: { term, votedFor: id }, entries }, (failure) => (failure ? reject(failure) : resolve()));
  });
  await log.close();
}

t.test("a node that went on alone and the cluster that it left never hear each other", async (t) => {
  for (let seed = 1; seed <= 6; seed++) {
    const cluster = new VirtualCluster(3, seed);
    cluster.options = seed % 2 === 0 ? { logEntriesMax: 10, logTailEntries: 2 } : {};
    await cluster.start();
    cluster.untilReady();
    const before = Array.from({ length: 30 }, (_, place) => {
      const answer = cluster.node(1 + (place % 3)).propose(`before ${place}`);
      cluster.time.until(() => answer.result !== undefined);
      return `before ${place}`;
    });
    cluster.time.advance(2000);
    const alone = cluster.node(1 + (seed % 3));
    const others = cluster.nodes.filter((node) => node !== alone);
    await alone.crash();
    // It had gone further than the others know, or they further than it: both at once.
    await goAlone(alone);
    if (seed % 3 === 0) for (const node of others) await node.crash();
    await alone.start();
    if (seed % 3 === 0) for (const node of others) await node.start();
    for (let round = 0; round < 5; round++) {
      const answers = cluster.nodes.map((node) => ({ node, answer: node.propose(`${node.id} in ${round}`) }));
      cluster.time.until(() => answers.every(({ answer }) => answer.result !== undefined));
      if (round === 2) {
        const [restarted] = others;
        await restarted?.crash();
        await restarted?.start();
        await alone.crash("durable");
        await alone.start();
      }
      cluster.time.advance(1000);
    }
    // An operator may even enter a member of the other cluster, with its old store.
    const [entered] = others;
    if (entered === undefined) throw new Error("there are two others");
    const { id: nodeId, storeId, address } = entered;
    const asked = alone.change({ kind: "add", nodeId, storeId, address });
    cluster.time.until(() => asked.reply?.outcome === "done");
    cluster.time.advance(2000);
    await entered.crash();
    await entered.start();
    cluster.time.advance(2000);
    t.same(alone.machine?.lines.slice(0, 30), before);
    const own = (node: VirtualNode) => node.machine?.lines.filter((line) => line.includes(" in ")) ?? [];
    t.ok(
      own(alone).every((line) => line.startsWith(`${alone.id} `)),
      `seed ${seed}: ${own(alone)}`,
    );
    for (const node of others) {
      t.notOk(
        own(node).some((line) => line.startsWith(`${alone.id} `)),
        `seed ${seed}: ${own(node)}`,
      );
      t.same(node.divergences, []);
      t.equal(node.failure, undefined);
    }
    t.same(alone.divergences, []);
    t.equal(alone.failure, undefined);
    t.same(
      others.map(({ machine }) => machine?.lines),
      [others[0]?.machine?.lines, others[0]?.machine?.lines],
    );
  }
});

const NAMED = ["node-2:7070", "node-3:7070"];

/** Node 1 of a running cluster of three finds a directory of another cluster in the place of its own. */
async function swapped(foreign: VirtualCluster): Promise<{ cluster: VirtualCluster; node: VirtualNode }> {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  cluster.options = { named: NAMED };
  const node = cluster.node(1);
  await node.crash();
  for (const stranger of foreign.nodes) await stranger.crash("durable");
  node.logDisk = foreign.node(1).logDisk;
  node.stateDisks = foreign.node(1).stateDisks;
  await node.start();
  cluster.time.until(() => cluster.nodes.some(({ replica }) => replica?.isLeader === true && replica !== node.replica));
  return { cluster, node };
}

async function clusterOf(size: number): Promise<VirtualCluster> {
  const cluster = await new VirtualCluster(size, 77).start();
  cluster.untilReady();
  const answer = cluster.node(1).propose("foreign");
  cluster.time.until(() => answer.result !== undefined);
  cluster.time.advance(2000);
  return cluster;
}

function clusterIdOf(cluster: VirtualCluster): string {
  return cluster.leader.replica?.view().clusterId ?? "";
}

t.test("a lone directory of another cluster serves nobody, and says whose it is and what to do", async (t) => {
  const foreign = await clusterOf(1);
  const ids = { own: clusterIdOf(foreign), theirs: "" };
  const { cluster, node } = await swapped(foreign);
  ids.theirs = cluster.node(2).replica?.view().clusterId ?? "";
  cluster.time.until(() => node.replica?.isLeader === true);
  t.match(node.replica?.view(), { ready: false, reason: /listens .*node-2:7070, node-3:7070/ });
  const held = node.propose("held back");
  cluster.time.advance(500);
  t.match(held, { result: undefined, failure: undefined }, "it may be answered yet");
  node.replica?.told("node-2:7070", ids.theirs);
  cluster.time.until(() => held.failure !== undefined, 100);
  const late = node.propose("refused");
  let refusal = "";
  node.replica?.read(10_000, { ready: () => t.fail("it is out of service"), fail: (message) => (refusal = message) });
  cluster.time.until(() => late.failure !== undefined && refusal !== "", 100);
  t.same([held.failure, late.failure], ["NOT_EXECUTED", "NOT_EXECUTED"]);
  for (const reason of [held.reason, late.reason, refusal, node.replica?.view().reason]) {
    t.match(reason, `node-2:7070 belongs to cluster ${ids.theirs}, but this node's data to cluster ${ids.own}`);
    t.match(reason, /DATA_DIR.*`folio repair --rejoin`.*correct PEERS/);
  }
  const asked = node.change({ kind: "add", nodeId: 9, storeId: "joins", address: "node-9:7070" });
  t.match(asked.reply, { outcome: "notLeader", leaderAddress: "" }, "nobody is let into the wrong cluster");
  const applied = node.replica?.appliedIndex;
  cluster.time.advance(10_000);
  t.match(node.replica?.view(), { ready: false, reason: /belongs to cluster/ });
  t.equal(node.replica?.appliedIndex, applied, "nothing is proposed");
  t.match(node.notices.join("\n"), /belongs to cluster .* serves nobody/);
  node.replica?.told("node-2:7070", "");
  cluster.time.until(() => node.isReady, 1000);
});

t.test(
  "a lone voter that finds out while it serves ends what waits with the truth, and proposes no more",
  async (t) => {
    const foreign = await clusterOf(1);
    const { cluster, node } = await swapped(foreign);
    cluster.time.until(() => node.isReady, 4000);
    const underway = node.propose("under way");
    cluster.time.advance(0.1);
    node.replica?.told("node-3:7070", "theirs");
    const late = node.propose("too late");
    cluster.time.until(() => [underway, late].every(({ result, failure }) => (result ?? failure) !== undefined), 1000);
    t.equal(underway.failure, undefined, "its entry was in the log");
    t.equal(late.failure, "NOT_EXECUTED");
    t.equal(node.isReady, false);
  },
);

t.test("a directory of another cluster that finds no majority says whose it is", async (t) => {
  const { cluster, node } = await swapped(await clusterOf(2));
  node.replica?.told("node-2:7070", "theirs");
  cluster.time.advance(3000);
  t.match(node.replica?.view(), { ready: false, reason: /belongs to cluster theirs/ });
  const answer = node.propose("nobody takes it");
  cluster.time.until(() => answer.failure === "NOT_EXECUTED", 100);
});

t.test("a lone voter whose named peers are silent, or of its own cluster, serves", async (t) => {
  const cluster = await clusterOf(1);
  cluster.options = { named: NAMED };
  const [node] = cluster.nodes;
  if (node === undefined) throw new Error("there is a node");
  const clusterId = clusterIdOf(cluster);
  await node.crash("durable");
  await node.start();
  const held = node.propose("held back");
  cluster.time.until(() => held.result !== undefined, LIMITS.loneFounderMs + 1000);
  await node.crash("durable");
  await node.start();
  for (const address of NAMED) node.replica?.told(address, clusterId);
  cluster.time.until(() => node.isReady, 1500);
  t.ok(node.isReady, "all have answered, so it listens no more");
});

t.test("a cluster with its majority stays in service, whoever answers at an address of PEERS", async (t) => {
  const cluster = new VirtualCluster(3);
  cluster.options = { named: NAMED };
  await cluster.start();
  cluster.untilReady();
  for (const node of cluster.nodes) node.replica?.told("node-3:7070", "theirs");
  cluster.time.advance(3000);
  t.ok(cluster.nodes.every(({ isReady }) => isReady));
  for (const { notices } of cluster.nodes) t.match(notices.join("\n"), /node-3:7070.* belongs to cluster theirs/);
  const [survivor, other] = cluster.followers;
  await cluster.leader.crash();
  const answer = survivor?.propose("waits for the next leader");
  cluster.time.until(() => answer?.result !== undefined, 3000);
  await other?.crash();
  cluster.time.until(() => /belongs to cluster theirs/.test(survivor?.replica?.view().reason ?? ""), 6000);
});

t.test("a lone voter that others follow stays in service", async (t) => {
  const cluster = await clusterOf(1);
  const learner = cluster.joiner(4);
  await learner.start();
  cluster.changed({ kind: "add", nodeId: 4, storeId: learner.storeId, address: learner.address });
  cluster.time.until(() => learner.isReady);
  cluster.leader.replica?.told("node-3:7070", "theirs");
  cluster.time.advance(5000);
  t.ok(cluster.nodes.every(({ isReady }) => isReady));
});
