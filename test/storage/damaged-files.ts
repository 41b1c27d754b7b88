import { cp, mkdir, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openLevelLogStore } from "../../src/storage/level-log-store.js";
import { openLevelStateStore } from "../../src/storage/level-state-store.js";
import { type LogStore, StorageFailure } from "../../src/storage/log-store.js";
import type { StateStore } from "../../src/storage/state-store.js";
import { checkpoint, command, FOUNDING, foundLog, noNotice, page, plain, put, STORE_ID, writeLog } from "./fixtures.js";

/**
 * Damages files of closed stores, one place at a time, opens the store again and compares what it
 * holds with what it ever held.
 */

export type Harm = "flip" | "truncate" | "remove";

export interface DamageOutcome {
  readonly store: "log" | "state";
  readonly harm: Harm;
  readonly file: string;
  readonly at: number;
  /**
   * same: everything is there. refused: with a StorageFailure. shortened: what the store held before its last
   * `lost` writes, whole. wrong: anything else.
   */
  readonly result: "same" | "refused" | "shortened" | "wrong";
  readonly lost: number;
  /** The refusal, or what is wrong. */
  readonly says: string;
}

interface Sample {
  readonly directory: string;
  /** What the store held after each of its writes, in a form that compares. */
  readonly history: readonly string[];
}

/** Numbers from a seed (mulberry32). */
export function numbersFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/**
 * `count` damages, drawn from the seed over every kind of file of a log and of a state alike.
 * @param parent an empty directory to work in.
 */
export async function sampleDamage(options: {
  readonly parent: string;
  readonly seed: number;
  readonly count: number;
  readonly harm: Harm;
}): Promise<DamageOutcome[]> {
  const samples = {
    log: await sampleOf(join(options.parent, "log"), writeLogHistory),
    state: await sampleOf(join(options.parent, "state"), writeStateHistory),
  };
  const number = numbersFrom(options.seed);
  const outcomes: DamageOutcome[] = [];
  for (let drawn = 0; drawn < options.count; drawn++) {
    const store = number(2) === 0 ? "log" : "state";
    const copy = join(options.parent, "copy");
    await cp(samples[store].directory, copy, { recursive: true });
    const { file, at } = await harmOne(copy, options.harm, number);
    const held = store === "log" ? contentOfLog : contentOfState;
    const result = await judge(samples[store], () => held(copy));
    outcomes.push({ store, harm: options.harm, file, at, ...result });
    await rm(copy, { recursive: true });
  }
  return outcomes;
}

async function sampleOf(
  directory: string,
  write: (directory: string, history: string[]) => Promise<void>,
): Promise<Sample> {
  await mkdir(directory);
  const history: string[] = [];
  await write(directory, history);
  return { directory, history };
}

/** One file of one kind, and one place in it. */
async function harmOne(directory: string, harm: Harm, number: (below: number) => number) {
  const names = (await readdir(directory)).sort();
  const kinds = [...new Set(names.map(kindOf))];
  const kind = kinds[number(kinds.length)];
  const files = names.filter((name) => kindOf(name) === kind);
  const file = files[number(files.length)] ?? "";
  const path = join(directory, file);
  const bytes = await readFile(path);
  const at = bytes.length === 0 ? 0 : number(bytes.length);
  if (harm === "remove") await rm(path);
  else if (harm === "truncate") await truncate(path, at);
  else if (bytes.length > 0) {
    bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << number(8)), at);
    await writeFile(path, bytes);
  }
  return { file, at };
}

/** .ldb, .log, MANIFEST, CURRENT, LOCK, LOG. */
function kindOf(name: string): string {
  return name
    .replace(/^\d+\./, ".")
    .replace(/-\d+$/, "")
    .replace(/\.old$/, "");
}

async function judge(
  { history }: Sample,
  held: () => Promise<string>,
): Promise<Pick<DamageOutcome, "result" | "lost" | "says">> {
  try {
    const content = await held();
    const lost = history.length - 1 - history.lastIndexOf(content);
    if (lost === 0) return { result: "same", lost, says: "" };
    if (lost < history.length) return { result: "shortened", lost, says: "" };
    return { result: "wrong", lost: 0, says: content.slice(0, 300) };
  } catch (error) {
    if (error instanceof StorageFailure && error.code !== "WRITE_FAILED") {
      return { result: "refused", lost: 0, says: `${error.code}: ${error.message}` };
    }
    return { result: "wrong", lost: 0, says: String(error) };
  }
}

function openLog(directory: string): Promise<LogStore> {
  return openLevelLogStore({ directory, nodeId: 1, randomId: () => STORE_ID });
}

async function contentOfLog(directory: string): Promise<string> {
  const log = await openLog(directory);
  try {
    const { recovery } = log;
    const first = recovery.base.index + 1;
    const last = recovery.base.index + recovery.terms.length;
    return textOfLog(log, { first, last, recovery });
  } finally {
    await log.close();
  }
}

function textOfLog(log: LogStore, seen: { first: number; last: number; recovery: unknown }): string {
  const entries = seen.last < seen.first ? [] : plain(log.read(seen.first, seen.last));
  return JSON.stringify([seen.recovery, entries]);
}

/** A log that was founded, filled, cut, opened again and filled on: tables, and a write-ahead log. */
async function writeLogHistory(directory: string, history: string[]): Promise<void> {
  let log = await openLog(directory);
  const reopen = async () => {
    await log.close();
    log = await openLog(directory);
  };
  await foundLog(log, FOUNDING);
  await writeLog(log, { hardState: { term: 1, votedFor: 1 }, entries: [] });
  for (let index = 1; index <= 150; index++) await writeLog(log, { entries: [command(index, 1, text(index))] });
  await reopen();
  const base = { position: { index: 40, term: 1 }, configuration: FOUNDING, keepsTail: true };
  await writeLog(log, { base, entries: [] });
  for (let index = 151; index <= 220; index++) await writeLog(log, { entries: [command(index, 1, text(index))] });
  await reopen();
  const truth = contentOfOpen(log);
  history.push(truth(log));
  const steps: Parameters<typeof writeLog>[1][] = [];
  for (let index = 221; index <= 300; index++) steps.push({ entries: [command(index, 1, text(index))] });
  steps.push({ hardState: { term: 2, votedFor: 3 }, truncateFrom: 298, entries: [command(298, 2, "divergent")] });
  steps.push({ base: { ...base, position: { index: 60, term: 1 } }, entries: [] });
  for (let index = 299; index <= 310; index++) steps.push({ entries: [command(index, 2, text(index))] });
  for (const step of steps) {
    await writeLog(log, step);
    truth.apply(step);
    history.push(truth(log));
  }
  await log.close();
}

/** What `contentOfLog` would say if the log were opened again now. */
function contentOfOpen(log: LogStore) {
  let recovery = { ...log.recovery, terms: [...log.recovery.terms], sizes: [...log.recovery.sizes] };
  const content = (store: LogStore) => {
    const first = recovery.base.index + 1;
    return textOfLog(store, { first, last: recovery.base.index + recovery.terms.length, recovery });
  };
  content.apply = ({ hardState, truncateFrom, base, entries }: Parameters<typeof writeLog>[1]) => {
    const kept = truncateFrom === undefined ? recovery.terms.length : truncateFrom - 1 - recovery.base.index;
    const cut = base === undefined ? 0 : base.position.index - recovery.base.index;
    const sizes = entries.map(({ body }) => 32 + (body.kind === "command" ? body.payload.length : 0));
    recovery = {
      ...recovery,
      hardState: hardState ?? recovery.hardState,
      base: base?.position ?? recovery.base,
      terms: [...recovery.terms.slice(cut, kept), ...entries.map(({ term }) => term)],
      sizes: [...recovery.sizes.slice(cut, kept), ...sizes],
    };
  };
  return content;
}

function text(index: number): string {
  return `entry ${index} ${"x".repeat(index % 97)} ${index * 7919}`;
}

const STATE_RANGE = { gte: "", lt: "~", limit: 100_000 };

function openState(directory: string): Promise<StateStore> {
  return openLevelStateStore({ directory, generation: 0, nodeId: 1, storeId: STORE_ID, notice: noNotice });
}

async function contentOfState(directory: string): Promise<string> {
  const state = await openState(directory);
  try {
    const rows = await page(state, STATE_RANGE);
    for (const row of rows) state.get(row.slice(0, row.indexOf("=")));
    return JSON.stringify(rows);
  } finally {
    await state.close();
  }
}

/** A state of many checkpoints, opened again in between: tables, and a write-ahead log. */
async function writeStateHistory(directory: string, history: string[]): Promise<void> {
  let state = await openState(directory);
  for (let number = 1; number <= 180; number++) {
    put(state, "counter", `${number}`);
    put(state, `row/${String(number).padStart(5, "0")}`, text(number));
    if (number % 5 === 0) state.delete(`row/${String(number - 3).padStart(5, "0")}`);
    await checkpoint(state);
    if (number === 60 || number === 120) {
      await state.close();
      state = await openState(directory);
    }
    if (number >= 120) history.push(JSON.stringify(await page(state, STATE_RANGE)));
  }
  await state.close();
}
