import type { Configuration, LogIndex, Term } from "../raft/types.js";
import { damaged } from "./damage.js";
import type { Disk, DiskRow } from "./disk.js";
import { type LinkedPosition, type LogBase, type LogHead, readBase, readHead } from "./log-frame.js";
import { checkRecord, entryOf, recordKey } from "./log-record.js";
import type { LogRecovery } from "./log-store.js";

export interface ScannedLog {
  readonly recovery: LogRecovery;
  readonly base: LogBase;
  readonly tail: LinkedPosition;
}

/** What an entry weighs beyond its payload: the core's own figure (src/raft/log.ts), as a test asserts. */
const ENTRY_OVERHEAD_BYTES = 32;

/**
 * Walks over the whole log once, when it is opened: every checksum, no hole, every link, and the
 * end where the head says. Rows come in the order of their keys.
 */
export class LogScan {
  readonly #disk: Disk;
  readonly #base: LogBase;
  readonly #head: LogHead | undefined;
  readonly #terms: Term[] = [];
  readonly #sizes: number[] = [];
  readonly #configurations: { readonly index: LogIndex; readonly configuration: Configuration }[] = [];
  #tail: LinkedPosition;

  /** @throws StorageFailure DAMAGED */
  constructor(disk: Disk) {
    this.#disk = disk;
    this.#base = readBase(disk);
    this.#head = readHead(disk);
    this.#tail = this.#base;
    const expected = this.#head?.baseChecksum;
    if (expected !== undefined && expected !== this.#base.checksum) {
      throw damaged(disk.place, "The base of the log is missing, or another one than the log's last write knew");
    }
  }

  /** @throws StorageFailure DAMAGED */
  take(rows: readonly DiskRow[]): void {
    for (const [key, value] of rows) this.#takeRecord(key, value);
  }

  #takeRecord(key: string, value: Buffer): void {
    const { place } = this.#disk;
    const index = this.#tail.index + 1;
    if (key !== recordKey(index)) throw damaged(place, `Log entry ${index} is missing, though the row ${key} is there`);
    const record = checkRecord(value, index, place);
    if (record.link !== this.#tail.link) {
      throw damaged(place, `Log entry ${index} does not continue the entry ${index - 1} before it (broken link)`);
    }
    if (record.term < this.#tail.term)
      throw damaged(place, `Log entry ${index} is of an older term than the one before`);
    if (record.kind === "configuration") {
      const { body } = entryOf(record, place);
      if (body.kind === "configuration") this.#configurations.push({ index, configuration: body.configuration });
    }
    this.#terms.push(record.term);
    this.#sizes.push(ENTRY_OVERHEAD_BYTES + (record.kind === "command" ? record.body.length : 0));
    this.#tail = { index, term: record.term, link: record.checksum };
  }

  /** @throws StorageFailure DAMAGED */
  finish(): ScannedLog {
    this.#checkEnd();
    const { index, term, configuration, stateGeneration } = this.#base;
    const recovery: LogRecovery = {
      hardState: this.#head?.hardState ?? { term: 0, votedFor: undefined },
      base: { index, term },
      baseConfiguration: configuration,
      terms: this.#terms,
      sizes: this.#sizes,
      configurations: this.#configurations,
      stateGeneration,
      empty: this.#head === undefined,
    };
    return { recovery, base: this.#base, tail: this.#tail };
  }

  #checkEnd(): void {
    const { place } = this.#disk;
    const tail = this.#tail;
    if (this.#head === undefined) {
      if (tail.index === 0 && tail.link === 0 && this.#base.checksum === 0) return;
      throw damaged(place, `The hard state (term and vote) is missing, though the log reaches entry ${tail.index}`);
    }
    const { tail: expected, hardState } = this.#head;
    if (tail.index !== expected.index) {
      throw damaged(
        place,
        `The log ends at entry ${tail.index}, though its last write ended at entry ${expected.index}`,
      );
    }
    if (tail.link !== expected.link) {
      throw damaged(place, `The log ends with another entry ${tail.index} than its last write did`);
    }
    if (tail.term > hardState.term) {
      throw damaged(
        place,
        `Log entry ${tail.index} is of term ${tail.term}, later than the stored term ${hardState.term}`,
      );
    }
  }
}
