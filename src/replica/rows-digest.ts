import { createHash } from "node:crypto";
import type { Machine } from "../machine/machine.js";
import type { LogIndex } from "../raft/types.js";
import type { StorageFailure } from "../storage/log-store.js";
import type { StateRow, StateStore, StateView } from "../storage/state-store.js";
import type { StateDigest } from "../transport/transport.js";
import { LIMITS } from "./options.js";
import type { Pace } from "./pace.js";

/** The journal is a chain of hashes, and the digest of what was applied holds its head: no need to read all of it. */
const JOURNAL = { gte: "j/", lt: "j0" } as const;
/** Keys are printable ASCII. */
const [FIRST_KEY, BEHIND_LAST_KEY] = ['"', "\x7f"];
const HASH_BYTES = 16;

interface Range {
  readonly gte: string;
  readonly lt: string;
}

/** Hashes the rows of a checkpoint, slowly, beside everything else; one checkpoint at a time. */
export class RowsDigest {
  readonly #state: StateStore;
  readonly #pace: Pace;
  readonly #unreadable: (failure: StorageFailure) => void;
  /** Rows that may differ between nodes without any harm. */
  readonly #local: readonly Range[];
  readonly #taken: (digest: StateDigest) => void;
  #views: StateView[] = [];
  #isStopped = false;

  constructor(options: {
    readonly state: StateStore;
    readonly machines: readonly Machine[];
    readonly pace: Pace;
    /** This node's own state is damaged. */
    readonly unreadable: (failure: StorageFailure) => void;
    readonly taken: (digest: StateDigest) => void;
  }) {
    this.#state = options.state;
    this.#pace = options.pace;
    this.#unreadable = options.unreadable;
    this.#local = options.machines.flatMap((machine) => machine.localRanges);
    this.#taken = options.taken;
  }

  get isBusy(): boolean {
    return this.#views.length > 0;
  }

  /** The state store holds exactly the state at `index`, with no checkpoint in flight. */
  take(index: LogIndex): void {
    if (this.isBusy || this.#isStopped) return;
    // Both now: a later checkpoint does not show in either.
    this.#views = [
      this.#state.openView({ gte: FIRST_KEY, lt: JOURNAL.gte }),
      this.#state.openView({ gte: JOURNAL.lt, lt: BEHIND_LAST_KEY }),
    ];
    const hash = createHash("sha256");
    this.#read((rows) => {
      if (rows !== undefined) for (const row of rows) hash.update(this.#bytesOf(row));
      else this.#taken({ index, hash: new Uint8Array(hash.digest().subarray(0, HASH_BYTES)) });
    });
  }

  /** Hands out all rows, and undefined at the end. */
  #read(handOut: (rows: readonly StateRow[] | undefined) => void): void {
    const [view] = this.#views;
    if (view === undefined) {
      handOut(undefined);
      return;
    }
    view.next(LIMITS.snapshotChunkBytes, (failure, rows) => {
      if (this.#isStopped) return;
      if (failure !== undefined) {
        this.#close();
        this.#unreadable(failure);
        return;
      }
      if (rows.length === 0) {
        this.#views.shift()?.close();
        this.#read(handOut);
        return;
      }
      handOut(rows);
      let bytes = 0;
      for (const { key, value } of rows) bytes += key.length + value.length;
      this.#pace.spend(bytes, () => {
        if (!this.#isStopped) this.#read(handOut);
      });
    });
  }

  #bytesOf({ key, value }: StateRow): Uint8Array {
    if (this.#local.some(({ gte, lt }) => key >= gte && key < lt)) return new Uint8Array(0);
    const row = Buffer.allocUnsafe(6 + key.length + value.length);
    row.writeUInt16BE(key.length, 0);
    row.writeUInt32BE(value.length, 2);
    row.write(key, 6, "latin1");
    row.set(value, 6 + key.length);
    return row;
  }

  stop(): void {
    this.#isStopped = true;
    this.#close();
  }

  #close(): void {
    for (const view of this.#views.splice(0)) view.close();
  }
}
