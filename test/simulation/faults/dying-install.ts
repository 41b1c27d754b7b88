import type { InstallStep } from "../engine/world.js";
import { type FaultKind, numberOf } from "./fault-kind.js";

const STEPS: readonly InstallStep[] = ["building", "filling", "finishing", "built", "switching", "switched", "adopted"];

/** Every node dies at one step of the next snapshot that it installs, and comes back. */
export const DYING_INSTALL: FaultKind = {
  name: "dyingInstall",
  weight: 5,
  plan: (random) => ({
    step: random.pick(STEPS),
    log: random.pick(["durable", "lost"]),
    state: random.pick(["durable", "lost"]),
    downMs: random.between(1, 300),
  }),
  strike: (world, settings) => {
    const step = STEPS.find((known) => known === settings["step"]);
    if (step === undefined) return;
    for (const node of world.nodes) {
      node.dieAt = {
        step,
        fate: {
          log: settings["log"] === "durable" ? "durable" : "lost",
          state: settings["state"] === "durable" ? "durable" : "lost",
        },
        downMs: numberOf(settings, "downMs"),
      };
    }
  },
};
