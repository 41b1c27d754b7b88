/**
 * Decoded rows in memory, changed in place: what was put is encoded only by `flush`, so a busy row
 * costs one record per flush. Bounded to about `capacity` rows, save for those not flushed yet,
 * which are never dropped. Two generations make a cheap approximation of least-recently-used: a
 * row that was not asked for during a whole generation is forgotten.
 */
export class Table<Row extends object> {
  readonly #load: (key: string) => Row | undefined;
  readonly #store: (key: string, row: Row) => void;
  readonly #generationSize: number;
  #young = new Map<string, Row>();
  #old = new Map<string, Row>();
  readonly #dirty = new Map<string, Row>();

  constructor(options: {
    readonly capacity: number;
    readonly load: (key: string) => Row | undefined;
    readonly store: (key: string, row: Row) => void;
  }) {
    this.#generationSize = Math.max(1, Math.floor(options.capacity / 2));
    this.#load = options.load;
    this.#store = options.store;
  }

  get(key: string): Row | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const row = this.#dirty.get(key) ?? this.#old.get(key) ?? this.#load(key);
    if (row !== undefined) this.#keep(key, row);
    return row;
  }

  /** The row was changed, or is new. */
  put(key: string, row: Row): void {
    this.#dirty.set(key, row);
    if (this.#young.get(key) !== row) this.#keep(key, row);
  }

  flush(): void {
    for (const [key, row] of this.#dirty) this.#store(key, row);
    this.#dirty.clear();
  }

  /** Everything is forgotten, changed or not: what `load` finds from now on counts. */
  clear(): void {
    this.#young.clear();
    this.#old.clear();
    this.#dirty.clear();
  }

  #keep(key: string, row: Row): void {
    if (this.#young.size >= this.#generationSize) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, row);
  }
}
