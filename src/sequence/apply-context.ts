/** Where a command stands in the log, and the only clock there is: its entry's. */
export interface CommandContext {
  readonly index: number;
  /** 0-based place among all commands of the entry. */
  readonly ordinal: number;
  /** ms since the epoch, never less than that of an earlier entry. */
  readonly time: number;
}
