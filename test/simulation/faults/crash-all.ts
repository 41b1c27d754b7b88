import { type FaultKind, numberOf } from "./fault-kind.js";

/** The whole room loses power; each node keeps what it keeps, and comes back when it does. */
export const CRASH_ALL: FaultKind = {
  name: "crashAll",
  weight: 3,
  plan: (random, { nodeCount }) => ({
    outcomes: Array.from({ length: nodeCount + 2 }, () => ({
      log: random.pick(["durable", "lost"]),
      state: random.pick(["durable", "lost"]),
      downMs: random.between(1, 600),
    })),
  }),
  strike: (world, settings) => {
    const outcomes = settings["outcomes"] as readonly {
      log: "durable" | "lost";
      state: "durable" | "lost";
      downMs: number;
    }[];
    for (const node of world.nodes) {
      const outcome = outcomes[node.id % outcomes.length];
      if (outcome === undefined || node.status !== "running") continue;
      node.crash(outcome);
      world.later(numberOf({ ...outcome }, "downMs"), () => world.start(node));
    }
  },
};
