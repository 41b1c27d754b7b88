import t from "tap";
import type { Configuration } from "../../src/raft/types.js";
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
