import type { LogIndex } from "../raft/types.js";

/** Where a command stands in the log, and the only clock that apply knows: its entry's. */
export interface CommandContext {
  readonly index: LogIndex;
  /** 0-based place among all commands of the entry. */
  readonly ordinal: number;
  /** The entry's stamp: milliseconds since the epoch, never less than that of an earlier entry. */
  readonly time: number;
}

export interface Applied {
  /** For the waiter at the command's origin; opaque to the replica. */
  readonly result: unknown;
  /** The compact form for the journal; never empty. */
  readonly record: Uint8Array;
}

/** Rows of the state from `gte` on and before `lt`. */
export interface RowRange {
  readonly gte: string;
  readonly lt: string;
}

/**
 * A replicated state machine that can be mounted: a folder, a .proto and a line in node.ts.
 *
 * `apply` is deterministic and synchronous: the same commands in the same order give the same
 * state and the same records on every node. No clock, randomness, locale, time-zone data,
 * environment. A domain refusal is a result, not an exception; an exception ends the process.
 */
export interface Machine {
  /** The number that tags its commands in the log; 1 or more, for ever. */
  readonly id: number;
  readonly name: string;
  apply(payload: Uint8Array, context: CommandContext): Applied;
  /** Puts everything that apply changed and that is still only in caches into the state store. */
  flush(): void;
  /** The store's content was replaced (a snapshot was installed): drops everything that was read from it. */
  reload(): void;
  /**
   * The very result that `apply` returned, told again from what the journal keeps of the command; at
   * any later time, whatever was applied since.
   * @param record of that command, as `apply` returned it
   * @param context of that command
   */
  outcomeOf(payload: Uint8Array, record: Uint8Array, context: CommandContext): unknown;
  /** Rows that may differ between nodes at one index without any harm: comparisons leave them out. */
  readonly localRanges: readonly RowRange[];
}
