import type { CrashOutcome } from "../engine/disk-damage.js";
import { type FaultKind, numberOf, planTarget, targetOf } from "./fault-kind.js";

/** One node dies, with any subset of its unsynced writes, and comes back. */
export const CRASH: FaultKind = {
  name: "crash",
  weight: 10,
  plan: (random, context) => ({
    target: planTarget(random, context),
    log: random.pick<CrashOutcome>(["durable", "lost"]),
    state: random.pick(["durable", "lost"]),
    downMs: random.chance(0.5) ? random.between(1, 50) : random.between(50, 3000),
  }),
  strike: (world, settings) => {
    const node = targetOf(world, settings);
    if (node?.status !== "running") return;
    node.crash({
      log: settings["log"] === "durable" ? "durable" : "lost",
      state: settings["state"] === "durable" ? "durable" : "lost",
    });
    world.later(numberOf(settings, "downMs"), () => world.start(node));
  },
};
