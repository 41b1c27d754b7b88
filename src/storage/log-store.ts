import type { Configuration, Entry, HardState, LogIndex, LogWrite, Position, Term } from "../raft/types.js";

/** What a scan of the log on open found. */
export interface LogRecovery {
  readonly hardState: HardState;
  /** The log begins after this position: {0, 0}, or the position of a snapshot. */
  readonly base: Position;
  /** The configuration in force at the base; undefined before founding. */
  readonly baseConfiguration: Configuration | undefined;
  /** terms[i] and sizes[i] (bytes) belong to entry base.index + 1 + i. */
  readonly terms: Term[];
  readonly sizes: number[];
  /** Every configuration entry of the log, ascending. */
  readonly configurations: { readonly index: LogIndex; readonly configuration: Configuration }[];
  /** Which generation of the state is in force (state-store.ts); 0 until a snapshot was installed. */
  readonly stateGeneration: number;
  /** Whether anything was ever written: a store that is not empty may have voted. */
  readonly empty: boolean;
}

/** The log cannot be trusted or written; the process must end before anything is acknowledged. */
export class StorageFailure extends Error {
  override readonly name = "StorageFailure";
  constructor(
    readonly code: "DAMAGED" | "FOREIGN" | "WRITE_FAILED" | "READ_FAILED" | "OPEN_FAILED",
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * The durable log of one node: entries, hard state, base. Every write is synced.
 *
 * Callback style, not promises: the caller decides in which turn a completion is looked at, and a
 * simulator can run the same code synchronously.
 */
export interface LogStore {
  /** Identifies this directory for ever; random, made when it was created. */
  readonly storeId: string;
  readonly recovery: LogRecovery;
  /**
   * Writes atomically and durably, then calls `done` exactly once, never synchronously. The caller
   * keeps at most one write in flight (asserted). After a failed write every later one fails too.
   *
   * With a new base: what the store holds up to it goes, and without `keepsTail` everything; the
   * entries of the same write come behind it. Entries that go are not read any more from the call on.
   */
  write(write: LogWrite, done: (failure: StorageFailure | undefined) => void): void;
  /** The founding configuration becomes the log's base, before any entry exists. Same rules as `write`. */
  found(configuration: Configuration, done: (failure: StorageFailure | undefined) => void): void;
  /**
   * Entries from `first` to `last` inclusive, all of them durable and above the base (asserted),
   * checked against their checksums.
   * @throws StorageFailure DAMAGED
   */
  read(first: LogIndex, last: LogIndex): Entry[];
  close(): Promise<void>;
}
