import { join } from "node:path";
import fc from "fast-check";
import t from "tap";
import type { Entry, HardState, LogWrite, Position } from "../../src/raft/types.js";
import { openLevelLogStore } from "../../src/storage/level-log-store.js";
import type { LogStore } from "../../src/storage/log-store.js";
import { MemoryDisk } from "../../src/storage/memory-disk.js";
import { openMemoryLogStore } from "../../src/storage/memory-log-store.js";
import { command, FOUNDING, plain, STORE_ID, temporaryDirectory, writeLog } from "./fixtures.js";

/** What may happen next; numbers are taken modulo what is possible at that point. */
type Step =
  | { readonly kind: "write"; readonly keep: number | undefined; readonly sizes: number[]; readonly termsUp: number }
  | { readonly kind: "vote"; readonly node: number; readonly termsUp: number }
  /** The log is cut below the tail: at one of its entries. */
  | { readonly kind: "cut"; readonly at: number; readonly sizes: number[] }
  /** A snapshot replaces it, some entries beyond its end, or keeps what lies behind the position. */
  | { readonly kind: "install"; readonly beyond: number; readonly keepsTail: boolean; readonly sizes: number[] }
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
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("cut" as const),
      at: fc.nat(),
      sizes: fc.array(fc.nat({ max: 300 }), { maxLength: 2 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("install" as const),
      beyond: fc.integer({ min: -3, max: 3 }),
      keepsTail: fc.boolean(),
      sizes: fc.array(fc.nat({ max: 300 }), { maxLength: 2 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("reopen" as const) }) },
);

/** The dumb log: an array of what lies behind the base. */
interface Model {
  base: Position;
  generation: number;
  entries: Entry[];
  hardState: HardState;
}

function newModel(): Model {
  return { base: { index: 0, term: 0 }, generation: 0, entries: [], hardState: { term: 0, votedFor: undefined } };
}

function nextHardState({ term, votedFor }: HardState, termsUp: number, node: number | undefined): HardState {
  return termsUp > 0 ? { term: term + termsUp, votedFor: node } : { term, votedFor: votedFor ?? node };
}

function appended(model: Model, sizes: readonly number[]): Entry[] {
  const last = model.base.index + model.entries.length;
  const fresh = sizes.map((size, i) => command(last + 1 + i, model.hardState.term, `${last}`.padEnd(size, "x")));
  model.entries = [...model.entries, ...fresh];
  return fresh;
}

function writeOf(model: Model, step: Extract<Step, { kind: "write" }>): LogWrite {
  const { base, entries, hardState } = model;
  model.hardState = nextHardState(hardState, step.termsUp, undefined);
  const kept = step.keep === undefined || entries.length === 0 ? entries.length : step.keep % entries.length;
  model.entries = entries.slice(0, kept);
  const fresh = appended(model, step.sizes);
  return {
    ...(step.termsUp > 0 ? { hardState: model.hardState } : {}),
    ...(kept < entries.length ? { truncateFrom: base.index + kept + 1 } : {}),
    entries: fresh,
  };
}

function cutOf(model: Model, step: Extract<Step, { kind: "cut" }>): LogWrite {
  const { base, entries } = model;
  const below = entries.length === 0 ? 0 : 1 + (step.at % entries.length);
  const { index, term } = entries[below - 1] ?? base;
  model.base = { index, term };
  model.entries = entries.slice(below);
  const fresh = appended(model, step.sizes);
  return { base: { position: { index, term }, configuration: FOUNDING, keepsTail: true }, entries: fresh };
}

function installOf(model: Model, step: Extract<Step, { kind: "install" }>): LogWrite {
  const last = model.base.index + model.entries.length;
  const index = Math.max(model.base.index, last + step.beyond);
  const held = model.entries[index - model.base.index - 1];
  // What is kept holds the position with that very term; what is replaced may be of another one.
  const term = (step.keepsTail ? held?.term : undefined) ?? model.hardState.term;
  const keepsTail = step.keepsTail && (held !== undefined || index > last);
  model.entries = keepsTail ? model.entries.slice(index - model.base.index) : [];
  model.base = { index, term };
  model.generation += 1;
  const fresh = appended(model, step.sizes);
  const stateGeneration = model.generation;
  return { base: { position: model.base, configuration: FOUNDING, keepsTail, stateGeneration }, entries: fresh };
}

function check(t: Tester, store: LogStore, { base, entries }: Model): void {
  if (entries.length > 0) t.same(plain(store.read(base.index + 1, base.index + entries.length)), plain(entries));
}

function checkRecovery(t: Tester, { recovery }: LogStore, model: Model): void {
  t.same(recovery.hardState, model.hardState);
  t.same(recovery.base, model.base);
  t.same(recovery.stateGeneration, model.generation);
  t.same(
    recovery.terms,
    model.entries.map(({ term }) => term),
  );
}

function changeOf(model: Model, step: Step): LogWrite | undefined {
  switch (step.kind) {
    case "write":
      return writeOf(model, step);
    case "cut":
      return cutOf(model, step);
    case "install":
      return installOf(model, step);
    case "vote":
      model.hardState = nextHardState(model.hardState, step.termsUp, step.node);
      return { hardState: model.hardState, entries: [] };
    case "reopen":
      return undefined;
  }
}

interface Tester {
  same(found: unknown, wanted: unknown): boolean;
}

async function play(t: Tester, steps: readonly Step[], open: () => Promise<LogStore>): Promise<void> {
  const model = newModel();
  let store = await open();
  for (const step of [...steps, { kind: "reopen" } as const]) {
    const change = changeOf(model, step);
    if (change !== undefined) {
      await writeLog(store, change);
    } else {
      await store.close();
      store = await open();
      checkRecovery(t, store, model);
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
      const model = newModel();
      let store = openMemoryLogStore({ disk, nodeId: 1, randomId, defer: (callback) => later.push(callback) });
      for (const step of steps) {
        const before = { ...model };
        const change = changeOf(model, step);
        if (change === undefined) continue;
        let reported = false;
        store.write(change, () => {
          reported = true;
        });
        disk.crash(durable ? "durable" : "lost");
        for (const callback of later.splice(0)) callback();
        strict.same(reported, false);
        if (!durable) Object.assign(model, before);
        store = openMemoryLogStore({ disk, nodeId: 1, randomId, defer: (callback) => later.push(callback) });
        checkRecovery(strict, store, model);
        check(strict, store, model);
      }
    }),
    { numRuns: 100 },
  );
});
