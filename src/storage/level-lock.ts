import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { ClassicLevel } from "classic-level";

/** Held until it is released, or the process ends, however it ends: the system keeps it. */
export interface LevelLock {
  release(): Promise<void>;
}

/**
 * Takes the lock that LevelDB takes of a directory that it opens, and looks at nothing else in there: what may be damaged
 * stays as it is. Where LOCK is missing it is made.
 *
 * Between processes only: one that has the directory open itself would be given the lock, and lose it with the release.
 *
 * @returns undefined while a process has the directory open
 */
export async function takeLevelLock(directory: string): Promise<LevelLock | undefined> {
  // LevelDB locks the file itself: another database whose lock is the same file cannot be opened while it is held.
  const folder = await mkdtemp(join(tmpdir(), "folio-lock-"));
  try {
    await symlink(resolve(directory, "LOCK"), join(folder, "LOCK"));
    const level = await openUnlessLocked(folder);
    if (level !== undefined) return { release: () => close(level, folder) };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  await rm(folder, { recursive: true, force: true });
  return undefined;
}

async function openUnlessLocked(folder: string): Promise<ClassicLevel | undefined> {
  const level = new ClassicLevel(folder);
  try {
    await level.open();
    return level;
  } catch (error) {
    await level.close();
    const { cause } = error as Error;
    if (Reflect.get(Object(cause), "code") === "LEVEL_LOCKED") return undefined;
    throw error;
  }
}

async function close(level: ClassicLevel, folder: string): Promise<void> {
  await level.close();
  await rm(folder, { recursive: true, force: true });
}
