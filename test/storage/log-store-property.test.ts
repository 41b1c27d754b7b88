import { join } from "node:path";
import fc from "fast-check";
import t from "tap";
import type { Entry, HardState, LogWrite } from "../../src/raft/types.js";
import { openLevelLogStore } from "../../src/storage/level-log-store.js";
import type { LogStore } from "../../src/storage/log-store.js";
import { MemoryDisk } from "../../src/storage/memory-disk.js";
import { openMemoryLogStore } from "../../src/storage/memory-log-store.js";
import { command, plain, STORE_ID, temporaryDirectory, writeLog } from "./fixtures.js";

/** What may happen next; numbers are taken modulo what is possible at that point. */
type Step =
  | { readonly kind: "write"; readonly keep: number | undefined; readonly sizes: number[]; readonly termsUp: number }
  | { readonly kind: "vote"; readonly node: number; readonly termsUp: number }
  | { readonly kind: "reopen" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("write" as const),
      keep: fc.option(fc.nat(), { nil: undefined }),
      sizes: fc.array(fc.nat({ max: 300 }), { maxLength: 4 }),
      termsUp: fc.nat({ max: 2 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("vote" as const),
      node: fc.integer({ min: 1, max: 5 }),
      termsUp: fc.nat({ max: 2 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("reopen" as const) }) },
);

/** The dumb log: an array. */
interface Model {
  entries: Entry[];
  hardState: HardState;
}

function nextHardState({ term, votedFor }: HardState, termsUp: number, node: number | undefined): HardState {
  return termsUp > 0 ? { term: term + termsUp, votedFor: node } : { term, votedFor: votedFor ?? node };
}

function writeOf(model: Model, step: Extract<Step, { kind: "write" }>): LogWrite {
  const { entries, hardState } = model;
  const after = nextHardState(hardState, step.termsUp, undefined);
  const kept = step.keep === undefined || entries.length === 0 ? entries.length : step.keep % entries.length;
  const fresh = step.sizes.map((size, i) => command(kept + 1 + i, after.term, `${kept}`.padEnd(size, "x")));
  model.entries = [...entries.slice(0, kept), ...fresh];
  model.hardState = after;
  return {
    ...(step.termsUp > 0 ? { hardState: after } : {}),
    ...(kept < entries.length ? { truncateFrom: kept + 1 } : {}),
    entries: fresh,
  };
}

function check(t: Tester, store: LogStore, { entries }: Model): void {
  if (entries.length > 0) t.same(plain(store.read(1, entries.length)), plain(entries));
}

interface Tester {
  same(found: unknown, wanted: unknown): boolean;
}

async function play(t: Tester, steps: readonly Step[], open: () => Promise<LogStore>): Promise<void> {
  const model: Model = { entries: [], hardState: { term: 0, votedFor: undefined } };
  let store = await open();
  for (const step of [...steps, { kind: "reopen" } as const]) {
    if (step.kind === "write") {
      await writeLog(store, writeOf(model, step));
    } else if (step.kind === "vote") {
      model.hardState = nextHardState(model.hardState, step.termsUp, step.node);
      await writeLog(store, { hardState: model.hardState, entries: [] });
    } else {
      await store.close();
      store = await open();
      t.same(store.recovery.hardState, model.hardState);
      t.same(
        store.recovery.terms,
        model.entries.map(({ term }) => term),
      );
    }
    check(t, store, model);
  }
  await store.close();
}

/** Fails on the first difference, so that fast-check shrinks it; tap counts only the property. */
const strict: Tester = {
  same(found, wanted) {
    const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
    if (a !== b) throw new Error(`found ${a}, wanted ${b}`);
    return true;
  },
};

const randomId = () => STORE_ID;

t.test("any sequence of writes and reopens leaves what an array would hold, in memory", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const disk = new MemoryDisk();
      await play(strict, steps, async () => openMemoryLogStore({ disk, nodeId: 1, randomId, defer: queueMicrotask }));
    }),
    { numRuns: 300 },
  );
});

t.test("any sequence of writes and reopens leaves what an array would hold, on LevelDB", async (t) => {
  const parent = await temporaryDirectory(t);
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      const directory = join(parent, `run-${run++}`);
      await play(strict, steps, () => openLevelLogStore({ directory, nodeId: 1, randomId }));
    }),
    { numRuns: 15 },
  );
});

t.test("after a crash the write in flight is there as a whole or not at all", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), fc.boolean(), async (steps, durable) => {
      const disk = new MemoryDisk();
      const later: (() => void)[] = [];
      const model: Model = { entries: [], hardState: { term: 0, votedFor: undefined } };
      let store = openMemoryLogStore({ disk, nodeId: 1, randomId, defer: (callback) => later.push(callback) });
      for (const step of steps) {
        if (step.kind !== "write") continue;
        const before = { ...model };
        let reported = false;
        store.write(writeOf(model, step), () => {
          reported = true;
        });
        disk.crash(durable ? "durable" : "lost");
        for (const callback of later.splice(0)) callback();
        strict.same(reported, false);
        if (!durable) Object.assign(model, before);
        store = openMemoryLogStore({ disk, nodeId: 1, randomId, defer: (callback) => later.push(callback) });
        strict.same(store.recovery.hardState, model.hardState);
        check(strict, store, model);
      }
    }),
    { numRuns: 100 },
  );
});
