import { invariant } from "../assert.js";
import type { Configuration, Entry, HardState, LogIndex, LogWrite } from "../raft/types.js";
import { damaged } from "./damage.js";
import type { Disk, DiskOperation } from "./disk.js";
import { foundingBase, type LinkedPosition, type LogBase, putBase, putHead } from "./log-frame.js";
import { type CheckedRecord, checkRecord, checksumOf, encodeRecord, entryOf, recordKey } from "./log-record.js";
import type { ScannedLog } from "./log-scan.js";
import { type LogRecovery, type LogStore, StorageFailure } from "./log-store.js";

/** What the log will be when a write is durable. */
interface Outcome {
  readonly hardState: HardState;
  readonly base: LogBase;
  readonly tail: LinkedPosition;
}

/** The log store over any disk. */
export class DiskLogStore implements LogStore {
  readonly storeId: string;
  readonly recovery: LogRecovery;
  readonly #disk: Disk;
  /** As of the last durable write. */
  #durable: Outcome;
  /** Everything up to here is durable and is not about to be replaced. */
  #readableIndex: LogIndex;
  #writing = false;
  #closed = false;
  #failure: StorageFailure | undefined;

  constructor(disk: Disk, storeId: string, { recovery, base, tail }: ScannedLog) {
    this.#disk = disk;
    this.storeId = storeId;
    this.recovery = recovery;
    this.#durable = { hardState: recovery.hardState, base, tail };
    this.#readableIndex = tail.index;
  }

  write(write: LogWrite, done: (failure: StorageFailure | undefined) => void): void {
    this.#checkWritable();
    if (this.#refusedAfterFailure(done)) return;
    const { hardState: before, base, tail } = this.#durable;
    const hardState = write.hardState ?? before;
    checkHardState(before, hardState);
    const operations: DiskOperation[] = [];
    const kept = write.truncateFrom === undefined ? tail : this.#positionBefore(write.truncateFrom);
    let last = kept;
    for (const entry of write.entries) {
      invariant(entry.index === last.index + 1, () => `entry ${entry.index} to write follows entry ${last.index}`);
      invariant(entry.term >= last.term, () => `terms never go back in the log (entry ${entry.index})`);
      const value = encodeRecord(entry, last.link);
      operations.push({ type: "put", key: recordKey(entry.index), value });
      last = { index: entry.index, term: entry.term, link: checksumOf(value) };
    }
    invariant(last.term <= hardState.term, () => `no entry is of a later term than the stored ${hardState.term}`);
    for (let index = last.index + 1; index <= tail.index; index++) {
      operations.push({ type: "delete", key: recordKey(index) });
    }
    this.#readableIndex = kept.index;
    this.#commit(operations, { hardState, base, tail: last }, done);
  }

  found(configuration: Configuration, done: (failure: StorageFailure | undefined) => void): void {
    this.#checkWritable();
    if (this.#refusedAfterFailure(done)) return;
    const { hardState, base: before, tail } = this.#durable;
    invariant(tail.index === 0 && before.configuration === undefined, "a log is founded once, before any entry exists");
    const base = foundingBase(configuration);
    const { index, term, link } = base;
    this.#commit([putBase({ ...base, configuration })], { hardState, base, tail: { index, term, link } }, done);
  }

  read(first: LogIndex, last: LogIndex): Entry[] {
    invariant(!this.#closed, "a closed log is not read");
    const { base } = this.#durable;
    invariant(
      first > base.index && first <= last && last <= this.#readableIndex,
      () => `entries ${first} to ${last} lie between ${base.index + 1} and ${this.#readableIndex}`,
    );
    const entries: Entry[] = [];
    let before: CheckedRecord | undefined;
    for (let index = first; index <= last; index++) {
      const record = this.#readRecord(index);
      if (before !== undefined && record.link !== before.checksum) {
        throw damaged(this.#disk.place, `Log entry ${index} does not continue the entry ${index - 1} before it`);
      }
      entries.push(entryOf(record, this.#disk.place));
      before = record;
    }
    return entries;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#disk.close();
  }

  #checkWritable(): void {
    invariant(!this.#closed, "a closed log is not written");
    invariant(!this.#writing, "at most one write of the log is in flight");
  }

  /** After a failed write nobody knows what is on the disk: nothing may be promised any more. */
  #refusedAfterFailure(done: (failure: StorageFailure) => void): boolean {
    const failure = this.#failure;
    if (failure === undefined) return false;
    this.#writing = true;
    this.#disk.defer(() => {
      this.#writing = false;
      done(failure);
    });
    return true;
  }

  #commit(operations: DiskOperation[], outcome: Outcome, done: (failure: StorageFailure | undefined) => void): void {
    operations.push(putHead(outcome));
    this.#writing = true;
    this.#disk.write(operations, (error) => {
      this.#writing = false;
      if (error === undefined) {
        this.#durable = outcome;
        this.#readableIndex = outcome.tail.index;
      } else {
        const message = `The log in ${this.#disk.place} could not be written: ${error.message}`;
        this.#failure = new StorageFailure("WRITE_FAILED", message, { cause: error });
      }
      done(this.#failure);
    });
  }

  /** What a record at `index` has to continue. */
  #positionBefore(index: LogIndex): LinkedPosition {
    const { base, tail } = this.#durable;
    invariant(
      index > base.index && index <= tail.index,
      () => `entry ${index} to truncate from is in the log (${base.index + 1} to ${tail.index})`,
    );
    if (index === base.index + 1) return base;
    const { term, checksum } = this.#readRecord(index - 1);
    return { index: index - 1, term, link: checksum };
  }

  #readRecord(index: LogIndex): CheckedRecord {
    const record = this.#disk.get(recordKey(index));
    if (record === undefined) throw damaged(this.#disk.place, `Log entry ${index} is missing`);
    return checkRecord(record, index, this.#disk.place);
  }
}

/** The two promises that elections rest on, asserted before they could be broken on disk (§3.4). */
function checkHardState(before: HardState, after: HardState): void {
  invariant(after.term >= before.term, () => `the stored term never goes back from ${before.term} to ${after.term}`);
  invariant(
    after.term > before.term || before.votedFor === undefined || after.votedFor === before.votedFor,
    () => `the vote in term ${before.term} stays with node ${before.votedFor}`,
  );
}
