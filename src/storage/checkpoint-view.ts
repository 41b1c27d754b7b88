import { invariant } from "../assert.js";
import { damaged, unreadable } from "./damage.js";
import type { Disk, DiskRow, DiskView } from "./disk.js";
import { StorageFailure } from "./log-store.js";
import { isSealed, valueIn } from "./sealed-row.js";
import type { StateRange, StateRow, StateView } from "./state-store.js";

/** The rows of one checkpoint, each checked against its seal. */
export class CheckpointView implements StateView {
  readonly #disk: Disk;
  readonly #rows: DiskView;
  readonly #closed: (view: CheckpointView) => void;
  #isClosed = false;
  #failure: StorageFailure | undefined;

  /** @param closed called once when nothing more is read. */
  constructor(disk: Disk, range: Pick<StateRange, "gte" | "lt">, closed: (view: CheckpointView) => void) {
    this.#disk = disk;
    this.#rows = disk.openView(range);
    this.#closed = closed;
  }

  next(bytesMax: number, done: (failure: StorageFailure | undefined, rows: readonly StateRow[]) => void): void {
    invariant(!this.#isClosed, "a closed view is not read");
    const failure = this.#failure;
    if (failure !== undefined) {
      this.#disk.defer(() => done(failure, []));
      return;
    }
    this.#rows.next(bytesMax, (error, rows) => {
      this.#failure ??= this.#failureOf(error, rows);
      if (this.#failure === undefined) done(undefined, rows.map(stateRow));
      else done(this.#failure, []);
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#rows.close();
    this.#closed(this);
  }

  /** The store is closed: whoever still reads is told so. */
  end(): void {
    this.#failure ??= new StorageFailure(
      "OPEN_FAILED",
      `The state in ${this.#disk.place} was closed while it was read.`,
    );
    this.#rows.close();
  }

  #failureOf(error: Error | undefined, rows: readonly DiskRow[]): StorageFailure | undefined {
    const { place } = this.#disk;
    if (error !== undefined) return unreadable(place, "The state cannot be read from end to end", error);
    const broken = rows.find(([key, row]) => !isSealed(key, row));
    return broken === undefined ? undefined : damaged(place, `The state's record ${broken[0]} fails its checksum`);
  }
}

function stateRow([key, row]: DiskRow): StateRow {
  return { key, value: valueIn(row) };
}
