import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import t, { type Test } from "tap";
import { startScrub } from "../src/node-scrub.js";
import { closeStores, directoriesOf, openStores, type Stores } from "../src/node-stores.js";
import type { StorageFailure } from "../src/storage/log-store.js";

const logger = pino({ level: "silent" });

function opened(dataDir: string): Promise<Stores> {
  return openStores({ dataDir, nodeId: 1, notice: () => undefined });
}

/** The directories of open stores that have tables. */
async function storesWithTables(t: Test): Promise<readonly string[]> {
  const dataDir = await mkdtemp(join(tmpdir(), "folio-scrub-"));
  t.teardown(() => rm(dataDir, { recursive: true, force: true }));
  const stores = await opened(dataDir);
  for (let row = 0; row < 1000; row++) stores.state.put(`a/${row}`, new Uint8Array(100).fill(row));
  await new Promise<void>((resolve, reject) => {
    stores.state.checkpoint((failure) => (failure === undefined ? resolve() : reject(failure)));
  });
  await closeStores(stores);
  // Opening moves what the write-ahead log holds into a table.
  const again = await opened(dataDir);
  t.teardown(() => closeStores(again));
  return directoriesOf(again, dataDir);
}

async function damageTable(directory: string): Promise<void> {
  const name = (await readdir(directory)).find((file) => file.endsWith(".ldb"));
  if (name === undefined) throw new Error(`${directory} has a table`);
  const bytes = await readFile(join(directory, name));
  bytes.writeUInt8(bytes.readUInt8(20) ^ 1, 20);
  await writeFile(join(directory, name), bytes);
}

t.test("tables are checked while the node runs, and one that lost a bit ends it", async (t) => {
  const directories = await storesWithTables(t);
  let runs = 0;
  let sound = () => {};
  let damaged = (_failure: StorageFailure) => {};
  const twiceSound = new Promise<void>((resolve) => {
    sound = resolve;
  });
  const found = new Promise<StorageFailure>((resolve) => {
    damaged = resolve;
  });
  const scrub = startScrub({
    directories: () => directories,
    intervalMs: 1,
    logger,
    finished: () => {
      if (++runs === 2 * directories.length) sound();
    },
    fatal: (failure) => damaged(failure),
  });
  t.teardown(() => scrub.stop());
  await twiceSound;
  const state = directories[1];
  if (state === undefined) throw new Error("there is a state directory");
  await damageTable(state);
  const failure = await found;
  t.equal(failure.code, "DAMAGED");
  t.match(failure.message, /\.ldb/);
  t.match(failure.message, /folio repair --rejoin/);
});

t.test("a directory that was replaced meanwhile is no damage, and 0 hours means never", async (t) => {
  const [log = ""] = await storesWithTables(t);
  let directories = [join(log, "gone")];
  let ended = () => {};
  const wentOn = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const fatal = (failure: StorageFailure) => t.fail(failure.message);
  const finished = () => ended();
  const list = () => {
    const now = directories;
    directories = [log];
    return now;
  };
  const scrub = startScrub({ directories: list, intervalMs: 1, logger, finished, fatal });
  await wentOn;
  await scrub.stop();
  const asked = () => {
    t.fail("nothing is checked");
    return [];
  };
  const never = startScrub({ directories: asked, intervalMs: 0, logger, finished, fatal });
  await never.stop();
});
