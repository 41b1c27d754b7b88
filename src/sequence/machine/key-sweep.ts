import { invariant } from "../../assert.js";
import type { StateRow, StateStore } from "../../storage/state-store.js";
import { keyedDrawRange } from "./keys.js";
import { decodeMemo } from "./rows.js";

export interface Swept {
  readonly examined: number;
  readonly deleted: number;
  /** The end was reached; the next run begins anew. */
  readonly wrapped: boolean;
}

/**
 * Walks round and round over the rows of idempotency keys. "Passed" is judged by the time of an
 * entry that was applied: whatever is applied later, or again after a restart from a checkpoint
 * that holds the deletion, has that time or a later one, and so takes the row for absent anyway. The same
 * holds when a snapshot replaced the rows: it is of a later entry, and only what stands there is judged.
 */
export class KeySweep {
  readonly #state: StateStore;
  /** The row examined last; "" before the first. */
  #cursor = "";
  #running = false;

  constructor(state: StateStore) {
    this.#state = state;
  }

  /** @param time of an applied entry, ms */
  run(rowsMax: number, time: number): Promise<Swept> {
    invariant(!this.#running, "one sweep at a time");
    this.#running = true;
    const range = { ...keyedDrawRange(this.#cursor), limit: rowsMax };
    return new Promise((resolve, reject) => {
      this.#state.scan(range, (failure, rows) => {
        this.#running = false;
        if (failure === undefined) resolve(this.#finish(rows, rowsMax, time));
        else reject(failure);
      });
    });
  }

  #finish(rows: readonly StateRow[], rowsMax: number, time: number): Swept {
    let deleted = 0;
    for (const { key } of rows) {
      // The row may have been replaced since it was read: only what stands there now counts.
      const bytes = this.#state.get(key);
      if (bytes === undefined) continue;
      const { expiresAt } = decodeMemo(bytes);
      if (expiresAt === undefined || expiresAt > time) continue;
      this.#state.delete(key);
      deleted++;
    }
    const wrapped = rows.length < rowsMax;
    this.#cursor = wrapped ? "" : (rows.at(-1)?.key ?? "");
    return { examined: rows.length, deleted, wrapped };
  }
}
