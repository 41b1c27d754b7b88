import { join } from "node:path";
import t from "tap";
import { openLevelLogStore } from "../../src/storage/level-log-store.js";
import { MemoryDisk } from "../../src/storage/memory-disk.js";
import { openMemoryLogStore } from "../../src/storage/memory-log-store.js";
import { STORE_ID, temporaryDirectory } from "./fixtures.js";
import { logStoreContract } from "./log-store-contract.js";

const randomId = () => STORE_ID;

t.test("the log store in memory", (t) => {
  logStoreContract(t, async () => {
    const disk = new MemoryDisk();
    return { open: async (nodeId = 1) => openMemoryLogStore({ disk, nodeId, randomId }) };
  });
  t.end();
});

t.test("the log store on LevelDB", (t) => {
  logStoreContract(t, async (t) => {
    const directory = join(await temporaryDirectory(t), "node-1", "log");
    return { open: (nodeId = 1) => openLevelLogStore({ directory, nodeId, randomId }) };
  });
  t.end();
});
