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
 * The rows of one durable checkpoint, in the order of their keys, while the store goes on. A view
 * holds disk space for what has changed since: close it.
 */
export interface StateView {
  /**
   * The next rows: at least one, and no more than fit into `bytesMax` if it is more than one; none
   * at the end. Calls `done` once, never synchronously; one call at a time (asserted). After a
   * failure (DAMAGED: a row that cannot be trusted) nothing more is read.
   */
  next(bytesMax: number, done: (failure: StorageFailure | undefined, rows: readonly StateRow[]) => void): void;
  /** May be called at any time, and again; a `next` that is under way is still answered. */
  close(): void;
}

/**
 * Another state, built aside while this one goes on; nothing of it is in force before the log says
 * so. One call at a time (asserted); `done` is called once, never synchronously. After a failure
 * only `abandon` is left.
 */
export interface StateBuilder {
  readonly generation: number;
  /** Rows in the order of their keys, each key once (asserted). Keys as in the store. */
  add(rows: readonly StateRow[], done: (failure: StorageFailure | undefined) => void): void;
  /** Everything that was added is durable, and whole: from here on it can be adopted. */
  finish(done: (failure: StorageFailure | undefined) => void): void;
  /**
   * Removes it, whatever is under way; at most once, and never after `adopt`. Cannot fail: what
   * cannot be removed now is removed when the state is opened or built the next time.
   */
  abandon(done: () => void): void;
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
  /** Which of the states that this directory has had; the log says which one is in force. */
  readonly generation: number;
  /** The rows of the last durable checkpoint, all or those of a range; asserted: no checkpoint is in flight. */
  openView(range?: Pick<StateRange, "gte" | "lt">): StateView;
  /**
   * Begins another state beside this one; what an earlier attempt left is removed first. One at a
   * time (asserted), and of a later generation than this one. Calls `done` once, never synchronously.
   */
  build(
    generation: number,
    done: (failure: StorageFailure | undefined, builder: StateBuilder | undefined) => void,
  ): void;
  /**
   * The finished builder's rows are this store's content from this call on; the overlay is dropped.
   * Asserted: no checkpoint is in flight. Pages and views that are under way end with the rows they
   * began with; then the old state is removed behind the scenes.
   */
  adopt(builder: StateBuilder): void;
  /** Ends views and builders that are still open. */
  close(): Promise<void>;
}
