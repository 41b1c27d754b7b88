import { join } from "node:path";
import t from "tap";
import { openLevelStateStore } from "../../src/storage/level-state-store.js";
import { MemoryDisk } from "../../src/storage/memory-disk.js";
import { openMemoryStateStore } from "../../src/storage/memory-state-store.js";
import { noNotice, STORE_ID, temporaryDirectory } from "./fixtures.js";
import { stateStoreContract } from "./state-store-contract.js";

const OWN = { nodeId: 1, storeId: STORE_ID };

t.test("the state store in memory", (t) => {
  stateStoreContract(t, async () => {
    const disk = new MemoryDisk();
    return { open: async (identity = OWN) => openMemoryStateStore({ disk, ...identity }) };
  });
  t.end();
});

t.test("the state store on LevelDB", (t) => {
  stateStoreContract(t, async (t) => {
    const directory = join(await temporaryDirectory(t), "node-1", "state");
    return {
      open: (identity = OWN) => openLevelStateStore({ directory, generation: 0, notice: noNotice, ...identity }),
    };
  });
  t.end();
});
