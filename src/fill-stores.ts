import { readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { isBeingFilled, markFilling, unmarkFilling } from "./directory-marks.js";
import { LOG, openOrMake, runOn, type Stores, type StoresPlace } from "./node-stores.js";
import { RecoveryRefused } from "./recovery/stores.js";
import { storesIn } from "./seat-claim.js";
import { makeDirectory, syncDirectory } from "./storage/durable-directory.js";
import { namesIn } from "./storage/level-disk.js";
import { type LevelLock, takeLevelLock } from "./storage/level-lock.js";

/** LevelDB's own; whoever makes, opens or removes the stores of a directory holds that of the log. */
const LOCK = "LOCK";

/**
 * Makes the stores of a directory that has nothing in it, and fills them: they count when `fill` has ended well. When it
 * fails, the directory is as it was before; when the process dies, a mark keeps every start from what is there, and the
 * next run replaces it.
 *
 * The mark is made, and what lies beside it removed, only by who holds the log's lock; who opens the log looks for the
 * mark again once he holds it. So what is marked and not locked is nobody's, and of several runs at once one goes on.
 *
 * @throws RecoveryRefused if the directory is not empty, or in use; then nothing was changed
 * @throws StorageFailure, and what `fill` throws
 */
export async function fillStores<Result>(
  place: StoresPlace,
  fill: (stores: Stores) => Promise<Result>,
): Promise<Result> {
  const { dataDir } = place;
  const made = await makeDirectory(dataDir);
  await begin(place, made);
  try {
    return await runOn(await openOrMake(place, requireFilling), async (stores) => {
      const result = await fill(stores);
      // Before the lock goes: another run would take them for what an interrupted one left.
      await unmarkFilling(dataDir);
      return result;
    });
  } catch (error) {
    // What cannot be removed keeps the mark.
    await unmake(dataDir, made).catch(() => undefined);
    throw error;
  }
}

/** Whether there is nothing in the directory but what a run leaves that is interrupted before it has made its mark. */
export async function isBare(dataDir: string): Promise<boolean> {
  const names = [...(await namesIn(dataDir)), ...(await namesIn(join(dataDir, LOG)))];
  return names.every((name) => name === LOG || name === LOCK);
}

async function begin({ dataDir, notice }: StoresPlace, made: readonly string[]): Promise<void> {
  // Nor is a lock made in what is another's.
  await requireFillable(dataDir);
  const lock = await lockLog(dataDir);
  if (lock === undefined) throw inUse(dataDir);
  try {
    await requireFillable(dataDir);
    if (await isBeingFilled(dataDir)) {
      notice(`what an interrupted run of \`folio restore\` left in ${dataDir} is replaced`);
      await removeAllButLock(dataDir);
    } else {
      await markFilling(dataDir).catch(async (error: unknown) => {
        await removeAll(dataDir, made);
        throw error;
      });
    }
  } finally {
    await lock.release();
  }
}

async function requireFillable(dataDir: string): Promise<void> {
  if ((await isBeingFilled(dataDir)) || (await isBare(dataDir))) return;
  throw new RecoveryRefused(`${dataDir} is not empty: choose a folder that is, or does not exist yet.`);
}

/** Another run may have come in between, and have ended. */
async function requireFilling(dataDir: string): Promise<void> {
  if (!(await isBeingFilled(dataDir))) throw inUse(dataDir);
}

function inUse(dataDir: string): RecoveryRefused {
  return new RecoveryRefused(
    `${dataDir} is in use: another \`folio restore\` or a node has its stores open, or had them just now.`,
  );
}

async function lockLog(dataDir: string): Promise<LevelLock | undefined> {
  const directory = join(dataDir, LOG);
  await makeDirectory(directory);
  return takeLevelLock(directory);
}

/** Removes what was made, unless it is another's by now. */
async function unmake(dataDir: string, made: readonly string[]): Promise<void> {
  if (!(await isBeingFilled(dataDir))) return;
  const lock = await lockLog(dataDir);
  if (lock === undefined) return;
  try {
    // What is marked is nobody's, for as long as the lock is held.
    if (await isBeingFilled(dataDir)) await removeAll(dataDir, made);
  } finally {
    await lock.release();
  }
}

async function removeAll(dataDir: string, made: readonly string[]): Promise<void> {
  await removeAllButLock(dataDir);
  await unmarkFilling(dataDir);
  // Last: whoever comes now begins anew.
  await rm(join(dataDir, LOG, LOCK));
  await rmdir(join(dataDir, LOG));
  for (const folder of made.toReversed()) await rmdir(folder);
}

/** Whatever interrupts it, it can be repeated; the lock stays the one that is held. */
async function removeAllButLock(dataDir: string): Promise<void> {
  for (const name of await storesIn(dataDir)) {
    if (name !== LOG) await rm(join(dataDir, name), { recursive: true, force: true });
  }
  const log = join(dataDir, LOG);
  for (const name of await readdir(log)) {
    if (name !== LOCK) await rm(join(log, name), { recursive: true, force: true });
  }
  await syncDirectory(log);
  await syncDirectory(dataDir);
}
