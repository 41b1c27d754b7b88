import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Test as TapTest } from "tap";
import type { Configuration, Entry, LogIndex, LogWrite, Term } from "../../src/raft/types.js";
import { type LogStore, StorageFailure } from "../../src/storage/log-store.js";
import type { StateRange, StateStore } from "../../src/storage/state-store.js";

export type Test = TapTest;

export const STORE_ID = "00112233445566778899aabbccddeeff";
export const OTHER_STORE_ID = "ffeeddccbbaa99887766554433221100";

export const FOUNDING: Configuration = {
  clusterId: "",
  members: [
    { id: 1, kind: "voter", storeId: STORE_ID, address: "127.0.0.1:7070" },
    { id: 2, kind: "learner", storeId: OTHER_STORE_ID, address: "127.0.0.1:7071" },
  ],
};

export function command(index: LogIndex, term: Term, text = `${term}/${index}`): Entry {
  return { index, term, body: { kind: "command", payload: new TextEncoder().encode(text) } };
}

/** Entries in a form that compares by content, whatever kind of array holds the bytes. */
export function plain(entries: readonly Entry[]): unknown[] {
  return entries.map(({ index, term, body }) => ({
    index,
    term,
    body: body.kind === "command" ? `command ${Buffer.from(body.payload).toString("latin1")}` : body,
  }));
}

/** A directory that is gone after the test. */
export async function temporaryDirectory(t: Test): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "folio-storage-"));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

export function writeLog(store: LogStore, write: LogWrite): Promise<void> {
  return settled((done) => store.write(write, done));
}

export function foundLog(store: LogStore, configuration: Configuration): Promise<void> {
  return settled((done) => store.found(configuration, done));
}

/** Writes `count` commands of one term, one write each, beginning at entry 1. */
export async function fillLog(store: LogStore, count: number, payload = "x"): Promise<void> {
  await writeLog(store, { hardState: { term: 1, votedFor: 1 }, entries: [] });
  for (let index = 1; index <= count; index++) await writeLog(store, { entries: [command(index, 1, payload)] });
}

/** For stores in whose tests nothing may be told. */
export function noNotice(message: string): never {
  throw new Error(`unexpected notice: ${message}`);
}

export function checkpoint(store: StateStore): Promise<void> {
  return settled((done) => store.checkpoint(done));
}

export function put(store: StateStore, key: string, text: string): void {
  store.put(key, Buffer.from(text));
}

export function textOf(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : Buffer.from(value).toString();
}

/** The page as `key=value` texts. */
export function page(store: StateStore, range: Partial<StateRange> = {}): Promise<string[]> {
  return new Promise((resolve, reject) => {
    store.scan({ gte: "", lt: "~", limit: 1000, ...range }, (failure, rows) => {
      if (failure === undefined) resolve(rows.map(({ key, value }) => `${key}=${textOf(value)}`));
      else reject(failure);
    });
  });
}

/** What the promise was rejected with, which must be a StorageFailure. */
export async function failureOf(work: Promise<unknown>): Promise<StorageFailure> {
  try {
    await work;
  } catch (error) {
    if (error instanceof StorageFailure) return error;
    throw error;
  }
  throw new Error("expected a StorageFailure, but all went well");
}

/** What the call threw, which must be a StorageFailure. */
export function thrownBy(call: () => unknown): StorageFailure {
  try {
    call();
  } catch (error) {
    if (error instanceof StorageFailure) return error;
    throw error;
  }
  throw new Error("expected a StorageFailure, but all went well");
}

export function settled(start: (done: (failure: StorageFailure | undefined) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((failure) => (failure === undefined ? resolve() : reject(failure)));
  });
}
