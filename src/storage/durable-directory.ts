import { mkdirSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/** A folder that is needed is not there and cannot be made; the message says which and why. */
export class FolderFailure extends Error {
  override readonly name = "FolderFailure";
}

/**
 * Makes the folder and what is missing above it, one by one: Node's own recursive mkdir never ends where the system says
 * "no such folder" below one that is there, as /proc does, and a working directory that was deleted.
 *
 * @returns those that were made, the uppermost first
 * @throws FolderFailure
 */
export function makeFolders(folder: string): readonly string[] {
  const missing: string[] = [];
  let current = absolute(folder);
  while (!isFolder(current, folder)) {
    missing.unshift(current);
    // The root is always there, or its parent, itself, would be asked for ever.
    if (dirname(current) === current) throw cannot(folder, `${current} is not there`);
    current = dirname(current);
  }
  return missing.filter((each) => make(each, folder));
}

/** @returns whether it was made here, and not by somebody else meanwhile */
function make(each: string, folder: string): boolean {
  try {
    mkdirSync(each);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST" && isFolder(each, folder)) return false;
    throw cannot(folder, (error as Error).message);
  }
}

function absolute(folder: string): string {
  try {
    return resolve(folder);
  } catch {
    throw cannot(folder, "the working directory is not there any more");
  }
}

function isFolder(path: string, wanted: string): boolean {
  try {
    if (statSync(path).isDirectory()) return true;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw cannot(wanted, message);
  }
  throw cannot(wanted, `${path} is no folder`);
}

function cannot(folder: string, why: string): FolderFailure {
  return new FolderFailure(`the folder ${folder} cannot be made: ${why}`);
}

/**
 * Makes the directory and what is missing above it, so that a power loss cannot take it away again.
 * @returns those that were made, the uppermost first
 */
export async function makeDirectory(directory: string): Promise<readonly string[]> {
  const made = makeFolders(directory);
  for (const each of made) await syncDirectory(dirname(each));
  return made;
}

/** Makes the names in a directory durable; syncing a file does not promise that for its own name. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
