import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { invariant } from "../../assert.js";
import type { Applied, CommandContext, Machine } from "../../machine/machine.js";
import type { StateStore } from "../../storage/state-store.js";
import { applyCommand } from "../apply.js";
import type { CommandResult } from "../result.js";
import { decodeCommand } from "./command-codec.js";
import { KeySweep, type Swept } from "./key-sweep.js";
import { allKeyedDraws } from "./keys.js";
import { outcomeOf } from "./outcome.js";
import { decodeResult, encodeResult } from "./result-codec.js";
import { SequenceTables } from "./sequence-tables.js";

/** Tags the domain's commands in the log, for ever. */
export const SEQUENCE_MACHINE_ID = 1;

interface AppliedCommand extends Applied {
  readonly result: CommandResult;
}

/** The domain of numbers as a machine that can be mounted; its state has the keys of keys.ts. */
export class SequenceMachine implements Machine {
  readonly id = SEQUENCE_MACHINE_ID;
  readonly name = "sequence";
  /** When an expired idempotency key is deleted is every node's own affair (`sweep`). */
  readonly localRanges = [allKeyedDraws];
  /** For queries: always the newest applied state. */
  readonly tables: SequenceTables;
  readonly #sweep: KeySweep;
  /** Used again and again: empty between two records. */
  readonly #writer = new BinaryWriter();
  #time = 0;

  constructor(state: StateStore) {
    this.tables = new SequenceTables(state);
    this.#sweep = new KeySweep(state);
  }

  /** Somebody's SeedSettings were applied. */
  get isSeeded(): boolean {
    return this.tables.settings() !== undefined;
  }

  apply(payload: Uint8Array, context: CommandContext): AppliedCommand {
    invariant(context.time >= this.#time, "entry time never goes back");
    this.#time = context.time;
    const result = applyCommand(this.tables, decodeCommand(payload), context);
    return { result, record: encodeResult(result, this.#writer) };
  }

  flush(): void {
    this.tables.flush();
  }

  reload(): void {
    this.tables.reload();
    this.#time = 0;
  }

  outcomeOf(payload: Uint8Array, record: Uint8Array, context: CommandContext): CommandResult {
    return outcomeOf(decodeCommand(payload), decodeResult(record), context, (prefix, version) =>
      this.tables.definitionVersion(prefix, version),
    );
  }

  /**
   * Deletes rows of idempotency keys whose time has passed, looking at no more than `rowsMax` rows
   * and going on from there the next time. No result depends on it: apply takes such rows for
   * absent, deleted or not. One at a time; not while the state store is closed.
   */
  sweep(rowsMax: number): Promise<Swept> {
    return this.#sweep.run(rowsMax, this.#time);
  }
}
