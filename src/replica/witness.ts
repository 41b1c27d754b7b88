import type { ReplicatedState } from "../machine/replicated-state.js";
import type { LogIndex } from "../raft/types.js";
import type { AppliedEntry, StateWitness } from "./applier.js";
import { LIMITS } from "./options.js";
import type { RowsDigest } from "./rows-digest.js";
import type { StateDigests } from "./state-digests.js";

const DAY_MS = 86_400_000;

/** Effective times, so it is at the same entry on every node; days in UTC. Before a cluster's first entry there is none. */
function isNextDay(previousTime: number, time: number): boolean {
  return previousTime > 0 && Math.floor(time / DAY_MS) > Math.floor(previousTime / DAY_MS);
}

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

  /** While rows are still being read, the next place is passed over. */
  applied({ index, previousTime }: AppliedEntry): boolean {
    if (index % LIMITS.digestIntervalEntries === 0) this.#digests.taken("entries", this.#replicated.digest);
    const isPlace = index % this.#rowsIntervalEntries === 0 || isNextDay(previousTime, this.#replicated.time);
    return isPlace && !this.#rows.isBusy;
  }

  checkpointedAt(index: LogIndex): void {
    this.#rows.take(index);
  }
}
