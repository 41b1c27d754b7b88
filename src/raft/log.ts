import { invariant } from "../assert.js";
import { voterIds } from "./quorum.js";
import type { Configuration, Entry, LogIndex, Member, NodeId, Position, Term } from "./types.js";

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

interface PlacedConfiguration {
  readonly index: LogIndex;
  readonly configuration: Configuration;
  /** Read at every answer of a peer, so it is worked out once. */
  readonly voters: readonly NodeId[];
}

function placed(index: LogIndex, configuration: Configuration): PlacedConfiguration {
  return { index, configuration, voters: voterIds(configuration) };
}

/**
 * The log as the core sees it: the term and the size of every entry, and the configurations.
 * Payloads live with the host; the core decides by terms alone (Log Matching, §3.5). What lies at
 * or below the base has been compacted into the state (§5.1).
 */
export class RaftLog {
  #base: Position;
  readonly #terms: Term[];
  /** Bytes of this entry and of all before it, counted from some place at or below the base on. */
  readonly #bytesThrough: number[];
  #bytesAtBase = 0;
  /** Ascending; the first one is in force at the base. Never empty. */
  readonly #configurations: PlacedConfiguration[];
  #newest: PlacedConfiguration;

  constructor(shape: LogShape) {
    invariant(shape.terms.length === shape.sizes.length, "every entry of the log has a term and a size");
    this.#base = shape.base;
    this.#terms = [...shape.terms];
    let bytes = 0;
    this.#bytesThrough = shape.sizes.map((size) => {
      bytes += size;
      return bytes;
    });
    const atBase = placed(shape.base.index, shape.baseConfiguration);
    this.#configurations = [
      atBase,
      ...shape.configurations.map(({ index, configuration }) => placed(index, configuration)),
    ];
    this.#newest = this.#configurations.at(-1) ?? atBase;
  }

  /** The log begins after it. */
  get base(): Position {
    return this.#base;
  }

  get lastIndex(): LogIndex {
    return this.#base.index + this.#terms.length;
  }

  get lastTerm(): Term {
    return this.#terms.at(-1) ?? this.#base.term;
  }

  /** Entries after the base. */
  get entryCount(): number {
    return this.#terms.length;
  }

  /** Bytes of the entries after the base. */
  get bytes(): number {
    return (this.#bytesThrough.at(-1) ?? this.#bytesAtBase) - this.#bytesAtBase;
  }

  /** The newest configuration in the log, committed or not: in force on append (§4.1). */
  get configuration(): Configuration {
    return this.#newest.configuration;
  }

  get configurationIndex(): LogIndex {
    return this.#newest.index;
  }

  /** Who votes in the newest configuration. */
  get voters(): readonly NodeId[] {
    return this.#newest.voters;
  }

  /** The configuration that was in force at an index of base … lastIndex. */
  configurationAt(index: LogIndex): Configuration {
    let place = this.#configurations.length - 1;
    while (place > 0 && (this.#configurations[place]?.index ?? 0) > index) place--;
    const found = this.#configurations[place];
    invariant(found !== undefined && found.index <= index, () => `a configuration is in force at ${index}`);
    return found.configuration;
  }

  /**
   * Since which entry this store holds this seat without a break: the index of that configuration,
   * or the base if it held it there. Undefined for one that is not in the newest configuration.
   */
  joinedIndex({ id, storeId }: Pick<Member, "id" | "storeId">): LogIndex | undefined {
    let joined: LogIndex | undefined;
    for (const { index, configuration } of [...this.#configurations].reverse()) {
      if (!configuration.members.some((member) => member.id === id && member.storeId === storeId)) break;
      joined = index;
    }
    return joined;
  }

  /** The term at an index, undefined outside of base … lastIndex. */
  term(index: LogIndex): Term | undefined {
    return index === this.#base.index ? this.#base.term : this.#terms[index - this.#base.index - 1];
  }

  /** Bytes of the entry at an index that is in the log. */
  size(index: LogIndex): number {
    return this.bytesBetween(index - 1, index);
  }

  /** Bytes of the entries after `index` up to `last`; both in base … lastIndex. */
  bytesBetween(index: LogIndex, last: LogIndex): number {
    return this.#bytesTo(last) - this.#bytesTo(index);
  }

  #bytesTo(index: LogIndex): number {
    const bytes = index === this.#base.index ? this.#bytesAtBase : this.#bytesThrough[index - this.#base.index - 1];
    invariant(bytes !== undefined, () => `entry ${index} is in the log`);
    return bytes;
  }

  append(entry: Entry): void {
    invariant(entry.index === this.lastIndex + 1, () => `entry ${entry.index} follows ${this.lastIndex}`);
    invariant(entry.term >= this.lastTerm, () => `terms never go back in a log (entry ${entry.index})`);
    this.#bytesThrough.push((this.#bytesThrough.at(-1) ?? this.#bytesAtBase) + entrySize(entry));
    this.#terms.push(entry.term);
    if (entry.body.kind === "configuration") {
      this.#newest = placed(entry.index, entry.body.configuration);
      this.#configurations.push(this.#newest);
    }
  }

  /** Removes every entry from `index` on; a configuration among them is rolled back (§4.1). */
  truncate(index: LogIndex): void {
    invariant(index > this.#base.index && index <= this.lastIndex, () => `entry ${index} can be truncated`);
    const kept = index - this.#base.index - 1;
    this.#terms.length = kept;
    this.#bytesThrough.length = kept;
    while (this.#newest.index >= index) {
      this.#configurations.pop();
      const newest = this.#configurations.at(-1);
      invariant(newest !== undefined, "a configuration is always in force");
      this.#newest = newest;
    }
  }

  /** The log begins after `index` from now on; what follows stays (§5.1). */
  compact(index: LogIndex): void {
    const term = this.term(index);
    invariant(term !== undefined && index > this.#base.index, () => `the log can be cut at ${index}`);
    const configuration = this.configurationAt(index);
    const cut = index - this.#base.index;
    this.#bytesAtBase = this.#bytesTo(index);
    this.#terms.splice(0, cut);
    this.#bytesThrough.splice(0, cut);
    const above = this.#configurations.filter((later) => later.index > index);
    this.#rebase({ index, term }, configuration, above);
  }

  /** Everything goes; the log begins after a snapshot that is not in it (§5.2). */
  reset(base: Position, configuration: Configuration): void {
    this.#terms.length = 0;
    this.#bytesThrough.length = 0;
    this.#bytesAtBase = 0;
    this.#rebase(base, configuration, []);
  }

  #rebase(base: Position, configuration: Configuration, above: readonly PlacedConfiguration[]): void {
    this.#base = base;
    const atBase = placed(base.index, configuration);
    this.#configurations.splice(0, this.#configurations.length, atBase, ...above);
    this.#newest = above.at(-1) ?? atBase;
  }

  /** §3.6.1: is a log that ends at `last` at least as up-to-date as this one? */
  isUpToDate(last: Position): boolean {
    return last.term > this.lastTerm || (last.term === this.lastTerm && last.index >= this.lastIndex);
  }

  /**
   * The last index at or before `index` whose term is at most `term`: where two logs may still
   * agree when they do not at `index`. One step passes over a whole term (§3.5, last paragraph).
   * Never goes below the base, whatever its term.
   */
  lastIndexAtMostTerm(index: LogIndex, term: Term): LogIndex {
    let candidate = Math.min(index, this.lastIndex);
    while (candidate > this.#base.index && (this.term(candidate) ?? 0) > term) candidate--;
    return candidate;
  }
}
