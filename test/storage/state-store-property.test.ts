import fc from "fast-check";
import t from "tap";
import { MemoryDisk } from "../../src/storage/memory-disk.js";
import { openMemoryStateStore } from "../../src/storage/memory-state-store.js";
import { page, put, STORE_ID, textOf } from "./fixtures.js";

type Step =
  | { readonly kind: "put"; readonly key: string; readonly value: number }
  | { readonly kind: "delete"; readonly key: string }
  | { readonly kind: "checkpoint" | "complete" | "crash" }
  | {
      readonly kind: "scan";
      readonly gte: string;
      readonly lt: string;
      readonly limit: number;
      readonly reverse: boolean;
    };

const key = fc.constantFrom("a", "b", "ba", "c", "ca", "d", "e", "f");

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("put" as const), key, value: fc.nat({ max: 99 }) }),
  fc.record({ kind: fc.constant("delete" as const), key }),
  fc.record({ kind: fc.constantFrom("checkpoint" as const, "complete" as const, "crash" as const) }),
  fc.record({
    kind: fc.constant("scan" as const),
    gte: key,
    lt: key,
    limit: fc.integer({ min: 1, max: 6 }),
    reverse: fc.boolean(),
  }),
);

function expect(found: unknown, wanted: unknown): void {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`found ${a}, wanted ${b}`);
}

/** The same steps on the store and on plain maps. */
class Play {
  readonly #disk = new MemoryDisk();
  readonly #later: (() => void)[] = [];
  #store = this.#open();
  #now = new Map<string, string>();
  #checkpointed = new Map<string, string>();
  #inFlight: Map<string, string> | undefined;

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case "put":
        put(this.#store, step.key, `${step.value}`);
        this.#now.set(step.key, `${step.value}`);
        break;
      case "delete":
        this.#store.delete(step.key);
        this.#now.delete(step.key);
        break;
      case "checkpoint":
        this.#checkpoint();
        break;
      case "complete":
        this.#complete();
        break;
      case "crash":
        this.#crash();
        break;
      case "scan":
        await this.#scan(step);
        break;
    }
    for (const key of ["a", "b", "ba", "c", "ca", "d", "e", "f"]) {
      expect(textOf(this.#store.get(key)), this.#now.get(key));
    }
  }

  #open() {
    const defer = (callback: () => void) => this.#later.push(callback);
    return openMemoryStateStore({ disk: this.#disk, nodeId: 1, storeId: STORE_ID, defer });
  }

  #checkpoint(): void {
    if (this.#store.checkpointing) return;
    const taken = new Map(this.#now);
    this.#inFlight = taken;
    this.#store.checkpoint((failure) => {
      expect(failure, undefined);
      this.#checkpointed = taken;
      this.#inFlight = undefined;
    });
  }

  #complete(): void {
    for (const callback of this.#later.splice(0)) callback();
  }

  #crash(): void {
    const durable = this.#now.size % 2 === 0;
    this.#disk.crash(durable ? "durable" : "lost");
    this.#complete();
    if (durable && this.#inFlight !== undefined) this.#checkpointed = this.#inFlight;
    this.#inFlight = undefined;
    this.#now = new Map(this.#checkpointed);
    this.#store = this.#open();
  }

  async #scan({ gte, lt, limit, reverse }: Extract<Step, { kind: "scan" }>): Promise<void> {
    const rows = [...this.#now].filter(([key]) => key >= gte && key < lt).sort(([a], [b]) => (a < b ? -1 : 1));
    if (reverse) rows.reverse();
    const wanted = rows.slice(0, limit).map(([key, value]) => `${key}=${value}`);
    const reading = page(this.#store, { gte, lt, limit, reverse });
    this.#complete();
    expect(await reading, wanted);
  }
}

t.test("any sequence of changes, checkpoints, crashes and pages leaves what plain maps would hold", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const play = new Play();
      for (const step of steps) await play.take(step);
    }),
    { numRuns: 500 },
  );
});
