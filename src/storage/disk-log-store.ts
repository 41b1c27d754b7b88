import { invariant } from "../assert.js";
import type { Configuration, Entry, HardState, LogCut, LogIndex, LogWrite } from "../raft/types.js";
import { damaged } from "./damage.js";
import type { Disk, DiskOperation } from "./disk.js";
import {
  foundingBase,
  type LinkedPosition,
  type LogBase,
  putBase,
  putHead,
  sealedBase,
  unlinkedBase,
} from "./log-frame.js";
import { type CheckedRecord, checkRecord, checksumOf, encodeRecord, entryOf, recordKey } from "./log-record.js";
import type { ScannedLog } from "./log-scan.js";
import { type LogRecovery, type LogStore, StorageFailure } from "./log-store.js";

/** What the log will be when a write is durable. */
interface Outcome {
  readonly hardState: HardState;
  readonly base: LogBase;
  readonly tail: LinkedPosition;
}

/** The entries behind `after`, up to `last` inclusive. */
interface EntryRange {
  readonly after: LogIndex;
  readonly last: LogIndex;
}

/** The log store over any disk. */
export class DiskLogStore implements LogStore {
  readonly storeId: string;
  readonly recovery: LogRecovery;
  readonly #disk: Disk;
  /** As of the last durable write. */
  #durable: Outcome;
  /** Everything behind `after` and up to `last` is durable and is not about to be replaced or removed. */
  #readable: EntryRange;
  #writing = false;
  #closed = false;
  #failure: StorageFailure | undefined;

  constructor(disk: Disk, storeId: string, { recovery, base, tail }: ScannedLog) {
    this.#disk = disk;
    this.storeId = storeId;
    this.recovery = recovery;
    this.#durable = { hardState: recovery.hardState, base, tail };
    this.#readable = { after: base.index, last: tail.index };
  }

  write(write: LogWrite, done: (failure: StorageFailure | undefined) => void): void {
    this.#checkWritable();
    if (this.#refusedAfterFailure(done)) return;
    const { hardState: before, base: baseBefore, tail } = this.#durable;
    const hardState = write.hardState ?? before;
    checkHardState(before, hardState);
    const kept = this.#positionAfterTruncation(write.truncateFrom);
    const base = write.base === undefined ? baseBefore : this.#newBase(write.base, kept);
    // What stays of the stored entries ends here; the new ones follow it.
    const start = write.base?.keepsTail === false || kept.index <= base.index ? base : kept;
    const { operations, last } = this.#appended(write.entries, start);
    invariant(last.term <= hardState.term, () => `no entry is of a later term than the stored ${hardState.term}`);
    if (write.base !== undefined) operations.push(putBase({ ...base, configuration: write.base.configuration }));
    this.#readable = { after: base.index, last: start.index };
    const removed = removals({ after: baseBefore.index, last: tail.index }, { after: base.index, last: last.index });
    this.#commit(operations, removed, { hardState, base, tail: last }, done);
  }

  found(configuration: Configuration, done: (failure: StorageFailure | undefined) => void): void {
    this.#checkWritable();
    if (this.#refusedAfterFailure(done)) return;
    const { hardState, base: before, tail } = this.#durable;
    invariant(tail.index === 0 && before.configuration === undefined, "a log is founded once, before any entry exists");
    const base = foundingBase(configuration);
    this.#commit([putBase({ ...base, configuration })], [], { hardState, base, tail: base }, done);
  }

  read(first: LogIndex, last: LogIndex): Entry[] {
    invariant(!this.#closed, "a closed log is not read");
    const readable = this.#readable;
    invariant(
      first > readable.after && first <= last && last <= readable.last,
      () => `entries ${first} to ${last} lie between ${readable.after + 1} and ${readable.last}`,
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

  /** One batch, so that a crash leaves the log of before or the log of after, never a mixture. */
  #commit(
    changes: DiskOperation[],
    removed: Iterable<DiskOperation>,
    outcome: Outcome,
    done: (failure: StorageFailure | undefined) => void,
  ): void {
    const head = putHead({ ...outcome, baseChecksum: outcome.base.checksum });
    this.#writing = true;
    this.#disk.write(joined(changes, removed, head), (error) => {
      this.#writing = false;
      if (error === undefined) {
        this.#durable = outcome;
        this.#readable = { after: outcome.base.index, last: outcome.tail.index };
      } else {
        const message = `The log in ${this.#disk.place} could not be written: ${error.message}`;
        this.#failure = new StorageFailure("WRITE_FAILED", message, { cause: error });
      }
      done(this.#failure);
    });
  }

  #positionAfterTruncation(from: LogIndex | undefined): LinkedPosition {
    const { tail } = this.#durable;
    if (from === undefined) return tail;
    invariant(from <= tail.index, () => `entry ${from} to truncate from is in the log, which ends at ${tail.index}`);
    return this.#positionBefore(from);
  }

  #appended(
    entries: readonly Entry[],
    start: LinkedPosition,
  ): { readonly operations: DiskOperation[]; readonly last: LinkedPosition } {
    const operations: DiskOperation[] = [];
    let last = start;
    for (const entry of entries) {
      invariant(entry.index === last.index + 1, () => `entry ${entry.index} to write follows entry ${last.index}`);
      invariant(entry.term >= last.term, () => `terms never go back in the log (entry ${entry.index})`);
      const value = encodeRecord(entry, last.link);
      operations.push({ type: "put", key: recordKey(entry.index), value });
      last = { index: entry.index, term: entry.term, link: checksumOf(value) };
    }
    return { operations, last };
  }

  /**
   * Where the entry at the position stays in the chain, the chain goes on from it; else a new one begins.
   * @param kept where the stored log ends after the truncation of the same write.
   */
  #newBase({ position, configuration, keepsTail, stateGeneration }: LogCut, kept: LinkedPosition): LogBase {
    const { base } = this.#durable;
    invariant(position.index >= base.index, () => `the log's base never goes back from ${base.index}`);
    invariant(
      stateGeneration === undefined || stateGeneration > base.stateGeneration,
      () => `a state of a later generation than ${base.stateGeneration} is installed`,
    );
    const generation = stateGeneration ?? base.stateGeneration;
    if (!keepsTail || position.index > kept.index) return unlinkedBase(position, configuration, generation);
    const { index, term, link } = this.#positionBefore(position.index + 1);
    invariant(term === position.term, () => `the entry ${index} that the log is cut at is of term ${position.term}`);
    return sealedBase({ index, term, link }, configuration, generation);
  }

  /** What a record at `index` has to continue. */
  #positionBefore(index: LogIndex): LinkedPosition {
    const { base, tail } = this.#durable;
    invariant(
      index > base.index && index <= tail.index + 1,
      () => `entry ${index - 1} is in the log (${base.index + 1} to ${tail.index})`,
    );
    if (index === base.index + 1) return base;
    if (index === tail.index + 1) return tail;
    const { term, checksum } = this.#readRecord(index - 1);
    return { index: index - 1, term, link: checksum };
  }

  #readRecord(index: LogIndex): CheckedRecord {
    const record = this.#disk.get(recordKey(index));
    if (record === undefined) throw damaged(this.#disk.place, `Log entry ${index} is missing`);
    return checkRecord(record, index, this.#disk.place);
  }
}

/** Deletes what is in the range of before and no more in the range of after. */
function* removals(before: EntryRange, after: EntryRange): Generator<DiskOperation> {
  for (let index = before.after + 1; index <= before.last; index++) {
    if (index <= after.after || index > after.last) yield { type: "delete", key: recordKey(index) };
  }
}

/** A generator, so that the many removals of a cut are handed to the disk over several turns. */
function* joined(
  changes: Iterable<DiskOperation>,
  removed: Iterable<DiskOperation>,
  head: DiskOperation,
): Generator<DiskOperation> {
  yield* changes;
  yield* removed;
  yield head;
}

/** The two promises that elections rest on, asserted before they could be broken on disk (§3.4). */
function checkHardState(before: HardState, after: HardState): void {
  invariant(after.term >= before.term, () => `the stored term never goes back from ${before.term} to ${after.term}`);
  invariant(
    after.term > before.term || before.votedFor === undefined || after.votedFor === before.votedFor,
    () => `the vote in term ${before.term} stays with node ${before.votedFor}`,
  );
}
