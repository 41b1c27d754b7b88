import type { FaultKind } from "./fault-kind.js";

/**
 * A node that was removed and still runs is let in again, with what it holds; not one that knows its seat to be
 * another's, which is refused (src/node-administration.ts).
 */
export const READMIT: FaultKind = {
  name: "readmit",
  weight: 3,
  plan: () => ({}),
  strike: (world) => {
    const { configuration } = world.committed;
    const node = world.nodes.find(
      (candidate) =>
        candidate.status === "running" &&
        candidate.integrity === "sound" &&
        candidate.storeId !== "" &&
        candidate.core !== undefined &&
        !world.isNamed(candidate, configuration),
    );
    if (node !== undefined) world.operators.readmit(node);
  },
};
