import { type FaultKind, targetOf } from "./fault-kind.js";

/** An operator has a member removed, the leader often; it is switched off afterwards, or left as it is. */
export const SHRINK: FaultKind = {
  name: "shrink",
  weight: 6,
  plan: (random) => ({
    target: random.chance(0.35) ? "leader" : random.integer(1, 7),
    staysOn: random.chance(0.4),
  }),
  strike: (world, settings) => {
    const node = targetOf(world, settings);
    if (node !== undefined) world.operators.shrink(node, { staysOn: settings["staysOn"] === true });
  },
};
