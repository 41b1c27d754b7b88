import type { ReplicatedState } from "../machine/replicated-state.js";
import type { LogIndex } from "../raft/types.js";
import type { StateWitness } from "./applier.js";
import { LIMITS } from "./options.js";
import type { RowsDigest } from "./rows-digest.js";
import type { StateDigests } from "./state-digests.js";

/** Takes digests of the state at the same entries on every node. */
export class DigestWitness implements StateWitness {
  readonly #replicated: ReplicatedState;
  readonly #digests: StateDigests;
  readonly #rows: RowsDigest;
  readonly #rowsIntervalEntries: number;

  constructor(options: {
    readonly replicated: ReplicatedState;
    readonly digests: StateDigests;
    readonly rows: RowsDigest;
    readonly rowsIntervalEntries: number;
  }) {
    this.#replicated = options.replicated;
    this.#digests = options.digests;
    this.#rows = options.rows;
    this.#rowsIntervalEntries = options.rowsIntervalEntries;
  }

  applied(index: LogIndex): void {
    if (index % LIMITS.digestIntervalEntries === 0) this.#digests.taken("entries", this.#replicated.digest);
  }

  /** While rows are still being read, the next place is passed over. */
  nextBoundary(index: LogIndex): LogIndex {
    if (this.#rows.isBusy) return Number.POSITIVE_INFINITY;
    return (Math.floor(index / this.#rowsIntervalEntries) + 1) * this.#rowsIntervalEntries;
  }

  checkpointedAt(index: LogIndex): void {
    this.#rows.take(index);
  }
}
