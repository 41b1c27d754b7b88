import t, { type Test } from "tap";
import { VirtualCluster, type VirtualNode } from "./virtual-cluster.js";

// A vote is a write, at the candidate and then at the voter: two of them may take longer than an election timeout.

const ELECTION_MS = 300;

interface Election {
  /** In writes of the slow disks, or election timeouts where those are longer. */
  readonly took: number;
  /** How many won one until a term was opened. */
  readonly winners: number;
}

/** Runs until somebody leads whose term is open: its first entry has committed. */
function elect(cluster: VirtualCluster, candidates: readonly VirtualNode[], syncMs: number): Election {
  const beganAt = cluster.time.now;
  const wonBefore = candidates.map(({ transitions }) => transitions.length);
  cluster.time.until(
    () =>
      candidates.some(({ replica }) => {
        const role = replica?.core?.state.role;
        return role?.name === "leader" && (replica?.core?.commitIndex ?? 0) >= role.openingIndex;
      }),
    120_000,
  );
  const winners = candidates.flatMap(({ transitions }, place) =>
    transitions.slice(wonBefore[place]).filter((one) => one.kind === "roleChanged" && one.role === "leader"),
  );
  return { took: (cluster.time.now - beganAt) / Math.max(syncMs, ELECTION_MS), winners: winners.length };
}

function isQuick(t: Test, { took, winners }: Election): void {
  t.ok(took <= 8, `within the time of ${took.toFixed(1)} writes`);
  t.equal(winners, 1, "nobody is deposed by those that were done earlier");
}

for (const slow of ["one survivor", "both survivors"]) {
  for (const syncMs of [ELECTION_MS, 500, 700, 1500]) {
    t.test(`a leader is elected though the disk of ${slow} takes ${syncMs} ms`, async (t) => {
      const cluster = await new VirtualCluster(3, 7).start();
      cluster.untilReady();
      const { leader, followers } = cluster;
      for (const node of slow === "one survivor" ? followers.slice(0, 1) : followers) node.syncMs = syncMs;
      await leader.crash();
      isQuick(t, elect(cluster, followers, syncMs));
    });
  }
}

for (const [nodes, syncMs] of [
  [3, 700],
  [5, 700],
  [5, 2000],
] as const) {
  t.test(`with disks of ${syncMs} ms, all ${nodes} nodes start again and elect one leader`, async (t) => {
    for (let seed = 1; seed <= 8; seed++) {
      const cluster = await new VirtualCluster(nodes, seed).start();
      cluster.untilReady();
      for (const node of cluster.nodes) await node.crash();
      for (const node of cluster.nodes) node.syncMs = syncMs * (0.9 + 0.2 * (cluster.random() / 2 ** 32));
      for (const node of cluster.nodes) await node.start();
      isQuick(t, elect(cluster, cluster.nodes, syncMs));
    }
  });

  t.test(`with disks of ${syncMs} ms, one of ${nodes} nodes takes over from a leader that died`, async (t) => {
    for (let seed = 1; seed <= 8; seed++) {
      const cluster = await new VirtualCluster(nodes, seed).start();
      cluster.untilReady();
      const { leader, followers } = cluster;
      for (const node of cluster.nodes) node.syncMs = syncMs * (0.9 + 0.2 * (cluster.random() / 2 ** 32));
      await leader.crash();
      isQuick(t, elect(cluster, followers, syncMs));
    }
  });
}

t.test("two of equal right do not split the votes of every term, though the third one's votes get lost", async (t) => {
  for (let seed = 1; seed <= 30; seed++) {
    const cluster = await new VirtualCluster(3, seed).start();
    cluster.untilReady();
    const [lossy] = cluster.nodes;
    // Its grants of polls make one of the others stand; its votes for the third get lost.
    cluster.filter = (from, to, messages) => (from === lossy?.id && to === cluster.nodes[2]?.id ? [] : messages);
    for (const node of cluster.nodes) node.syncMs = 600;
    await cluster.leader.crash();
    for (const node of cluster.nodes) if (node.replica === undefined) await node.start();
    const { took } = elect(cluster, cluster.nodes, 600);
    t.ok(took <= 12, `seed ${seed}: within the time of ${took.toFixed(1)} writes`);
  }
});
