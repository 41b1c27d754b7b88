import { type FaultKind, targetOf } from "./fault-kind.js";

/** An operator moves leadership, to a node or to whomever the leader thinks best. */
export const TRANSFER: FaultKind = {
  name: "transfer",
  weight: 5,
  plan: (random, { nodeCount }) => ({
    target: "leader",
    to: random.chance(0.7) ? random.integer(1, nodeCount) : 0,
  }),
  strike: (world, settings) => {
    const node = targetOf(world, settings);
    const to = settings["to"];
    if (node === undefined) return;
    world.trace?.note(node.name, `is told to hand over to ${to === 0 ? "the best" : `n${to}`}`);
    world.queue.schedule(0, "input", node.time, () => {
      node.replica?.transferLeadership(typeof to === "number" && to > 0 ? to : undefined);
    });
  },
};
