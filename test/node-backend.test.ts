import t from "tap";
import type { MemberView } from "../src/api/port.js";
import { NodeBackend } from "../src/node-backend.js";
import { SequenceQueries } from "../src/sequence/machine/queries.js";
import { SequenceMachine } from "../src/sequence/machine/sequence-machine.js";
import { MemoryDisk } from "../src/storage/memory-disk.js";
import { openMemoryStateStore } from "../src/storage/memory-state-store.js";
import { VirtualCluster, type VirtualNode } from "./replica/virtual-cluster.js";

/** What the edges of a node of the virtual cluster see of it. */
function backendOf({ id, replica, time }: VirtualNode): NodeBackend {
  if (replica === undefined) throw new Error(`node ${id} does not run`);
  const state = openMemoryStateStore({ disk: new MemoryDisk(), nodeId: id, storeId: "0".repeat(32) });
  const machine = new SequenceMachine(state);
  return new NodeBackend({
    nodeId: id,
    replica,
    queries: new SequenceQueries(state, machine, () => Promise.resolve()),
    requestDeadlineMs: 10_000,
    wall: () => time.wall(),
    seed: {
      command: {
        kind: "seedSettings",
        provenance: { principal: "node", clientId: "", generatedBy: "", correlationId: "", requestId: "" },
        autoCreate: true,
        idempotencyRetentionMs: 1000,
        idempotencyKeysMax: 1000,
      },
      isApplied: () => true,
    },
  });
}

function roleOf(backend: NodeBackend, id: number): MemberView["role"] | undefined {
  return backend.cluster().nodes.find((node) => node.id === id)?.role;
}

t.test("a node that is out of reach has no known role, whatever it was when it was last heard", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const { leader, followers } = cluster;
  const [asked, other] = followers;
  if (asked === undefined || other === undefined) throw new Error("there are two followers");
  const backend = backendOf(asked);
  cluster.time.until(() => roleOf(backend, leader.id) === "leader" && roleOf(backend, other.id) === "follower");
  t.equal(roleOf(backend, asked.id), "follower", "itself");
  // Its process is gone, and so is the stream; the others go on with a leader of their own.
  await leader.crash();
  cluster.time.until(() => backend.cluster().nodes.some(({ id, reachable }) => id === leader.id && !reachable));
  t.equal(roleOf(backend, leader.id), "unknown");
  cluster.time.until(() => [asked, other].some((node) => roleOf(backend, node.id) === "leader"));
  t.equal(backend.cluster().nodes.filter(({ role }) => role === "leader").length, 1, "there are no two leaders");
  // The network is cut, both live: each is out of reach of the other.
  cluster.network.cut(asked.id, other.id);
  cluster.time.until(() => roleOf(backend, other.id) === "unknown");
  // Back again, each says anew what it is.
  cluster.network.heal(asked.id, other.id);
  await leader.start();
  const rolesOf = () => backend.cluster().nodes.map(({ role }) => role);
  cluster.time.until(() => rolesOf().toSorted().join(" ") === "follower follower leader");
});
