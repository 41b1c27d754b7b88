import type { StorageFailure } from "./log-store.js";

export interface StateRow {
  readonly key: string;
  readonly value: Uint8Array;
}

export interface StateRange {
  /** Inclusive lower bound. */
  readonly gte: string;
  /** Exclusive upper bound. */
  readonly lt: string;
  readonly limit: number;
  readonly reverse?: boolean;
}

/**
 * The state of one node: an overlay in memory over a durable checkpoint. Apply reads and changes
 * the overlay synchronously; `checkpoint` makes everything in it durable as one synced batch.
 *
 * Keys are printable ASCII (asserted), so that JavaScript's string order is the order on disk.
 */
export interface StateStore {
  /** Overlay first, then a checkpoint in flight, then disk (synchronously). */
  get(key: string): Uint8Array | undefined;
  put(key: string, value: Uint8Array): void;
  delete(key: string): void;
  /** Bytes of keys and values in the overlay that no checkpoint has taken yet. */
  readonly overlayBytes: number;
  readonly checkpointing: boolean;
  /**
   * Freezes the overlay and writes it atomically and durably; calls `done` once, never
   * synchronously. At most one in flight (asserted). After a failure every later one fails too.
   */
  checkpoint(done: (failure: StorageFailure | undefined) => void): void;
  /** A page of rows as of this very moment, overlay included. For queries, never for apply. */
  scan(range: StateRange, done: (failure: StorageFailure | undefined, rows: StateRow[]) => void): void;
  close(): Promise<void>;
}
