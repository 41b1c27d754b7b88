/**
 * What both stores need of a medium: ordered rows, atomic durable writes, reads without waiting.
 * The stores' own logic runs on it unchanged, over LevelDB and over memory.
 */
export type DiskRow = readonly [key: string, value: Buffer];

export type DiskOperation =
  | { readonly type: "put"; readonly key: string; readonly value: Buffer }
  | { readonly type: "delete"; readonly key: string };

export interface DiskRange {
  /** Inclusive. */
  readonly gte: string;
  /** Exclusive. */
  readonly lt: string;
  readonly limit: number;
  readonly reverse: boolean;
}

/** Rows as of one moment, while writes go on. */
export interface DiskView {
  /**
   * The next rows: at least one, and no more than fit into `bytesMax` if it is more than one; none
   * at the end, which the medium has then vouched for. Calls `done` once, never synchronously; one
   * call at a time.
   */
  next(bytesMax: number, done: (error: Error | undefined, rows: readonly DiskRow[]) => void): void;
  /** A `next` that is under way is still answered. */
  close(): void;
}

/** Keys are printable ASCII. A value handed over, in either direction, is never changed again. */
export interface Disk {
  /** Where the rows are, for messages. */
  readonly place: string;
  /** @throws StorageFailure DAMAGED if the medium finds it damaged, READ_FAILED if it cannot read it for another reason. */
  get(key: string): Buffer | undefined;
  /**
   * Writes atomically and durably; calls `done` once, never synchronously. The operations may be
   * taken one by one over several turns. The caller keeps at most one write in flight.
   */
  write(operations: Iterable<DiskOperation>, done: (error: Error | undefined) => void): void;
  /** Rows as of the moment of the call; calls `done` once, never synchronously. */
  scan(range: DiskRange, done: (error: Error | undefined, rows: readonly DiskRow[]) => void): void;
  /** The rows of a range, ascending, as of this very moment. */
  openView(range: Pick<DiskRange, "gte" | "lt">): DiskView;
  /** Calls back in a later turn. */
  defer(callback: () => void): void;
  /** Closes as soon as nothing is in flight and no view is open; calls back in a later turn. */
  retire(done: () => void): void;
  /** Ends after what is in flight has ended and was reported; views must be closed before. */
  close(): Promise<void>;
}
