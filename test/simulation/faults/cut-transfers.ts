import type { FaultKind } from "./fault-kind.js";

/** Every snapshot on its way is cut off in the middle. */
export const CUT_TRANSFERS: FaultKind = {
  name: "cutTransfers",
  weight: 3,
  plan: () => ({}),
  strike: (world) => {
    world.trace?.note("world", "snapshots on their way are cut off");
    world.network.cutSnapshots();
  },
};
