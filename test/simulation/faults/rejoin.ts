import type { FaultKind } from "./fault-kind.js";

/** An operator finds a node that its disk keeps out, gives its seat up, and brings it back as a new member. */
export const REJOIN: FaultKind = {
  name: "rejoin",
  weight: 5,
  plan: (random) => ({ keepsId: random.chance(0.7), rank: random.unit() }),
  strike: (world, settings) => {
    const lost = world.nodes.filter(({ status, integrity }) => status === "out" || integrity === "wiped");
    const node = lost[Math.floor(Number(settings["rank"]) * lost.length)];
    if (node !== undefined) world.operators.rejoin(node, { keepsId: settings["keepsId"] === true });
  },
};
