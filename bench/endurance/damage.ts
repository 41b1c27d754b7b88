import { closeSync, openSync, readdirSync, readSync, rmSync, statSync, truncateSync, writeSync } from "node:fs";
import { basename, join, sep } from "node:path";

export type Harm = "flip" | "blank" | "truncate" | "remove";

export interface Damage {
  readonly harm: Harm;
  /** Below the data folder. */
  readonly file: string;
  /** The byte that it begins at. */
  readonly at: number;
  /** Of flip: which bit. */
  readonly bit: number;
}

/** What a disk may lose at once. */
const BLANK_BYTES = 512;

/** Stores' files below a data folder, with their sizes. */
export function filesOf(dataDir: string): { readonly file: string; readonly size: number }[] {
  return readdirSync(dataDir, { recursive: true, encoding: "utf8" })
    .filter((file) => file.includes(sep) && statSync(join(dataDir, file)).isFile())
    .sort()
    .map((file) => ({ file, size: statSync(join(dataDir, file)).size }));
}

/** LevelDB's notes for people, and its lock: nothing of what it holds is in them. */
const NOTES: ReadonlySet<string> = new Set(["LOG", "LOG.old", "LOCK"]);
const NOTES_SHARE = 0.05;

/** One damage, every file as likely as the other; most are flips of one bit. */
export function drawDamage(dataDir: string, random: () => number): Damage {
  const pick = (below: number) => Math.floor(random() * below);
  const lot = pick(10);
  const harm = lot < 6 ? "flip" : lot < 7 ? "blank" : lot < 9 ? "truncate" : "remove";
  const isNote = random() < NOTES_SHARE;
  const files = filesOf(dataDir).filter(
    ({ file, size }) => NOTES.has(basename(file)) === isNote && (size > 0 || harm === "remove"),
  );
  const chosen = files[pick(files.length)];
  if (chosen === undefined) throw new Error(`${dataDir} holds no file for a ${harm}`);
  const { file, size } = chosen;
  return { harm, file, at: pick(size), bit: pick(8) };
}

/** @param dataDir a copy: nothing of it can be used for anything else afterwards */
export function inflictDamage(dataDir: string, { harm, file, at, bit }: Damage): void {
  const path = join(dataDir, file);
  switch (harm) {
    case "remove":
      rmSync(path);
      return;
    case "truncate":
      truncateSync(path, at);
      return;
    case "blank":
      overwrite(path, at, (bytes) => bytes.fill(0));
      return;
    case "flip":
      overwrite(path, at, (bytes) => {
        bytes.writeUInt8(bytes.readUInt8(0) ^ (1 << bit), 0);
      });
  }
}

function overwrite(path: string, at: number, change: (bytes: Buffer) => void): void {
  const file = openSync(path, "r+");
  try {
    const bytes = Buffer.alloc(Math.min(BLANK_BYTES, statSync(path).size - at));
    readSync(file, bytes, 0, bytes.length, at);
    change(bytes);
    writeSync(file, bytes, 0, bytes.length, at);
  } finally {
    closeSync(file);
  }
}
