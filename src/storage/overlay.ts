import type { DiskRange } from "./disk.js";
import { unsealedRow, valueIn } from "./sealed-row.js";

/** A value with room for its seal; "deleted" hides what the layers below hold. */
export type Change = Buffer | "deleted";

/** Changes by key, the newest of each only: a busy key costs one row per checkpoint. */
export class Overlay {
  readonly #changes = new Map<string, Change>();
  #bytes = 0;

  /** Of keys and values. */
  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#changes.size === 0;
  }

  /** undefined: this layer does not know the key. */
  get(key: string): Change | undefined {
    return this.#changes.get(key);
  }

  put(key: string, value: Uint8Array): void {
    this.#set(key, unsealedRow(value));
  }

  delete(key: string): void {
    this.#set(key, "deleted");
  }

  [Symbol.iterator](): IterableIterator<[string, Change]> {
    return this.#changes.entries();
  }

  /** Adds what lies in the range to `into`, over what is there. */
  collect({ gte, lt }: Pick<DiskRange, "gte" | "lt">, into: Map<string, Change>): void {
    for (const [key, change] of this.#changes) {
      if (key >= gte && key < lt) into.set(key, change);
    }
  }

  #set(key: string, change: Change): void {
    const before = this.#changes.get(key);
    if (before !== undefined) this.#bytes -= weight(key, before);
    this.#bytes += weight(key, change);
    this.#changes.set(key, change);
  }
}

function weight(key: string, change: Change): number {
  return key.length + (change === "deleted" ? 0 : valueIn(change).length);
}
