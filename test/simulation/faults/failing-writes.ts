import { type FaultKind, numberOf, planTarget, targetOf } from "./fault-kind.js";

/** A disk refuses writes: the node must end before it acknowledges anything. It is mended later. */
export const FAILING_WRITES: FaultKind = {
  name: "failingWrites",
  weight: 4,
  plan: (random, context) => ({
    target: planTarget(random, context),
    disk: random.pick(["log", "state"]),
    error: random.pick(["ENOSPC: no space left on device", "EIO: i/o error, fsync", "EMFILE: too many open files"]),
    fate: random.pick(["durable", "lost"]),
    forMs: random.between(50, 2000),
  }),
  strike: (world, settings) => {
    const node = targetOf(world, settings);
    if (node === undefined || node.integrity !== "sound") return;
    const disk = settings["disk"] === "log" ? node.logDisk : node.stateDisks;
    disk.failWrites(new Error(String(settings["error"])), settings["fate"] === "durable" ? "durable" : "lost");
    world.trace?.note(node.name, `${settings["disk"]} disk: ${settings["error"]}, though ${settings["fate"]}`);
    world.later(numberOf(settings, "forMs"), () => {
      if (!world.isChaos) return;
      disk.failWrites(undefined);
      // If it wrote meanwhile, it died of it.
      world.start(node);
    });
  },
};
