import { type FaultKind, numberOf, targetOf } from "./fault-kind.js";

/** An operator moves leadership, to a node or to whomever the leader thinks best; he asks the leader, or just anybody. */
export const TRANSFER: FaultKind = {
  name: "transfer",
  weight: 5,
  plan: (random, { nodeCount }) => ({
    target: "leader",
    to: random.chance(0.7) ? random.integer(1, nodeCount) : 0,
    at: random.chance(0.5) ? random.integer(1, nodeCount) : 0,
  }),
  strike: (world, settings) => {
    const to = numberOf(settings, "to");
    const at = numberOf(settings, "at");
    const successor = to === 0 ? undefined : world.door(to).id;
    const node = at === 0 ? targetOf(world, settings) : world.door(at);
    if (node === undefined) return;
    world.trace?.note(
      node.name,
      `is asked to have leadership handed to ${successor === undefined ? "the best" : `n${successor}`}`,
    );
    world.queue.schedule(0, "input", node.time, () => {
      if (at === 0) node.replica?.transferLeadership(successor);
      else node.replica?.changeMembers({ kind: "transfer", nodeId: successor }, () => {});
    });
  },
};
