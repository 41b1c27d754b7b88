import t from "tap";
import type { StateDivergence } from "../../src/replica/ports.js";
import { StateDigests } from "../../src/replica/state-digests.js";
import type { PeerStatus } from "../../src/transport/transport.js";
import { Load } from "./load.js";
import { VirtualCluster, type VirtualNode } from "./virtual-cluster.js";

// Two nodes that applied the same hold the same, or somebody hears of it.

const DAY_MS = 86_400_000;

const STATUS: PeerStatus = {
  type: "status",
  role: "follower",
  term: 1,
  lastIndex: 0,
  commitIndex: 0,
  appliedIndex: 0,
  matches: [],
  restAddress: "",
  grpcAddress: "",
  ready: true,
};

function digest(index: number, of: number) {
  return { index, hash: new Uint8Array(16).fill(of) };
}

function digests(): { readonly found: StateDivergence[]; readonly digests: StateDigests } {
  const found: StateDivergence[] = [];
  const observer = {
    transition: () => undefined,
    entryPacked: () => undefined,
    logWritten: () => undefined,
    entryApplied: () => undefined,
    checkpointWritten: () => undefined,
    logCut: () => undefined,
    snapshotMoved: () => undefined,
    stateDiverged: (divergence: StateDivergence) => found.push(divergence),
    notice: () => undefined,
  };
  return { found, digests: new StateDigests(observer) };
}

t.test("a digest is compared whether the peer or this node gets there first", async (t) => {
  const { found, digests: own } = digests();
  own.taken("entries", digest(16, 1));
  own.heard(2, { ...STATUS, stateDigest: digest(16, 1) });
  own.heard(3, { ...STATUS, stateDigest: digest(32, 9) });
  t.same(found, []);
  t.equal(own.doubt, "");
  own.taken("entries", digest(32, 1));
  t.same(found, [{ peer: 3, index: 32, what: "entries" }]);
  t.equal(own.doubt, "", "it agrees with one other, and so with a majority");
  own.heard(2, { ...STATUS, stateDigest: digest(32, 9) });
  t.same(found.at(-1), { peer: 2, index: 32, what: "entries" });
  t.match(own.doubt, /\(entries\) differs from that of node 2 and node 3|node 3 and node 2/);
});

t.test("it is told once, and again after it was mended; who is no member any more has no say", async (t) => {
  const { found, digests: own } = digests();
  for (const index of [16, 32, 48]) {
    own.taken("entries", digest(index, 1));
    own.heard(2, { ...STATUS, stateDigest: digest(index, index === 48 ? 1 : 9) });
  }
  t.equal(found.length, 1);
  t.equal(own.doubt, "", "the peer was mended");
  own.taken("entries", digest(64, 1));
  own.heard(2, { ...STATUS, stateDigest: digest(64, 9) });
  t.equal(found.length, 2);
  t.match(own.doubt, /node 2/);
  own.retain([1, 3]);
  t.equal(own.doubt, "");
});

t.test("what is too old to be remembered, and what was told long ago, is let go", async (t) => {
  const { found, digests: own } = digests();
  for (let index = 16; index <= 16 * 1000; index += 16) own.taken("entries", digest(index, 1));
  own.heard(2, { ...STATUS, stateDigest: digest(16, 9) });
  t.same(found, []);
  for (let index = 16 * 2000; index <= 16 * 4000; index += 16)
    own.heard(2, { ...STATUS, stateDigest: digest(index, 9) });
  own.taken("entries", digest(16 * 2000, 1));
  t.same(found, [], "only the newest of what a peer told is kept");
  own.taken("entries", digest(16 * 4000, 1));
  t.equal(found.length, 1);
});

async function clusterOf(size: number): Promise<VirtualCluster> {
  const cluster = new VirtualCluster(size);
  cluster.options = { rowsDigestIntervalEntries: 64 };
  await cluster.start();
  cluster.untilReady();
  return cluster;
}

function peersOf(cluster: VirtualCluster, node: VirtualNode): number[] {
  return cluster.nodes.filter((other) => other !== node).map(({ id }) => id);
}

t.test("a machine that comes to another result is found out, by itself and by its peers", async (t) => {
  const cluster = await clusterOf(3);
  const load = new Load(cluster);
  load.run(cluster.nodes, 150);
  cluster.time.advance(1000);
  t.same(
    cluster.nodes.flatMap(({ divergences }) => divergences),
    [],
  );
  const [wrong] = cluster.followers;
  if (wrong?.machine === undefined) throw new Error("there is no follower");
  wrong.machine.miscounts = true;
  load.run([cluster.leader], 1);
  wrong.machine.miscounts = false;
  load.run(cluster.nodes, 150);
  cluster.time.advance(2000);
  t.same(new Set(wrong.divergences.map(({ peer }) => peer)), new Set(peersOf(cluster, wrong)));
  t.match(wrong.replica?.view().reason, /^This node's state \(entries\) differs from that of node \d and node \d/);
  t.equal(wrong.isReady, false);
  for (const node of cluster.nodes) {
    if (node === wrong) continue;
    t.same(
      node.divergences.filter(({ what }) => what === "entries").map(({ peer }) => peer),
      [wrong.id],
    );
    t.equal(node.isReady, true, "it agrees with the majority");
  }
});

t.test("a row that changes behind the back of everybody is found out, too", async (t) => {
  const cluster = await clusterOf(3);
  const load = new Load(cluster);
  load.run(cluster.nodes, 200);
  cluster.time.advance(1000);
  t.same(
    cluster.nodes.flatMap(({ divergences }) => divergences),
    [],
  );
  const [wrong] = cluster.followers;
  wrong?.machine?.spoil(3);
  load.run(cluster.nodes, 200);
  cluster.time.until(() => cluster.nodes.every(({ divergences }) => divergences.length > 0));
  t.ok(cluster.nodes.every(({ divergences }) => divergences.every(({ what }) => what === "rows")));
  t.match(wrong?.replica?.view().reason, /\(rows\) differs/);
});

t.test("where few entries come, rows are compared at the first one of every day", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const load = new Load(cluster);
  load.run(cluster.nodes, 10);
  const [wrong] = cluster.followers;
  wrong?.machine?.spoil(3);
  load.run(cluster.nodes, 200);
  const divergences = () => cluster.nodes.flatMap((node) => node.divergences);
  t.same(divergences(), [], "nobody looks at a row within the day");
  for (const { time } of cluster.nodes) time.wallOffsetMs += DAY_MS;
  load.run(cluster.nodes, 1);
  cluster.time.until(() => /\(rows\) differs from that of node \d and/.test(wrong?.replica?.view().reason ?? ""));
  const [found] = divergences();
  t.ok(
    divergences().every(({ what, index }) => what === "rows" && index === found?.index),
    "all at the same entry",
  );
  t.equal(divergences().length, 4, "it differs from both, and both from it");
});

t.test("a node that was away at midnight finds the day's entry in its log", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const load = new Load(cluster);
  load.run(cluster.nodes, 10);
  const [away] = cluster.followers;
  away?.machine?.spoil(3);
  cluster.time.advance(1000);
  await away?.crash();
  for (const { time } of cluster.nodes) time.wallOffsetMs += DAY_MS;
  load.run(
    cluster.nodes.filter((node) => node !== away),
    100,
  );
  await away?.start();
  cluster.time.until(() => away?.divergences.some(({ what }) => what === "rows") === true);
  t.same(
    away?.divergences.map(({ what }) => what),
    ["rows", "rows"],
    "it differs from both",
  );
});

t.test("nodes that restart, fall behind and install snapshots come to the same digests", async (t) => {
  const cluster = new VirtualCluster(3);
  cluster.options = { rowsDigestIntervalEntries: 32, logEntriesMax: 50, logTailEntries: 5 };
  await cluster.start();
  cluster.untilReady();
  const load = new Load(cluster);
  for (let round = 0; round < 6; round++) {
    const [away] = cluster.followers;
    await away?.crash(round % 2 === 0 ? "durable" : "lost");
    load.run(
      cluster.nodes.filter((node) => node !== away),
      100,
      7,
    );
    await away?.start();
    cluster.untilReady();
    load.run(cluster.nodes, 50, 7);
  }
  load.untilAnswered();
  cluster.time.advance(2000);
  t.same(
    cluster.nodes.flatMap(({ divergences }) => divergences),
    [],
  );
  t.equal(load.violation(), undefined);
});

t.test("a row that can no longer be read ends the node, before anybody asks for it", async (t) => {
  const cluster = await clusterOf(3);
  const load = new Load(cluster);
  load.run(cluster.nodes, 150);
  cluster.time.advance(1000);
  const [damaged] = cluster.followers;
  if (damaged === undefined) throw new Error("there is no follower");
  const [row] = damaged.stateDisk.rows({ gte: "m7/line/", lt: "m7/line/~" });
  if (row === undefined) throw new Error("there are rows");
  const [key, value] = row;
  const flipped = Buffer.from(value);
  flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1;
  damaged.stateDisk.apply([{ type: "put", key, value: flipped }]);
  load.run(
    cluster.nodes.filter((node) => node !== damaged),
    150,
  );
  cluster.time.until(() => damaged.failure !== undefined);
  t.match(damaged.failure, { code: "DAMAGED", message: /fails its checksum/ });
});
