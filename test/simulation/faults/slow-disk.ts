import { type FaultKind, numberOf, planTarget, targetOf } from "./fault-kind.js";

/** Every write of one node takes long. */
export const SLOW_DISK: FaultKind = {
  name: "slowDisk",
  weight: 4,
  plan: (random, context) => ({
    target: planTarget(random, context),
    byMs: random.chance(0.5) ? random.between(5, 80) : random.between(80, 900),
    forMs: random.between(200, 3000),
  }),
  strike: (world, settings) => {
    const node = targetOf(world, settings);
    if (node === undefined) return;
    node.extraSyncMs = numberOf(settings, "byMs");
    world.trace?.note(node.name, `disk is slow: ${node.extraSyncMs.toFixed(0)} ms more per write`);
    world.later(numberOf(settings, "forMs"), () => {
      if (world.isChaos) node.extraSyncMs = 0;
    });
  },
};
