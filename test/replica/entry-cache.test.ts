import t from "tap";
import type { Entry } from "../../src/raft/types.js";
import { EntryCache } from "../../src/replica/entry-cache.js";
import type { LogStore } from "../../src/storage/log-store.js";
import { MemoryDisk } from "../../src/storage/memory-disk.js";
import { openMemoryLogStore } from "../../src/storage/memory-log-store.js";

const BYTES = 100;

function entryOf(index: number, term = 1): Entry {
  return { index, term, body: { kind: "command", payload: new Uint8Array(BYTES).fill(term) } };
}

function entries(first: number, last: number, term = 1): Entry[] {
  return Array.from({ length: last + 1 - first }, (_, place) => entryOf(first + place, term));
}

function told(list: readonly Entry[]): string[] {
  return list.map(({ index, term, body }) => {
    const payload = body.kind === "command" ? body.payload : new Uint8Array();
    return `${index} of term ${term}: ${payload.length} times ${payload[0]}`;
  });
}

/** A log whose disk finishes when it is told to. */
function newLog(): { log: LogStore; disk: () => void } {
  const deferred: (() => void)[] = [];
  const log = openMemoryLogStore({
    disk: new MemoryDisk(),
    nodeId: 1,
    randomId: () => "0123456789abcdef0123456789abcdef",
    defer: (callback) => deferred.push(callback),
  });
  return { log, disk: () => deferred.shift()?.() };
}

function written(failure: Error | undefined): void {
  if (failure !== undefined) throw failure;
}

t.test("entries come from memory, from the log, or from both, in order", async (t) => {
  const { log, disk } = newLog();
  const cache = new EntryCache(log, { nextIndex: 1, bytesMax: 5 * BYTES });
  for (const entry of entries(1, 20)) cache.add(entry);
  t.same(told(cache.range(1, 20)), told(entries(1, 20)), "nothing is durable yet: all of it is here");
  log.write({ hardState: { term: 1, votedFor: 1 }, entries: entries(1, 20) }, written);
  disk();
  cache.trim(20);
  t.same(told(cache.range(1, 20)), told(entries(1, 20)));
  t.same(told(cache.range(3, 4)), told(entries(3, 4)));
  t.same(told(cache.range(20, 20)), told(entries(20, 20)));
  t.same(told(cache.range(5, 4)), told([]));
});

t.test("what is not applied, or not durable, never leaves", async (t) => {
  const { log } = newLog();
  const cache = new EntryCache(log, { nextIndex: 1, bytesMax: 2 * BYTES });
  for (const entry of entries(1, 50)) cache.add(entry);
  cache.trim(0);
  t.same(told(cache.range(1, 50)), told(entries(1, 50)));
});

t.test("a divergent tail goes, also while the disk is still at removing it", async (t) => {
  const { log, disk } = newLog();
  const cache = new EntryCache(log, { nextIndex: 1, bytesMax: 3 * BYTES });
  for (const entry of entries(1, 10)) cache.add(entry);
  log.write({ hardState: { term: 1, votedFor: 1 }, entries: entries(1, 10) }, written);
  disk();
  cache.trim(6);
  for (const entry of entries(8, 12, 2)) cache.add(entry);
  log.write({ hardState: { term: 2, votedFor: 2 }, truncateFrom: 8, entries: entries(8, 12, 2) }, written);
  t.same(told(cache.range(1, 12)), told([...entries(1, 7), ...entries(8, 12, 2)]));
  disk();
  t.same(told(cache.range(6, 9)), told([...entries(6, 7), ...entries(8, 9, 2)]));
});

t.test("a tail that began before anything in memory is replaced: after a start the memory is empty", async (t) => {
  const { log, disk } = newLog();
  log.write({ hardState: { term: 1, votedFor: 1 }, entries: entries(1, 10) }, written);
  disk();
  const cache = new EntryCache(log, { nextIndex: 11, bytesMax: 3 * BYTES });
  cache.add(entryOf(11));
  for (const entry of entries(6, 7, 3)) cache.add(entry);
  log.write({ hardState: { term: 3, votedFor: 1 }, truncateFrom: 6, entries: entries(6, 7, 3) }, written);
  t.same(told(cache.range(4, 7)), told([...entries(4, 5), ...entries(6, 7, 3)]));
  t.throws(() => cache.add(entryOf(9)), { name: "InvariantViolation" });
  t.throws(() => cache.range(6, 8), { name: "InvariantViolation" });
});
