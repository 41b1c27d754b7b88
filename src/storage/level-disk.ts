import { readdir } from "node:fs/promises";
import { setImmediate as nextTurn } from "node:timers/promises";
import { ClassicLevel } from "classic-level";
import { asError, codeOf, damaged, unreadable } from "./damage.js";
import type { Disk, DiskOperation, DiskRange, DiskRow, DiskView } from "./disk.js";
import { makeDirectory, syncDirectory } from "./durable-directory.js";
import { verifyLevel } from "./level-files/verification.js";
import { LevelView } from "./level-view.js";
import { StorageFailure } from "./log-store.js";

export interface LevelDiskOptions {
  readonly directory: string;
  /** LevelDB rotates its write-ahead log at this size, and stalls while two are full. */
  readonly writeBufferBytes: number;
  /** Uncompressed blocks kept in memory. */
  readonly cacheBytes: number;
}

/** A large checkpoint is handed to LevelDB in slices, so that it does not hold up the event loop. */
const SLICE_OPERATIONS = 512;
const CHUNK_ROWS = 4096;
const CHUNK_BYTES = 1024 * 1024;
const OPEN_FILES_MAX = 512;
const TABLE_BYTES = 8 * 1024 * 1024;

type Level = ClassicLevel<string, Buffer>;

/** Rows in a LevelDB of their own. Every write is synced. */
export class LevelDisk implements Disk {
  readonly place: string;
  readonly #level: Level;
  readonly #pending = new Set<Promise<unknown>>();
  #openViews = 0;
  #whenUnviewed: (() => void) | undefined;

  private constructor(level: Level) {
    this.#level = level;
    this.place = level.location;
  }

  /** @throws StorageFailure OPEN_FAILED or DAMAGED */
  static async open(options: LevelDiskOptions): Promise<LevelDisk> {
    const { directory } = options;
    try {
      await makeDirectory(directory);
      if (await isMade(directory)) await verifyLevel(directory);
      const level = await openLevel(options);
      await syncDirectory(directory);
      return new LevelDisk(level);
    } catch (error) {
      throw openFailure(directory, asError(error));
    }
  }

  get(key: string): Buffer | undefined {
    try {
      return this.#level.getSync(key);
    } catch (error) {
      throw unreadable(this.place, `The record ${key} cannot be read`, asError(error));
    }
  }

  write(operations: Iterable<DiskOperation>, done: (error: Error | undefined) => void): void {
    this.#follow(this.#commit(operations)).then(
      () => done(undefined),
      (reason) => done(asError(reason)),
    );
  }

  scan(range: DiskRange, done: (error: Error | undefined, rows: readonly DiskRow[]) => void): void {
    this.#follow(this.#collect(range)).then(
      (rows) => done(undefined, rows),
      (reason) => done(asError(reason), []),
    );
  }

  openView(range: Pick<DiskRange, "gte" | "lt">): DiskView {
    this.#openViews += 1;
    return new LevelView(this.#iterator({ ...range, reverse: false }), {
      follow: (work) => this.#follow(work),
      closed: () => {
        this.#openViews -= 1;
        if (this.#openViews === 0) this.#whenUnviewed?.();
      },
    });
  }

  retire(done: () => void): void {
    // As with `defer`: what the callback throws ends the process.
    void this.#unviewed()
      .then(() => this.close())
      .then(done);
  }

  async #unviewed(): Promise<void> {
    if (this.#openViews === 0) return;
    await new Promise<void>((resolve) => {
      this.#whenUnviewed = resolve;
    });
  }

  defer(callback: () => void): void {
    // What the callback throws is an unhandled rejection: it ends the process, as a broken invariant must.
    void this.#follow(nextTurn()).then(callback);
  }

  /** The rows of a range in chunks, as of the moment of the first call. */
  async *chunks(range: Omit<DiskRange, "limit" | "reverse">): AsyncGenerator<readonly DiskRow[]> {
    yield* this.#pages({ ...range, limit: Number.POSITIVE_INFINITY, reverse: false });
  }

  async isEmpty(): Promise<boolean> {
    for await (const rows of this.chunks({ gte: "", lt: "\x7f" })) return rows.length === 0;
    return true;
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#pending);
    await this.#level.close();
  }

  async #commit(operations: Iterable<DiskOperation>): Promise<void> {
    const batch = this.#level.batch();
    let taken = 0;
    for (const operation of operations) {
      if (operation.type === "put") batch.put(operation.key, operation.value);
      else batch.del(operation.key);
      taken += 1;
      if (taken % SLICE_OPERATIONS === 0) await nextTurn();
    }
    await batch.write({ sync: true });
  }

  async #collect(range: DiskRange): Promise<DiskRow[]> {
    const collected: DiskRow[] = [];
    for await (const rows of this.#pages(range)) collected.push(...rows);
    return collected;
  }

  /**
   * Ends with a look at LevelDB's verdict even where the limit came first: an iterator silently
   * skips a block that it cannot read, and says so only when it is asked at its end.
   */
  async *#pages({ gte, lt, limit, reverse }: DiskRange): AsyncGenerator<readonly DiskRow[]> {
    const iterator = this.#iterator({ gte, lt, reverse });
    try {
      let missing = limit;
      while (missing > 0) {
        const rows = await iterator.nextv(Math.min(missing, CHUNK_ROWS));
        if (rows.length === 0) return;
        missing -= rows.length;
        yield rows;
      }
      iterator.seek(lt);
      await iterator.nextv(1);
    } finally {
      await iterator.close();
    }
  }

  /** Sees the rows as of now. */
  #iterator(bounds: Pick<DiskRange, "gte" | "lt" | "reverse">) {
    return this.#level.iterator({
      ...bounds,
      keyEncoding: "utf8",
      valueEncoding: "buffer",
      fillCache: false,
      highWaterMarkBytes: CHUNK_BYTES,
    });
  }

  #follow<Result>(work: Promise<Result>): Promise<Result> {
    const forget = () => this.#pending.delete(work);
    this.#pending.add(work);
    work.then(forget, forget);
    return work;
  }
}

/** LevelDB's own names; a directory may hold others, a volume's lost+found for one. */
const FILE_NAME = /^(CURRENT|LOCK|LOG|LOG\.old|MANIFEST-\d+|\d+\.(ldb|sst|log|dbtmp))$/;

/** Whether LevelDB ever had the directory open. */
export async function wasOpened(directory: string): Promise<boolean> {
  return (await namesIn(directory)).some((name) => FILE_NAME.test(name));
}

/** @returns none where there is no such directory */
export async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // What is no directory is told by whoever opens it.
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw openFailure(directory, asError(error));
  }
}

/**
 * Whether there is a LevelDB to open. Without its CURRENT file it would take the directory for a new one and remove the
 * tables in it; what is there must have been a store.
 * @throws StorageFailure DAMAGED
 */
export async function isMade(directory: string): Promise<boolean> {
  const names = await namesIn(directory);
  if (names.includes("CURRENT")) return true;
  const remains = names.find((name) => /\.(ldb|sst|log)$/.test(name));
  if (remains !== undefined) throw damaged(directory, `LevelDB's file CURRENT is missing, though ${remains} is there`);
  return false;
}

/** Made only when it is to be opened: a ClassicLevel opens itself, with its defaults, in the turn after it was made. */
async function openLevel({ directory, writeBufferBytes, cacheBytes }: LevelDiskOptions): Promise<Level> {
  const level: Level = new ClassicLevel(directory, { keyEncoding: "utf8", valueEncoding: "buffer" });
  try {
    await level.open({
      createIfMissing: true,
      errorIfExists: false,
      compression: true,
      writeBufferSize: writeBufferBytes,
      cacheSize: cacheBytes,
      maxOpenFiles: OPEN_FILES_MAX,
      maxFileSize: TABLE_BYTES,
    });
    return level;
  } catch (error) {
    await level.close();
    throw error;
  }
}

function openFailure(directory: string, error: Error): StorageFailure {
  if (error instanceof StorageFailure) return error;
  const code = codeOf(error.cause);
  if (code === "LEVEL_CORRUPTION") return damaged(directory, "LevelDB cannot open its files", error);
  const why = code === "LEVEL_LOCKED" ? "another process has it open" : asError(error.cause ?? error).message;
  return new StorageFailure("OPEN_FAILED", `${directory} cannot be opened: ${why}.`, { cause: error });
}
