import type { ClassicLevel, Iterator as LevelIterator } from "classic-level";
import { invariant } from "../assert.js";
import { asError } from "./damage.js";
import type { DiskRow, DiskView } from "./disk.js";
import { endOfPage } from "./page.js";

type Rows = LevelIterator<ClassicLevel<string, Buffer>, string, Buffer>;

const CHUNK_ROWS = 4096;

/** Whose disk it is. */
export interface LevelViewOwner {
  /** Does not close the database before the work has ended. */
  follow<Result>(work: Promise<Result>): Promise<Result>;
  /** Told once. */
  closed(): void;
}

/** An iterator of LevelDB sees the rows as of its making, whatever is written behind it. */
export class LevelView implements DiskView {
  readonly #iterator: Rows;
  readonly #owner: LevelViewOwner;
  /** Read ahead of what was asked for. */
  #buffered: readonly DiskRow[] = [];
  #nextRow = 0;
  #isReading = false;
  #isClosed = false;

  constructor(iterator: Rows, owner: LevelViewOwner) {
    this.#iterator = iterator;
    this.#owner = owner;
  }

  next(bytesMax: number, done: (error: Error | undefined, rows: readonly DiskRow[]) => void): void {
    invariant(!this.#isClosed, "a closed view is not read");
    invariant(!this.#isReading, "a view is read once at a time");
    this.#isReading = true;
    this.#owner.follow(this.#read(bytesMax)).then(
      (rows) => {
        this.#isReading = false;
        done(undefined, rows);
      },
      (reason) => {
        this.#isReading = false;
        done(asError(reason), []);
      },
    );
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // Ends after the read that may be under way; cannot fail but by a broken invariant of the binding.
    void this.#owner.follow(this.#iterator.close()).then(() => this.#owner.closed());
  }

  async #read(bytesMax: number): Promise<readonly DiskRow[]> {
    if (this.#nextRow === this.#buffered.length) {
      this.#buffered = await this.#iterator.nextv(CHUNK_ROWS);
      this.#nextRow = 0;
    }
    const end = endOfPage(this.#buffered, this.#nextRow, bytesMax);
    const page = this.#buffered.slice(this.#nextRow, end);
    this.#nextRow = end;
    return page;
  }
}
