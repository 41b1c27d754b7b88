import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { damaged } from "../damage.js";
import { StorageFailure } from "../log-store.js";
import { Malformed } from "./byte-reader.js";
import { type Manifest, readManifest } from "./manifest.js";
import { readRecords } from "./record-log.js";
import { checkTable } from "./table.js";

/**
 * LevelDB as bound by classic-level looks at no checksum of a table, drops what is damaged in a
 * write-ahead log without a word, and does not miss a write-ahead log that is gone; a damaged key
 * makes a row vanish. So its files are read and checked before it gets to see them.
 */

/** A directory that changes so often while it is read belongs to a process that runs. */
const ATTEMPTS_MAX = 5;

export interface Verified {
  readonly tables: number;
  readonly bytes: number;
}

/** Called between slices of about half a MiB, in which nothing else of this process runs. */
export type Pause = () => Promise<void>;

/**
 * Every file of a directory that has a CURRENT, before LevelDB opens it. A last record that is not
 * whole is let pass: a crash within a write that nobody was told about leaves the same.
 * @throws StorageFailure DAMAGED, or OPEN_FAILED if another process works in it
 */
export async function verifyLevel(directory: string): Promise<Verified> {
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    const manifest = await manifestOf(directory);
    try {
      await checkWriteAheadLogs(directory, manifest);
      return await checkTables(directory, manifest, async () => {});
    } catch (error) {
      // LevelDB's lock is taken later: what was read while another process went on proves nothing.
      if ((await manifestOf(directory)).text === manifest.text) throw error;
    }
  }
  throw new StorageFailure("OPEN_FAILED", `${directory} cannot be opened: another process works in it.`);
}

/**
 * The tables of a directory that is open and goes on meanwhile, in the background. Tables that
 * vanish while it runs are not needed any more; those that appear are the next run's.
 * @throws StorageFailure DAMAGED
 */
export async function verifyTables(directory: string, { pause }: { readonly pause: Pause }): Promise<Verified> {
  return checkTables(directory, await manifestOf(directory), pause);
}

interface FoundManifest extends Manifest {
  /** Changes with every change of the set of files. */
  readonly text: string;
}

async function manifestOf(directory: string): Promise<FoundManifest> {
  const current = (await readFile(join(directory, "CURRENT"))).toString("latin1");
  if (!/^MANIFEST-\d+\n$/.test(current)) throw damaged(directory, "LevelDB's file CURRENT is damaged");
  const name = current.trimEnd();
  const file = await fileIfThere(join(directory, name));
  if (file === undefined) throw damaged(directory, `LevelDB's file ${name}, which CURRENT names, is missing`);
  return { ...checked(directory, name, () => readManifest(file)), text: `${name} of ${file.length} bytes` };
}

async function checkWriteAheadLogs(directory: string, { logNumber }: Manifest): Promise<void> {
  const numbers = await logNumbersIn(directory, logNumber);
  if (logNumber > 0 && !numbers.includes(logNumber)) {
    throw damaged(directory, `LevelDB's write-ahead log ${logName(logNumber)} is missing`);
  }
  let torn: string | undefined;
  for (const number of numbers) {
    const name = logName(number);
    const file = await readFile(join(directory, name));
    if (file.length === 0) continue;
    // A log is begun after the one before it was written, and synced, to its end.
    if (torn !== undefined)
      throw damaged(directory, `LevelDB's write-ahead log ${torn} ends early, though ${name} goes on`);
    if (checked(directory, name, () => readRecords(file)).tornAt !== undefined) torn = name;
  }
}

async function logNumbersIn(directory: string, least: number): Promise<number[]> {
  const numbers: number[] = [];
  for (const name of await readdir(directory)) {
    const digits = /^(\d+)\.log$/.exec(name)?.[1];
    if (digits !== undefined && Number(digits) >= least) numbers.push(Number(digits));
  }
  return numbers.sort((a, b) => a - b);
}

async function checkTables(directory: string, manifest: Manifest, pause: Pause): Promise<Verified> {
  const found = { tables: 0, bytes: 0 };
  for (const [number, size] of manifest.tables) {
    const name = `${fileNumber(number)}.ldb`;
    const table = await fileIfThere(join(directory, name));
    if (table === undefined) {
      if (await isNeeded(directory, number)) throw damaged(directory, `LevelDB's table ${name} is missing`);
      continue;
    }
    if (table.length !== size) {
      throw damaged(
        directory,
        `LevelDB's table ${name} has ${table.length} bytes and not the ${size} that it was written with`,
      );
    }
    await checkAll(directory, name, table, pause);
    found.tables += 1;
    found.bytes += size;
  }
  return found;
}

async function checkAll(directory: string, name: string, table: Buffer, pause: Pause): Promise<void> {
  const slices = checkTable(table);
  while (checked(directory, name, () => slices.next()).done !== true) await pause();
  await pause();
}

/** A directory that is gone as a whole was replaced by another state, and needs nothing. */
async function isNeeded(directory: string, table: number): Promise<boolean> {
  const current = await fileIfThere(join(directory, "CURRENT"));
  return current !== undefined && (await manifestOf(directory)).tables.has(table);
}

function checked<Result>(directory: string, name: string, check: () => Result): Result {
  try {
    return check();
  } catch (error) {
    if (error instanceof Malformed) throw damaged(directory, `LevelDB's file ${name} ${error.message}`, error);
    throw error;
  }
}

async function fileIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function logName(number: number): string {
  return `${fileNumber(number)}.log`;
}

function fileNumber(number: number): string {
  return String(number).padStart(6, "0");
}
