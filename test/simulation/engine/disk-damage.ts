import type { DiskOperation, DiskRow } from "../../../src/storage/disk.js";
import type { MemoryDisk } from "../../../src/storage/memory-disk.js";
import type { Random } from "./random.js";

/** What became of the write in flight when its process died: all, nothing, or some of its rows. */
export type CrashOutcome = "durable" | "lost" | "torn";

const ALL = { gte: "", lt: "\uffff" } as const;

export function allRows(disk: MemoryDisk): DiskRow[] {
  return disk.rows(ALL);
}

/** Returns whether rows of one write parted: a real disk's batches never do, and an open must say so. */
export function crashDisk(disk: MemoryDisk, outcome: CrashOutcome, random: Random): boolean {
  if (outcome !== "torn") {
    disk.crash(outcome);
    return false;
  }
  const before = new Map(allRows(disk));
  disk.crash("durable");
  const reverted = differences(before, disk).filter(() => random.chance(0.5));
  disk.apply(reverted);
  return reverted.length > 0;
}

/** What undoes the difference between the rows before and the rows now. */
function differences(before: ReadonlyMap<string, Buffer>, disk: MemoryDisk): DiskOperation[] {
  const undo: DiskOperation[] = [];
  const now = new Map(allRows(disk));
  for (const [key, value] of now) {
    const old = before.get(key);
    if (old === undefined) undo.push({ type: "delete", key });
    else if (old !== value) undo.push({ type: "put", key, value: old });
  }
  for (const [key, value] of before) if (!now.has(key)) undo.push({ type: "put", key, value });
  return undo;
}

/** Flips one bit of one stored row, or cuts the row short. Returns which, undefined on an empty disk. */
export function damageRow(disk: MemoryDisk, random: Random): string | undefined {
  const rows = allRows(disk);
  if (rows.length === 0) return undefined;
  // The newest rows and the frame are as likely to suffer as the many old ones.
  const [key, value] = random.chance(0.5) ? random.pick(rows) : random.pick([...rows.slice(0, 3), ...rows.slice(-3)]);
  if (value.length > 1 && random.chance(0.2)) {
    disk.apply([{ type: "put", key, value: Buffer.from(value.subarray(0, random.integer(1, value.length - 1))) }]);
    return `${key} cut short`;
  }
  const flipped = Buffer.from(value);
  const at = random.integer(0, flipped.length - 1);
  flipped[at] = (flipped[at] ?? 0) ^ (1 << random.integer(0, 7));
  disk.apply([{ type: "put", key, value: flipped }]);
  return `${key}, byte ${at}`;
}
