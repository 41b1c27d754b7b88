import { invariant } from "../assert.js";
import type { Configuration, Entry, LogIndex, Position, Term } from "./types.js";

/** What an entry weighs beyond its payload, in bytes, wherever sizes are added up. */
export const ENTRY_OVERHEAD_BYTES = 32;

export function entrySize(entry: Entry): number {
  return ENTRY_OVERHEAD_BYTES + (entry.body.kind === "command" ? entry.body.payload.length : 0);
}

/** What the core keeps of its log when it starts. */
export interface LogShape {
  /** The log begins after this position. */
  readonly base: Position;
  /** In force at the base. */
  readonly baseConfiguration: Configuration;
  /** Of entry base.index + 1 + i. */
  readonly terms: readonly Term[];
  readonly sizes: readonly number[];
  readonly configurations: readonly { readonly index: LogIndex; readonly configuration: Configuration }[];
}

/**
 * The log as the core sees it: the term and the size of every entry, and the configurations.
 * Payloads live with the host; the core decides by terms alone (Log Matching, §3.5).
 */
export class RaftLog {
  readonly base: Position;
  readonly #terms: Term[];
  readonly #sizes: number[];
  /** Ascending; the first one is in force at the base. Never empty. */
  readonly #configurations: { readonly index: LogIndex; readonly configuration: Configuration }[];

  constructor(shape: LogShape) {
    invariant(shape.terms.length === shape.sizes.length, "every entry of the log has a term and a size");
    this.base = shape.base;
    this.#terms = [...shape.terms];
    this.#sizes = [...shape.sizes];
    this.#configurations = [
      { index: shape.base.index, configuration: shape.baseConfiguration },
      ...shape.configurations,
    ];
  }

  get lastIndex(): LogIndex {
    return this.base.index + this.#terms.length;
  }

  get lastTerm(): Term {
    return this.#terms.at(-1) ?? this.base.term;
  }

  /** The newest configuration in the log, committed or not: in force on append (§4.1). */
  get configuration(): Configuration {
    return this.#newestConfiguration.configuration;
  }

  get configurationIndex(): LogIndex {
    return this.#newestConfiguration.index;
  }

  get #newestConfiguration(): { readonly index: LogIndex; readonly configuration: Configuration } {
    const newest = this.#configurations.at(-1);
    invariant(newest !== undefined, "a configuration is always in force");
    return newest;
  }

  /** The term at an index, undefined outside of base … lastIndex. */
  term(index: LogIndex): Term | undefined {
    return index === this.base.index ? this.base.term : this.#terms[index - this.base.index - 1];
  }

  /** Bytes of the entry at an index that is in the log. */
  size(index: LogIndex): number {
    const size = this.#sizes[index - this.base.index - 1];
    invariant(size !== undefined, () => `entry ${index} is in the log`);
    return size;
  }

  append(entry: Entry): void {
    invariant(entry.index === this.lastIndex + 1, () => `entry ${entry.index} follows ${this.lastIndex}`);
    invariant(entry.term >= this.lastTerm, () => `terms never go back in a log (entry ${entry.index})`);
    this.#terms.push(entry.term);
    this.#sizes.push(entrySize(entry));
    if (entry.body.kind === "configuration") {
      this.#configurations.push({ index: entry.index, configuration: entry.body.configuration });
    }
  }

  /** Removes every entry from `index` on; a configuration among them is rolled back (§4.1). */
  truncate(index: LogIndex): void {
    invariant(index > this.base.index && index <= this.lastIndex, () => `entry ${index} can be truncated`);
    const kept = index - this.base.index - 1;
    this.#terms.length = kept;
    this.#sizes.length = kept;
    while (this.configurationIndex >= index) this.#configurations.pop();
  }

  /** §3.6.1: is a log that ends at `last` at least as up-to-date as this one? */
  isUpToDate(last: Position): boolean {
    return last.term > this.lastTerm || (last.term === this.lastTerm && last.index >= this.lastIndex);
  }

  /**
   * The last index at or before `index` whose term is at most `term`: where two logs may still
   * agree when they do not at `index`. One step passes over a whole term (§3.5, last paragraph).
   */
  lastIndexAtMostTerm(index: LogIndex, term: Term): LogIndex {
    let candidate = Math.min(index, this.lastIndex);
    while (candidate > this.base.index && (this.term(candidate) ?? 0) > term) candidate--;
    return candidate;
  }
}
