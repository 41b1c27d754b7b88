import { type FaultKind, numberOf, targetOf } from "./fault-kind.js";

/**
 * A leader is cut off while its slow disk still writes: the others go on without it, and its entries
 * are replaced before their own write has completed, by other entries or by a snapshot (classic bugs 9 and 10).
 */
export const LIMPING_LEADER: FaultKind = {
  name: "limpingLeader",
  weight: 4,
  plan: (random) => {
    // So slow that a snapshot, or cuts of the log, may come while a write is in flight.
    const isVerySlow = random.chance(0.4);
    return {
      target: "leader",
      byMs: isVerySlow ? random.between(1500, 4000) : random.between(300, 1500),
      cutOffAfterMs: random.between(0, 100),
      cutOffForMs: random.between(300, 2000),
      forMs: isVerySlow ? random.between(2000, 8000) : random.between(800, 3000),
    };
  },
  strike: (world, settings) => {
    const node = targetOf(world, settings);
    if (node === undefined) return;
    node.extraSyncMs = numberOf(settings, "byMs");
    const others = world.nodes.filter((other) => other !== node);
    world.later(numberOf(settings, "cutOffAfterMs"), () => {
      if (!world.isChaos) return;
      world.trace?.note(node.name, `limps and is cut off; ${node.extraSyncMs.toFixed(0)} ms more per write`);
      for (const { id } of others) {
        world.network.weather(node.id, id).blocked = true;
        world.network.weather(id, node.id).blocked = true;
      }
    });
    world.later(numberOf(settings, "cutOffAfterMs") + numberOf(settings, "cutOffForMs"), () => {
      if (!world.isChaos) return;
      world.trace?.note(node.name, "is heard again");
      for (const { id } of others) {
        world.network.calmDown(node.id, id);
        world.network.calmDown(id, node.id);
      }
    });
    world.later(numberOf(settings, "forMs"), () => {
      if (world.isChaos) node.extraSyncMs = 0;
    });
  },
};
