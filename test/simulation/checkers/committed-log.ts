import type { Configuration, Entry, LogIndex, NodeId, Term } from "../../../src/raft/types.js";
import { isSameEntry } from "./durable-log.js";
import type { ReportViolation } from "./violation.js";

/** The one log of the cluster, as it has committed: remembered here whatever the nodes have cut off theirs. */
export class CommittedLog {
  readonly #report: ReportViolation;
  /** Term of every committed entry; [0] belongs to entry 1. */
  readonly #terms: Term[] = [];
  /** In which term each was committed: whoever leads in a later one holds it. */
  readonly #committedIn: Term[] = [];
  /** Everything that was ever on its way to some disk. */
  readonly #entries = new Map<number, Entry>();
  readonly #configurationEntries: Entry[] = [];
  /** Ascending; the first is the founding one, at 0. */
  readonly #configurations: { readonly index: LogIndex; readonly configuration: Configuration }[] = [];

  constructor(report: ReportViolation) {
    this.#report = report;
  }

  /** How many entries have committed: the index of the last. */
  get length(): LogIndex {
    return this.#terms.length;
  }

  /** The newest that has committed; before any, the one that the cluster was founded with. */
  get configuration(): Configuration | undefined {
    return this.#configurations.at(-1)?.configuration;
  }

  /** Of all that ever were members. */
  get highestId(): NodeId {
    return Math.max(
      0,
      ...this.#configurations.flatMap(({ configuration }) => configuration.members.map(({ id }) => id)),
    );
  }

  /** In force at a committed entry. */
  configurationAt(index: LogIndex): Configuration | undefined {
    return this.#configurations.findLast((known) => known.index <= index)?.configuration;
  }

  /** The entry with which the store became a member for the first time; 0 for founders, undefined if it never did. */
  joinedAt(storeId: string): LogIndex | undefined {
    const first = this.#configurations.find(({ configuration }) =>
      configuration.members.some((member) => member.storeId === storeId),
    );
    return first?.index;
  }

  founded(configuration: Configuration): void {
    if (this.#configurations.length === 0) this.#configurations.push({ index: 0, configuration });
  }

  /** Entries on their way to a disk: equal index and term mean an equal entry (Log Matching). */
  written(entry: Entry): void {
    const key = keyOf(entry.index, entry.term);
    const known = this.#entries.get(key);
    if (known === undefined) {
      this.#entries.set(key, entry);
      if (entry.body.kind === "configuration") this.#configurationEntries.push(entry);
    } else if (!isSameEntry(known, entry)) {
      this.#report("log matching", `two entries ${entry.index} of term ${entry.term} differ`);
    }
  }

  /** 0 stands before the first; undefined: not committed. */
  termAt(index: LogIndex): Term | undefined {
    return index === 0 ? 0 : this.#terms[index - 1];
  }

  /** The term in which it was committed. */
  committedIn(index: LogIndex): Term {
    return this.#committedIn[index - 1] ?? Number.POSITIVE_INFINITY;
  }

  /** The committed entry of that index, once it was on its way to some disk. */
  entry(index: LogIndex): Entry | undefined {
    const term = this.#terms[index - 1];
    return term === undefined ? undefined : this.#entries.get(keyOf(index, term));
  }

  /** Somebody takes the next entry for committed. @param inTerm the leader's, who is the first to say so */
  commit(term: Term, inTerm: Term): void {
    this.#terms.push(term);
    this.#committedIn.push(inTerm);
    const body = this.entry(this.length)?.body;
    if (body?.kind !== "configuration") return;
    const { configuration: before } = this;
    if (before !== undefined) this.#checkChange(before, body.configuration);
    this.#configurations.push({ index: this.length, configuration: body.configuration });
  }

  /** Two majorities of neighbours always meet, if they differ in one voter at most (§4.1). */
  #checkChange(before: Configuration, after: Configuration): void {
    const changes = voterChanges(before, after);
    if (changes <= 1) return;
    this.#report("one voter at a time", `entry ${this.length} changes ${changes} voters at once`);
  }

  /** Every configuration that may be in force somewhere: the committed one, and whatever was written since. */
  get possibleConfigurations(): Configuration[] {
    const newest = this.#configurations.at(-1);
    const later = this.#configurationEntries.flatMap(({ index, body }) =>
      index > (newest?.index ?? 0) && body.kind === "configuration" ? [body.configuration] : [],
    );
    return newest === undefined ? later : [newest.configuration, ...later];
  }
}

/** How many voters one has and the other has not; a store that takes another's seat counts twice. */
export function voterChanges(before: Configuration, after: Configuration): number {
  const nameOf = ({ members }: Configuration) =>
    new Set(members.filter(({ kind }) => kind === "voter").map(({ id, storeId }) => `${id} ${storeId}`));
  const [old, next] = [nameOf(before), nameOf(after)];
  return [...old].filter((voter) => !next.has(voter)).length + [...next].filter((voter) => !old.has(voter)).length;
}

/** Terms of a run stay far below 2^20. */
export function keyOf(index: LogIndex, term: Term): number {
  return index * 1_048_576 + term;
}
