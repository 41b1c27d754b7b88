import t from "tap";
import { CheckpointTrail, MARKER_RANGE, TRAIL_BYTES } from "../../src/storage/checkpoint-trail.js";
import { MemoryDisk } from "../../src/storage/memory-disk.js";

function resumed(disk: MemoryDisk): CheckpointTrail {
  return CheckpointTrail.resume(disk.rows(MARKER_RANGE), disk.place);
}

t.test("markers are kept as long as a damaged write-ahead log could still take them, and no longer", (t) => {
  const disk = new MemoryDisk();
  const trail = resumed(disk);
  const bytes = TRAIL_BYTES / 32;
  for (let checkpoint = 1; checkpoint <= 1000; checkpoint++) {
    disk.apply(trail.advance(bytes));
    t.ok(disk.size >= Math.min(checkpoint, 32), "every one that is recent enough is there");
    t.ok(disk.size <= 36, "and few others");
  }
  resumed(disk);
  t.end();
});

t.test("after an open, which empties the write-ahead log, all markers but the newest go bit by bit", (t) => {
  const disk = new MemoryDisk();
  const before = resumed(disk);
  for (let checkpoint = 1; checkpoint <= 200; checkpoint++) disk.apply(before.advance(10));
  t.equal(disk.size, 200);
  const after = resumed(disk);
  for (let checkpoint = 1; checkpoint <= 3; checkpoint++) disk.apply(after.advance(10));
  t.equal(disk.size, 203 - 3 * 64);
  for (let checkpoint = 1; checkpoint <= 3; checkpoint++) disk.apply(after.advance(10));
  t.equal(disk.size, 1 + 6, "the newest at the open, and those since");
  resumed(disk);
  t.end();
});

t.test("a lost batch is a hole, also when it would have removed markers", (t) => {
  const disk = new MemoryDisk();
  const trail = resumed(disk);
  for (let checkpoint = 1; checkpoint <= 100; checkpoint++) disk.apply(trail.advance(10));
  const again = resumed(disk);
  again.advance(10);
  disk.apply(again.advance(10));
  t.throws(() => resumed(disk), {
    code: "DAMAGED",
    message: /checkpoint 65 was lost, though checkpoint 100 is there/,
  });
  t.end();
});
