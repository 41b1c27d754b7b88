import type { Command } from "../../../src/sequence/command.js";
import type { CommandResult } from "../../../src/sequence/result.js";

/** What one command did, as the first node that applied it saw it. */
export interface Effect {
  readonly attempt: string;
  readonly command: Command;
  readonly result: CommandResult;
  readonly payload: Uint8Array;
  readonly record: Uint8Array;
  readonly index: number;
  /** The entry's, ms. */
  readonly time: number;
}
