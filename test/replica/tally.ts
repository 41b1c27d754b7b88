import { indexKey } from "../../src/machine/journal.js";
import type { Applied, CommandContext, Machine } from "../../src/machine/machine.js";
import type { StateStore } from "../../src/storage/state-store.js";

/** A machine as small as can be: every command adds a line, and its result is the line's number. */
export class TallyMachine implements Machine {
  readonly id = 7;
  readonly name = "tally";
  readonly localRanges = [];
  readonly #state: StateStore;
  #count = 0;
  /** A line that this machine cannot apply, as a broken one would. */
  brokenBy: string | undefined;
  /** Comes to other results than its fellows. */
  miscounts = false;

  constructor(state: StateStore) {
    this.#state = state;
    this.reload();
  }

  get lines(): string[] {
    return Array.from({ length: this.#count }, (_, place) =>
      new TextDecoder().decode(this.#state.get(`m7/line/${indexKey(place + 1)}`)),
    );
  }

  apply(payload: Uint8Array, _context: CommandContext): Applied {
    if (this.brokenBy !== undefined && new TextDecoder().decode(payload) === this.brokenBy) throw new Error("broken");
    this.#count++;
    this.#state.put(`m7/line/${indexKey(this.#count)}`, payload);
    const result = this.miscounts ? this.#count + 1000 : this.#count;
    return { result, record: new TextEncoder().encode(String(result)) };
  }

  /** Changes a row that nobody asked it to change. */
  spoil(line: number): void {
    this.#state.put(`m7/line/${indexKey(line)}`, new TextEncoder().encode("spoilt"));
  }

  flush(): void {
    this.#state.put("m7/count", new TextEncoder().encode(String(this.#count)));
  }

  reload(): void {
    this.#count = Number(new TextDecoder().decode(this.#state.get("m7/count") ?? new Uint8Array()) || "0");
  }

  outcomeOf(_payload: Uint8Array, record: Uint8Array): number {
    return Number(new TextDecoder().decode(record));
  }
}
