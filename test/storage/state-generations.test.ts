import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { openLevelStateStore } from "../../src/storage/level-state-store.js";
import { MemoryStateDisks } from "../../src/storage/memory-state-disks.js";
import { openMemoryStateStore } from "../../src/storage/memory-state-store.js";
import { noNotice, STORE_ID, temporaryDirectory } from "./fixtures.js";
import { stateBuildContract } from "./state-build-contract.js";

const identity = { nodeId: 1, storeId: STORE_ID };

t.test("views and generations in memory", (t) => {
  stateBuildContract(t, async () => {
    const disk = new MemoryStateDisks();
    return {
      open: async (generation) => openMemoryStateStore({ disk, generation, ...identity }),
      generations: async () => disk.generations,
    };
  });
  t.end();
});

t.test("views and generations on LevelDB", (t) => {
  stateBuildContract(t, async (t) => {
    const directory = await temporaryDirectory(t);
    // What looks alike and is not a generation is left alone.
    await mkdir(join(directory, "state-of-things"));
    return {
      open: (generation) =>
        openLevelStateStore({ directory: join(directory, "state"), generation, notice: noNotice, ...identity }),
      generations: async () => {
        const names = await readdir(directory);
        t.ok(names.includes("state-of-things"));
        const found = names.filter((name) => name !== "state-of-things").map((name) => Number(name.split("-")[1] ?? 0));
        return found.sort((a, b) => a - b);
      },
    };
  });
  t.end();
});
