import { mkdir, readdir, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { MARKS } from "../directory-marks.js";
import { fileStamp } from "../file-stamp.js";
import { syncDirectory } from "../storage/durable-directory.js";
import { takeLevelLock } from "../storage/level-lock.js";
import { CommandFailure } from "./command-failure.js";
import { exitCode } from "./exit-code.js";

/** Entries of a folder; none if it is missing, or no folder. */
async function entriesOf(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw error;
  }
}

/** @throws CommandFailure if there is anything in the folder */
export async function requireEmpty(dataDir: string): Promise<void> {
  const entries = await entriesOf(dataDir);
  if (entries.length === 0) return;
  throw new CommandFailure(
    exitCode.conflict,
    `${dataDir} is not empty: choose a folder that is, or does not exist yet`,
  );
}

/** @throws CommandFailure if there is no such folder */
export async function requireFolder(dataDir: string): Promise<void> {
  const found = await stat(dataDir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  });
  if (found?.isDirectory() === true) return;
  throw new CommandFailure(
    exitCode.usage,
    `nothing was changed: there is no folder ${dataDir}; check --data-dir, or make an empty one if the node's is lost`,
  );
}

/** @throws CommandFailure if the folder holds no stores of a node */
export async function requireStores(dataDir: string): Promise<void> {
  if ((await entriesOf(dataDir)).includes("log")) return;
  throw new CommandFailure(exitCode.usage, `${dataDir} holds no data of a node: there is no log in it`);
}

/**
 * @throws CommandFailure if a process has the stores open. Looks at LevelDB's lock and at nothing else: what may be
 * damaged stays as it is.
 */
export async function requireUnused(dataDir: string): Promise<void> {
  for (const name of await entriesOf(dataDir)) {
    const directory = join(dataDir, name);
    if (!(await entriesOf(directory)).includes("LOCK")) continue;
    const lock = await takeLevelLock(directory);
    if (lock === undefined) {
      throw new CommandFailure(exitCode.conflict, `${dataDir} is in use: stop the node that runs on it first`);
    }
    await lock.release();
  }
}

/** Nothing of it is looked at again, and nothing of it is lost. */
export const SET_ASIDE = "set-aside-";

/**
 * The log goes late: whatever interrupts this, a state without its log is refused, and never taken for a new node's. A mark
 * goes last: without it, a log that is not whole would be started from.
 */
export function asideOrder(names: readonly string[]): readonly string[] {
  const rank = (name: string) => (MARKS.includes(name) ? 2 : name === "log" ? 1 : 0);
  return names.toSorted((left, right) => rank(left) - rank(right));
}

/**
 * Moves what is in the folder into a folder of its own inside it, which works for the root of a volume, too.
 * @returns where it is now; undefined if there was nothing
 */
export async function setAside(dataDir: string, now: Date): Promise<string | undefined> {
  const entries = (await entriesOf(dataDir)).filter((name) => !name.startsWith(SET_ASIDE));
  if (entries.length === 0) return undefined;
  const aside = join(dataDir, `${SET_ASIDE}${fileStamp(now)}`);
  await mkdir(aside);
  for (const name of asideOrder(entries)) await rename(join(dataDir, name), join(aside, name));
  await syncDirectory(aside);
  await syncDirectory(dataDir);
  return aside;
}
