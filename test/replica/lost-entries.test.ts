import t from "tap";
import { MemoryDisk } from "../../src/storage/memory-disk.js";
import { MemoryStateDisks } from "../../src/storage/memory-state-disks.js";
import { clusterOf, SMALL } from "./away.js";
import { VirtualCluster, type VirtualNode } from "./virtual-cluster.js";

/** The disk as it is now: what somebody may put back later. */
function copyOf(disk: MemoryDisk): MemoryDisk {
  const copy = new MemoryDisk();
  copy.apply(disk.rows({ gte: "", lt: "\x7f" }).map(([key, value]) => ({ type: "put", key, value })));
  return copy;
}

function drawsOf(cluster: VirtualCluster, node: VirtualNode, count: number): void {
  for (let draw = 0; draw < count; draw++) {
    const answer = node.propose(`draw ${draw}`);
    cluster.time.until(() => answer.result !== undefined);
  }
}

t.test("a node whose log is shorter than what it acknowledged is stopped, by what the leader knows", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const { leader } = cluster;
  const [node] = cluster.followers;
  if (node === undefined) throw new Error("there is no follower");
  const before = { log: copyOf(node.logDisk), state: copyOf(node.stateDisk) };
  drawsOf(cluster, leader, 20);
  await node.crash();
  node.logDisk = before.log;
  node.stateDisks = MemoryStateDisks.over(before.state);
  await node.start();
  cluster.time.until(() => node.failure !== undefined, 2000);
  t.match(node.failure, {
    code: "DAMAGED",
    message: /node \d knows that this node acknowledged entry \d+, but its log ends at entry \d+/,
  });
  t.match(node.failure?.message, /folio repair --rejoin/);
  t.equal(node.isReady, false);
  drawsOf(cluster, leader, 5);
});

t.test(
  "a node that fell behind, or whose unacknowledged tail was removed, is not mistaken for one that lost",
  async (t) => {
    const cluster = await new VirtualCluster(3).start();
    cluster.untilReady();
    const { leader } = cluster;
    const [behind, other] = cluster.followers;
    await behind?.crash();
    drawsOf(cluster, leader, 20);
    // The old leader writes what nobody else gets, and has to take it back.
    for (const node of [behind, other]) if (node !== undefined) cluster.network.cut(leader.id, node.id);
    leader.propose("never committed");
    await behind?.start();
    cluster.time.until(() => cluster.nodes.some((node) => node !== leader && node.replica?.isLeader === true));
    for (const node of [behind, other]) if (node !== undefined) cluster.network.heal(leader.id, node.id);
    cluster.untilReady();
    cluster.time.advance(3000);
    t.same(
      cluster.nodes.map((node) => node.failure),
      [undefined, undefined, undefined],
    );
    t.equal(cluster.settledLines().length, 21);
  },
);

t.test("a node without the state that its log goes on from is stopped: it is the state that is lost", async (t) => {
  const cluster = await clusterOf(1, SMALL);
  const { leader: node } = cluster;
  const early = copyOf(node.logDisk);
  drawsOf(cluster, node, 100);
  const begin = () => node.replica?.core?.baseIndex ?? 0;
  cluster.time.until(() => begin() > 0);
  const base = begin();
  await node.crash("durable");
  const { stateDisks } = node;
  node.stateDisks = new MemoryStateDisks();
  const lost = `the log begins behind entry ${base}, but the state is of entry 0 of term 0`;
  await t.rejects(node.start(), {
    code: "DAMAGED",
    message: new RegExp(`${lost}.*folio repair --rejoin.*folio restore`),
  });
  node.stateDisks = stateDisks;
  node.logDisk = early;
  const short = /the state was checkpointed at entry \d+ of term 1, but the log ends at entry \d+/;
  await t.rejects(node.start(), { code: "DAMAGED", message: short });
});
