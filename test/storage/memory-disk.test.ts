import t from "tap";
import { InvariantViolation } from "../../src/assert.js";
import { recordKey } from "../../src/storage/log-record.js";
import { MemoryDisk } from "../../src/storage/memory-disk.js";
import { openMemoryLogStore } from "../../src/storage/memory-log-store.js";
import { openMemoryStateStore } from "../../src/storage/memory-state-store.js";
import {
  checkpoint,
  command,
  failureOf,
  fillLog,
  page,
  put,
  STORE_ID,
  textOf,
  thrownBy,
  writeLog,
} from "./fixtures.js";

const randomId = () => STORE_ID;

t.test("a simulator decides when a write is durable", (t) => {
  const later: (() => void)[] = [];
  const disk = new MemoryDisk();
  const store = openMemoryLogStore({ disk, nodeId: 1, randomId, defer: (callback) => later.push(callback) });
  let durable = false;
  store.write({ hardState: { term: 1, votedFor: 1 }, entries: [command(1, 1)] }, () => {
    durable = true;
  });
  t.equal(durable, false);
  t.equal(disk.get(recordKey(1)), undefined, "nothing is on the disk before that");
  for (const callback of later) callback();
  t.equal(durable, true);
  t.end();
});

t.test("a failed write of the log fails all later ones, and nothing of it is on the disk", async (t) => {
  const disk = new MemoryDisk();
  const store = openMemoryLogStore({ disk, nodeId: 1, randomId });
  await fillLog(store, 2);
  disk.failWrites(new Error("no space left on device"));
  const failure = await failureOf(writeLog(store, { truncateFrom: 2, entries: [command(2, 1, "new")] }));
  t.equal(failure.code, "WRITE_FAILED");
  t.match(failure.message, /no space left on device/);
  disk.failWrites(undefined);
  t.equal(await failureOf(writeLog(store, { entries: [command(3, 1)] })), failure, "even if the disk is well again");
  t.throws(() => store.read(2, 2), InvariantViolation, "nobody knows what is there now");
  disk.crash("lost");
  t.same(openMemoryLogStore({ disk, nodeId: 1, randomId }).recovery.terms, [1, 1]);
});

t.test("a failed checkpoint fails all later ones, and what it was to write is still read", async (t) => {
  const disk = new MemoryDisk();
  const store = openMemoryStateStore({ disk, nodeId: 1, storeId: STORE_ID });
  put(store, "a", "1");
  disk.failWrites(new Error("no space left on device"));
  const failure = await failureOf(checkpoint(store));
  t.equal(failure.code, "WRITE_FAILED");
  t.match(failure.message, /no space left on device/);
  disk.failWrites(undefined);
  t.equal(store.checkpointing, false);
  t.equal(textOf(store.get("a")), "1");
  put(store, "b", "2");
  let within = true;
  const later = new Promise((resolve) => {
    store.checkpoint((again) => resolve([within, again]));
  });
  within = false;
  t.same(await later, [false, failure]);
  t.same(await page(store), ["a=1", "b=2"]);
});

t.test("a simulator can damage what is stored", async (t) => {
  const disk = new MemoryDisk("disk of node 1");
  const store = openMemoryLogStore({ disk, nodeId: 1, randomId });
  await fillLog(store, 3);
  const key = recordKey(2);
  const value = Buffer.from(disk.get(key) ?? []);
  value.writeUInt8(value.readUInt8(22) ^ 1, 22);
  disk.apply([{ type: "put", key, value }]);
  t.match(thrownBy(() => store.read(1, 3)).message, /entry 2 fails its checksum \(in disk of node 1\)/);
  disk.crash("lost");
  t.equal(thrownBy(() => openMemoryLogStore({ disk, nodeId: 1, randomId })).code, "DAMAGED");
  t.equal(thrownBy(() => openMemoryLogStore({ disk, nodeId: 1, randomId })).code, "DAMAGED", "and not that it is open");
});
