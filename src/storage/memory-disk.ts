import { invariant } from "../assert.js";
import type { Disk, DiskOperation, DiskRange, DiskRow, DiskView } from "./disk.js";
import { endOfPage } from "./page.js";

/** Calls back later, never synchronously: in a simulator, when the simulated disk has done its work. */
export type Defer = (callback: () => void) => void;

/**
 * A disk in memory that outlives the stores on it: closed or crashed, what was durable is there when
 * a store is opened on it again. One store at a time, as with a real directory.
 */
export class MemoryDisk {
  readonly place: string;
  readonly #rows = new Map<string, Buffer>();
  /** The keys of the rows, in order: a scan reads what it is asked for, and no more. */
  readonly #keys: string[] = [];
  #attached: AttachedMemoryDisk | undefined;
  #writeError: Error | undefined;
  #fateOfFailedWrites: "durable" | "lost" = "lost";

  constructor(place = "memory") {
    this.place = place;
  }

  get size(): number {
    return this.#rows.size;
  }

  attach(defer: Defer): AttachedMemoryDisk {
    invariant(this.#attached === undefined, "one store at a time has a disk open");
    this.#attached = new AttachedMemoryDisk(this, defer);
    return this.#attached;
  }

  detach(): void {
    this.#attached = undefined;
  }

  /**
   * The process died or the power failed: its store hears of nothing any more, and the write that
   * was in flight either reached the disk as a whole or not at all.
   */
  crash(inFlight: "durable" | "lost"): void {
    this.#attached?.abandon(inFlight);
    this.detach();
  }

  /**
   * From now on writes fail with the error; undefined: they succeed again. A failed write changes
   * nothing, or it reached the disk all the same and only its confirmation failed.
   */
  failWrites(error: Error | undefined, fate: "durable" | "lost" = "lost"): void {
    this.#writeError = error;
    this.#fateOfFailedWrites = fate;
  }

  get writeError(): Error | undefined {
    return this.#writeError;
  }

  get fateOfFailedWrites(): "durable" | "lost" {
    return this.#fateOfFailedWrites;
  }

  get(key: string): Buffer | undefined {
    return this.#rows.get(key);
  }

  /** Applies operations at once: what a write does in the end, and how damage is injected. */
  apply(operations: Iterable<DiskOperation>): void {
    for (const operation of operations) {
      if (operation.type === "put") this.#put(operation.key, operation.value);
      else if (this.#rows.delete(operation.key)) this.#keys.splice(placeOf(this.#keys, operation.key), 1);
    }
  }

  rows({ gte, lt }: Pick<DiskRange, "gte" | "lt">): DiskRow[] {
    const rows: DiskRow[] = [];
    for (let place = placeOf(this.#keys, gte); place < this.#keys.length; place++) {
      const key = this.#keys[place] as string;
      if (key >= lt) break;
      rows.push([key, this.#rows.get(key) as Buffer]);
    }
    return rows;
  }

  #put(key: string, value: Buffer): void {
    const { size } = this.#rows;
    this.#rows.set(key, value);
    if (this.#rows.size > size) this.#keys.splice(placeOf(this.#keys, key), 0, key);
  }
}

/** The disk as one store has it open. */
export class AttachedMemoryDisk implements Disk {
  readonly place: string;
  readonly #disk: MemoryDisk;
  readonly #defer: Defer;
  #abandoned = false;
  #inFlight: DiskOperation[] | undefined;
  /** Deferred calls that have not happened yet. */
  #outstanding = 0;
  #whenQuiet: (() => void)[] = [];
  #openViews = 0;
  #retired: (() => void) | undefined;

  constructor(disk: MemoryDisk, defer: Defer) {
    this.#disk = disk;
    this.#defer = defer;
    this.place = disk.place;
  }

  get(key: string): Buffer | undefined {
    return this.#disk.get(key);
  }

  write(operations: Iterable<DiskOperation>, done: (error: Error | undefined) => void): void {
    invariant(this.#inFlight === undefined, "at most one write of a disk is in flight");
    const taken = [...operations];
    this.#inFlight = taken;
    this.defer(() => {
      this.#inFlight = undefined;
      const error = this.#disk.writeError;
      if (error === undefined || this.#disk.fateOfFailedWrites === "durable") this.#disk.apply(taken);
      done(error);
    });
  }

  scan(
    { gte, lt, limit, reverse }: DiskRange,
    done: (error: Error | undefined, rows: readonly DiskRow[]) => void,
  ): void {
    const rows = this.#disk.rows({ gte, lt });
    if (reverse) rows.reverse();
    const page = rows.slice(0, limit);
    this.defer(() => done(undefined, page));
  }

  openView({ gte, lt }: Pick<DiskRange, "gte" | "lt">): DiskView {
    this.#openViews += 1;
    // Values never change: the rows as they are now are the view.
    return new MemoryView(this, this.#disk.rows({ gte, lt }), () => {
      this.#openViews -= 1;
      this.#retireIfUnused();
    });
  }

  defer(callback: () => void): void {
    this.#outstanding += 1;
    this.#defer(() => {
      if (this.#abandoned) return;
      this.#outstanding -= 1;
      callback();
      if (this.#outstanding > 0) return;
      this.#tellQuiet();
      this.#retireIfUnused();
    });
  }

  retire(done: () => void): void {
    this.#retired = done;
    this.#retireIfUnused();
  }

  #retireIfUnused(): void {
    const retired = this.#retired;
    if (retired === undefined || this.#outstanding > 0 || this.#openViews > 0) return;
    this.#retired = undefined;
    this.defer(() => {
      this.#disk.detach();
      retired();
    });
  }

  async close(): Promise<void> {
    if (this.#outstanding > 0)
      await new Promise<void>((resolve) => {
        this.#whenQuiet.push(resolve);
      });
    if (!this.#abandoned) this.#disk.detach();
  }

  abandon(inFlight: "durable" | "lost"): void {
    this.#abandoned = true;
    if (inFlight === "durable" && this.#inFlight !== undefined) this.#disk.apply(this.#inFlight);
    this.#tellQuiet();
  }

  #tellQuiet(): void {
    for (const resolve of this.#whenQuiet.splice(0)) resolve();
  }
}

/** The rows of a disk as they were. */
class MemoryView implements DiskView {
  readonly #disk: AttachedMemoryDisk;
  readonly #rows: readonly DiskRow[];
  readonly #closed: () => void;
  #nextRow = 0;
  #isReading = false;
  #isClosed = false;

  constructor(disk: AttachedMemoryDisk, rows: readonly DiskRow[], closed: () => void) {
    this.#disk = disk;
    this.#rows = rows;
    this.#closed = closed;
  }

  next(bytesMax: number, done: (error: Error | undefined, rows: readonly DiskRow[]) => void): void {
    invariant(!this.#isClosed, "a closed view is not read");
    invariant(!this.#isReading, "a view is read once at a time");
    this.#isReading = true;
    const start = this.#nextRow;
    this.#nextRow = endOfPage(this.#rows, start, bytesMax);
    const page = this.#rows.slice(start, this.#nextRow);
    this.#disk.defer(() => {
      this.#isReading = false;
      done(undefined, page);
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#closed();
  }
}

/** Where the key is, or would be, among sorted ones. */
function placeOf(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
