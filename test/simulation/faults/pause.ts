import { type FaultKind, numberOf, planTarget, targetOf } from "./fault-kind.js";

/** A process stands still (SIGSTOP, a busy loop): its timers are late, its input is buffered. */
export const PAUSE: FaultKind = {
  name: "pause",
  weight: 7,
  plan: (random, context) => ({
    target: planTarget(random, context),
    forMs: random.chance(0.4) ? random.between(10, 200) : random.between(200, 3000),
  }),
  strike: (world, settings) => {
    const node = targetOf(world, settings);
    if (node?.status !== "running" || node.time.isPaused) return;
    const { life } = node.time;
    node.time.pause();
    world.trace?.note(node.name, "stands still");
    world.later(numberOf(settings, "forMs"), () => {
      if (node.time.life !== life || !world.isChaos) return;
      world.trace?.note(node.name, "goes on");
      world.resume(node);
    });
  },
};
