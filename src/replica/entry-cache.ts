import { invariant } from "../assert.js";
import { entrySize } from "../raft/log.js";
import type { Entry, LogIndex } from "../raft/types.js";
import type { LogStore } from "../storage/log-store.js";

/**
 * Recent entries in memory, consecutive; older ones are read from the log. Entries that are not
 * durable yet are here and nowhere else, so only durable and applied ones may leave.
 */
export class EntryCache {
  readonly #log: LogStore;
  readonly #bytesMax: number;
  /** entries[0] has index #first. */
  #entries: Entry[] = [];
  #first: LogIndex;
  #bytes = 0;

  constructor(log: LogStore, options: { readonly nextIndex: LogIndex; readonly bytesMax: number }) {
    this.#log = log;
    this.#first = options.nextIndex;
    this.#bytesMax = options.bytesMax;
  }

  /** Adds an entry that joined the log. It replaces the one at its index and everything after. */
  add(entry: Entry): void {
    const place = entry.index - this.#first;
    invariant(place <= this.#entries.length, () => `entry ${entry.index} follows the cached ones`);
    if (place < 0) {
      // A divergent tail that began before the cache: all of the cache is gone with it.
      this.#entries = [];
      this.#bytes = 0;
      this.#first = entry.index;
    } else {
      for (const removed of this.#entries.splice(place)) this.#bytes -= entrySize(removed);
    }
    this.#entries.push(entry);
    this.#bytes += entrySize(entry);
  }

  /**
   * A snapshot of everything up to `index` is about to be in force: what is cached up to there is of no
   * use, and without `keepsTail` what follows is another log's.
   */
  snapshotInstalled(index: LogIndex, { keepsTail }: { readonly keepsTail: boolean }): void {
    // Cached entries that begin later, or go on behind it, stay in their place.
    if (keepsTail && this.#first + this.#entries.length > index) return;
    this.#entries = [];
    this.#bytes = 0;
    this.#first = index + 1;
  }

  /** Entries first … last, inclusive, from memory or else from the log (synchronously). */
  range(first: LogIndex, last: LogIndex): Entry[] {
    if (first > last) return [];
    if (first >= this.#first) {
      const entries = this.#entries.slice(first - this.#first, last + 1 - this.#first);
      invariant(entries.length === last + 1 - first, () => `entries ${first} to ${last} are in the cache`);
      return entries;
    }
    const stored = this.#log.read(first, Math.min(last, this.#first - 1));
    return last < this.#first ? stored : stored.concat(this.range(this.#first, last));
  }

  /** Lets go of the oldest entries beyond the limit, none of them after `index`. */
  trim(index: LogIndex): void {
    if (this.#bytes <= this.#bytesMax) return;
    let count = 0;
    // Down to three quarters at once, so that shifting the array is rare.
    const target = this.#bytesMax * 0.75;
    for (const entry of this.#entries) {
      if (entry.index > index || this.#bytes <= target) break;
      this.#bytes -= entrySize(entry);
      count++;
    }
    this.#entries.splice(0, count);
    this.#first += count;
  }
}
