import { type FaultKind, numberOf, planTarget, targetOf } from "./fault-kind.js";

/** A wall clock is set, a little or far beyond what is tolerated; mostly it is set right again. */
export const CLOCK_JUMP: FaultKind = {
  name: "clockJump",
  weight: 4,
  plan: (random, context) => ({
    target: planTarget(random, context),
    byMs: Math.round(random.chance(0.5) ? random.between(-1500, 1500) : random.between(-20_000, 20_000)),
    forMs: random.between(100, 4000),
  }),
  strike: (world, settings) => {
    const node = targetOf(world, settings);
    if (node === undefined) return;
    const before = node.time.wallOffsetMs;
    node.time.wallOffsetMs += numberOf(settings, "byMs");
    world.trace?.note(node.name, `wall clock jumps by ${numberOf(settings, "byMs")} ms`);
    world.later(numberOf(settings, "forMs"), () => {
      if (world.isChaos) node.time.wallOffsetMs = before;
    });
  },
};
