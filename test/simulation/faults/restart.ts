import { type FaultKind, numberOf, planTarget, targetOf } from "./fault-kind.js";

/** An orderly restart: drain, hand over, write the last checkpoint, end, start again. Now and then nobody waits for the end. */
export const RESTART: FaultKind = {
  name: "restart",
  weight: 3,
  plan: (random, context) => ({
    target: planTarget(random, context),
    drainMs: random.between(0, 200),
    downMs: random.between(1, 500),
    isPatient: random.chance(0.5),
  }),
  strike: (world, settings) => {
    const node = targetOf(world, settings);
    if (node?.status !== "running") return;
    const { replica } = node;
    node.isEnding = true;
    world.queue.schedule(0, "input", node.time, () => {
      replica?.drain();
      replica?.transferLeadership();
    });
    const again = () => {
      if (!world.isChaos || node.replica !== replica || node.status !== "running") return;
      node.crash({ log: "lost", state: "lost" });
      world.later(numberOf(settings, "downMs"), () => world.start(node));
    };
    world.queue.schedule(numberOf(settings, "drainMs"), "input", node.time, () => {
      if (replica !== undefined) world.ending(node, replica.stop(), again);
    });
    if (settings["isPatient"] !== true) world.later(numberOf(settings, "drainMs") + 20, again);
  },
};
