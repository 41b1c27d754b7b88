import { cp } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { openLevelStateStore } from "../../src/storage/level-state-store.js";
import type { StateStore } from "../../src/storage/state-store.js";
import {
  checkpoint,
  failureOf,
  noNotice,
  page,
  put,
  STORE_ID,
  type Test,
  temporaryDirectory,
  thrownBy,
} from "./fixtures.js";
import { cutWriteAheadLog, damageTables, flipBit, loseBatch, stored, tamper } from "./raw-level.js";

function open(directory: string): Promise<StateStore> {
  return openLevelStateStore({ directory, nodeId: 1, storeId: STORE_ID, generation: 0, notice: noNotice });
}

async function closedState(t: Test): Promise<string> {
  const directory = join(await temporaryDirectory(t), "state");
  const store = await open(directory);
  for (const key of ["a", "b", "c"]) {
    put(store, key, `value of ${key}`);
    await checkpoint(store);
  }
  await store.close();
  return directory;
}

/** A copy of a state of many checkpoints as a power loss would leave it: all in the write-ahead log. */
async function unclosedState(t: Test, checkpoints: number): Promise<string> {
  const directory = join(await temporaryDirectory(t), "state");
  const store = await open(directory);
  for (let number = 1; number <= checkpoints; number++) {
    put(store, "counter", `${number}`);
    put(store, `row/${String(number).padStart(6, "0")}`, "x".repeat(500));
    await checkpoint(store);
  }
  const copy = `${directory}-copy`;
  await cp(directory, copy, { recursive: true });
  await store.close();
  return copy;
}

t.test("a damaged value is found by get and by scan, and the message names its key", async (t) => {
  const directory = await closedState(t);
  await tamper(directory, (level) => flipBit(level, "b", 2));
  const store = await open(directory);
  const { code, message } = thrownBy(() => store.get("b"));
  t.equal(code, "DAMAGED");
  t.match(message, /record b fails its checksum/);
  const scanned = await failureOf(page(store));
  t.equal(scanned.code, "DAMAGED");
  t.match(scanned.message, /record b fails its checksum/);
  t.same(await page(store, { gte: "c" }), ["c=value of c"], "what is not damaged is read");
  await store.close();
});

t.test("a value under another key than its own is damage", async (t) => {
  const directory = await closedState(t);
  await tamper(directory, async (level) => level.put("b", await stored(level, "a")));
  const store = await open(directory);
  t.match(thrownBy(() => store.get("b")).message, /record b fails its checksum/);
  await store.close();
});

t.test("a torn last checkpoint is dropped as a whole", async (t) => {
  const directory = await unclosedState(t, 5);
  await cutWriteAheadLog(directory, 3);
  const store = await open(directory);
  t.equal((await page(store, { lt: "d" }))[0], "counter=4");
  t.equal((await page(store)).length, 1 + 4);
  await store.close();
});

t.test("a checkpoint lost from the middle, which LevelDB keeps quiet about, stops the open", async (t) => {
  const directory = await unclosedState(t, 300);
  await loseBatch(directory, 150);
  const { code, message } = await failureOf(open(directory));
  t.equal(code, "DAMAGED");
  t.match(message, /State checkpoint \d+ was lost, though checkpoint \d+ is there/);
});

t.test("a page that ends before its range does still reports a block that could not be read", async (t) => {
  const directory = join(await temporaryDirectory(t), "state");
  const store = await open(directory);
  for (let row = 0; row < 2000; row++) put(store, `row/${String(row).padStart(6, "0")}`, `${row * 7919}`.repeat(20));
  await checkpoint(store);
  await store.close();
  await (await open(directory)).close();
  const damagedStore = await open(directory);
  await damageTables(directory, 3000, 500);
  const { code } = await failureOf(page(damagedStore, { gte: "row/", limit: 500 }));
  t.equal(code, "DAMAGED");
  await damagedStore.close();
});

t.test("a damaged or missing marker of a checkpoint stops the open", async (t) => {
  const missing = await closedState(t);
  await tamper(missing, (level) => level.del("!checkpoint/0000000000000002"));
  t.match((await failureOf(open(missing))).message, /checkpoint 2 was lost, though checkpoint 3 is there/);
  const broken = await closedState(t);
  await tamper(broken, (level) => flipBit(level, "!checkpoint/0000000000000003", 0));
  t.match((await failureOf(open(broken))).message, /marker of state checkpoint 3 fails its checksum/);
});
