import { type FaultKind, numberOf, targetOf } from "./fault-kind.js";

/**
 * Leadership is handed to a node that hears everything and is heard by nobody: it stands alone in a
 * term of its own, and must find its way back once it is heard again (classic bug 15).
 */
export const MUTE_SUCCESSOR: FaultKind = {
  name: "muteSuccessor",
  weight: 3,
  plan: (random, { nodeCount }) => ({
    target: "leader",
    to: random.integer(1, nodeCount),
    muteAfterMs: random.between(0, 8),
    forMs: random.between(50, 900),
  }),
  strike: (world, settings) => {
    const leader = targetOf(world, settings);
    const successor = world.door(numberOf(settings, "to"));
    if (leader === undefined || leader === successor) return;
    world.queue.schedule(0, "input", leader.time, () => leader.replica?.transferLeadership(successor.id));
    const others = world.nodes.filter((node) => node !== successor);
    world.later(numberOf(settings, "muteAfterMs"), () => {
      if (!world.isChaos) return;
      world.trace?.note(successor.name, `is handed leadership by ${leader.name} and falls mute`);
      for (const { id } of others) world.network.weather(successor.id, id).blocked = true;
    });
    world.later(numberOf(settings, "muteAfterMs") + numberOf(settings, "forMs"), () => {
      if (!world.isChaos) return;
      world.trace?.note(successor.name, "is heard again");
      for (const { id } of others) world.network.calmDown(successor.id, id);
    });
  },
};
