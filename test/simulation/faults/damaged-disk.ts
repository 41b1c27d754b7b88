import { MemoryDisk } from "../../../src/storage/memory-disk.js";
import { allRows } from "../engine/disk-damage.js";
import { type FaultKind, numberOf, planTarget, targetOf } from "./fault-kind.js";

/**
 * A node that the cluster can do without dies, and its disk suffers for good: rows of one write part,
 * a bit flips, the log goes back to an older copy, everything is wiped. It must be kept out, or be
 * right, never wrong.
 */
export const DAMAGED_DISK: FaultKind = {
  name: "damagedDisk",
  weight: 2,
  plan: (random, context) => ({
    target: planTarget(random, context),
    damage: random.pick(["torn", "flipLog", "flipState", "rollBack", "wipe"]),
    downMs: random.between(1, 2000),
  }),
  strike: (world, settings) => {
    const node = targetOf(world, settings);
    // What was never part of a cluster has nothing to lose.
    if (node?.status !== "running" || node.integrity !== "sound" || node.durable.lastIndex < 2) return;
    if (!world.isSafeWithout(node)) return;
    const end = () => world.later(numberOf(settings, "downMs"), () => world.start(node));
    switch (settings["damage"]) {
      case "rollBack": {
        const rows = allRows(node.logDisk);
        const { durable } = node;
        const { lastIndex, stateGeneration } = durable;
        world.later(1500, () => {
          if (!world.isChaos || node.status !== "running" || node.integrity !== "sound") return;
          // Only what the state bears witness of can be noticed.
          if (node.checkpointIndex <= lastIndex || node.durable !== durable) return;
          if (durable.stateGeneration !== stateGeneration || !world.isSafeWithout(node)) return;
          node.crash({ log: "lost", state: "lost" });
          node.logDisk = new MemoryDisk("log");
          node.logDisk.apply(rows.map(([key, value]) => ({ type: "put", key, value })));
          node.integrity = "logRolledBack";
          world.trace?.note(node.name, `log goes back to entry ${lastIndex}`);
          end();
        });
        return;
      }
      case "torn":
        node.crash({ log: "torn", state: "lost" });
        return end();
      case "wipe":
        // A founder that was alone stays out only if a member reaches it in time (test/replica/founding.test.ts).
        if (world.founders.length === 1 && node.id === 1) return;
        node.crash({ log: "lost", state: "lost" });
        node.wipe();
        return end();
      default:
        node.crash({ log: "lost", state: "lost" });
        node.damage(settings["damage"] === "flipLog" ? "log" : "state");
        return end();
    }
  },
};
