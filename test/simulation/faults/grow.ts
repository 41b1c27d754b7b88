import type { FaultKind } from "./fault-kind.js";

/** An operator starts another node and has it let in; mostly it becomes a voter, some stay learners. */
export const GROW: FaultKind = {
  name: "grow",
  weight: 6,
  plan: (random) => ({
    isVoter: random.chance(0.75),
    reusesId: random.chance(0.5),
    assignsId: random.chance(0.5),
  }),
  strike: (world, settings) => {
    world.operators.grow({
      isVoter: settings["isVoter"] === true,
      reusesId: settings["reusesId"] === true,
      assignsId: settings["assignsId"] === true,
    });
  },
};
