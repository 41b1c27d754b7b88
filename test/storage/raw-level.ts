import { open, readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ClassicLevel } from "classic-level";
import { readRecords } from "../../src/storage/level-files/record-log.js";
import { recordLog } from "./record-log-writer.js";

type RawLevel = ClassicLevel<string, Buffer>;

/** Changes rows behind the back of a closed store. */
export async function tamper(directory: string, change: (level: RawLevel) => Promise<void>): Promise<void> {
  const level: RawLevel = new ClassicLevel(directory, { keyEncoding: "utf8", valueEncoding: "buffer" });
  await level.open({ createIfMissing: false });
  try {
    await change(level);
  } finally {
    await level.close();
  }
}

/** Flips one bit of a stored value; `at` from its beginning, or from its end if negative. */
export async function flipBit(level: RawLevel, key: string, at: number): Promise<void> {
  const value = await stored(level, key);
  const place = at < 0 ? value.length + at : at;
  value.writeUInt8(value.readUInt8(place) ^ 1, place);
  await level.put(key, value);
}

export async function stored(level: RawLevel, key: string): Promise<Buffer> {
  const value = await level.get(key);
  if (value === undefined) throw new Error(`nothing is stored under ${key}`);
  return value;
}

/** The newest write-ahead log, and what is done to its bytes. */
export async function damageWriteAheadLog(directory: string, change: (bytes: Buffer) => void): Promise<void> {
  const file = await largest(directory, ".log");
  const bytes = await readFile(file);
  change(bytes);
  await writeFile(file, bytes);
}

/** The newest write-ahead log without its record `number`, in good form: as if that batch had never been written. */
export async function loseBatch(directory: string, number: number): Promise<void> {
  const file = await largest(directory, ".log");
  const records = [...readRecords(await readFile(file)).records];
  records.splice(number, 1);
  await writeFile(file, recordLog(records));
}

export async function cutWriteAheadLog(directory: string, bytesLost: number): Promise<void> {
  const file = await largest(directory, ".log");
  await truncate(file, (await readFile(file)).length - bytesLost);
}

/** Overwrites up to `length` bytes of every table, in place: a store may have it mapped. */
export async function damageTables(directory: string, at: number, length: number): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.endsWith(".ldb")) continue;
    const file = await open(join(directory, name), "r+");
    try {
      const { size } = await file.stat();
      const damage = Buffer.alloc(Math.max(0, Math.min(length, size - at)), 0xff);
      await file.write(damage, 0, damage.length, at);
    } finally {
      await file.close();
    }
  }
}

async function largest(directory: string, extension: string): Promise<string> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(extension));
  const files = await Promise.all(
    names.map(async (name) => ({ name, length: (await readFile(join(directory, name))).length })),
  );
  const [first] = files.sort((a, b) => b.length - a.length);
  if (first === undefined) throw new Error(`no ${extension} file in the directory`);
  return join(directory, first.name);
}
