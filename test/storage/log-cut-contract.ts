import { InvariantViolation } from "../../src/assert.js";
import type { Entry, LogCut } from "../../src/raft/types.js";
import type { LogStore } from "../../src/storage/log-store.js";
import { command, FOUNDING, foundLog, plain, type Test, writeLog } from "./fixtures.js";

/** One disk that log stores are opened on, one after the other. */
export interface LogPlace {
  open(nodeId?: number): Promise<LogStore>;
}

/** What every log store must do when its beginning moves: compaction, and a snapshot that was installed. */
export function cutContract(t: Test, makePlace: (t: Test) => Promise<LogPlace>): void {
  cutting(t, makePlace);
  installing(t, makePlace);
}

/** Entries 1 to `count` of term 1, the founding configuration before them. */
async function filled(place: LogPlace, count: number): Promise<LogStore> {
  const store = await place.open();
  await foundLog(store, FOUNDING);
  const entries = Array.from({ length: count }, (_, i) => command(i + 1, 1));
  await writeLog(store, { hardState: { term: 1, votedFor: 1 }, entries });
  return store;
}

const LATER = { ...FOUNDING, clusterId: "later" };

function cutting(t: Test, makePlace: (t: Test) => Promise<LogPlace>): void {
  t.test("a cut removes what lies at or below it, keeps the tail, and says what is in force there", async (t) => {
    const place = await makePlace(t);
    const store = await filled(place, 6);
    const base = { position: { index: 4, term: 1 }, configuration: LATER, keepsTail: true };
    await writeLog(store, { base, entries: [] });
    t.same(plain(store.read(5, 6)), plain([command(5, 1), command(6, 1)]));
    t.throws(() => store.read(4, 5), InvariantViolation, "nothing at or below the base is read");
    await writeLog(store, { entries: [command(7, 1)] });
    await store.close();
    const again = await place.open();
    t.same(again.recovery.base, { index: 4, term: 1 });
    t.same(again.recovery.baseConfiguration, LATER);
    t.same(again.recovery.terms, [1, 1, 1]);
    t.equal(again.recovery.sizes.length, 3);
    t.equal(again.recovery.stateGeneration, 0);
    await writeLog(again, { hardState: { term: 2, votedFor: 1 }, truncateFrom: 5, entries: [command(5, 2)] });
    t.same(plain(again.read(5, 5)), plain([command(5, 2)]), "truncated down to the base");
    t.throws(() => again.write({ truncateFrom: 4, entries: [] }, () => t.fail("never called")), InvariantViolation);
    await again.close();
    const third = await place.open();
    t.same(third.recovery.terms, [2]);
    await third.close();
  });

  t.test("a configuration below the cut is not recovered, one behind it is", async (t) => {
    const place = await makePlace(t);
    const store = await place.open();
    const body = { kind: "configuration", configuration: LATER } as const;
    await writeLog(store, {
      hardState: { term: 1, votedFor: 1 },
      entries: [{ index: 1, term: 1, body }, command(2, 1), { index: 3, term: 1, body }],
    });
    await writeLog(store, {
      base: { position: { index: 2, term: 1 }, configuration: LATER, keepsTail: true },
      entries: [],
    });
    await store.close();
    const again = await place.open();
    t.same(again.recovery.configurations, [{ index: 3, configuration: LATER }]);
    await again.close();
  });

  t.test("everything can be cut, and the log goes on from there", async (t) => {
    const place = await makePlace(t);
    const store = await filled(place, 3);
    await writeLog(store, {
      base: { position: { index: 3, term: 1 }, configuration: LATER, keepsTail: true },
      entries: [command(4, 1)],
    });
    t.same(plain(store.read(4, 4)), plain([command(4, 1)]), "in the same write");
    await writeLog(store, {
      base: { position: { index: 4, term: 1 }, configuration: FOUNDING, keepsTail: true },
      entries: [],
    });
    await store.close();
    const again = await place.open();
    t.same(again.recovery.terms, []);
    t.same(again.recovery.base, { index: 4, term: 1 });
    t.same(again.recovery.baseConfiguration, FOUNDING);
    await writeLog(again, { entries: [command(5, 1)] });
    await again.close();
    const third = await place.open();
    t.same(plain(third.read(5, 5)), plain([command(5, 1)]));
    await third.close();
  });

  t.test("entries that are about to be cut are not read any more, those behind are", async (t) => {
    const store = await filled(await makePlace(t), 4);
    const base = { position: { index: 2, term: 1 }, configuration: FOUNDING, keepsTail: true };
    const writing = writeLog(store, { base, truncateFrom: 4, entries: [command(4, 1, "new")] });
    t.throws(() => store.read(2, 2), InvariantViolation);
    t.same(plain(store.read(3, 3)), plain([command(3, 1)]));
    t.throws(() => store.read(4, 4), InvariantViolation);
    await writing;
    t.same(plain(store.read(3, 4)), plain([command(3, 1), command(4, 1, "new")]));
    await store.close();
  });

  t.test("cuts that no correct core makes are broken invariants, and change nothing", async (t) => {
    const place = await makePlace(t);
    const store = await filled(place, 5);
    await writeLog(store, {
      base: { position: { index: 3, term: 1 }, configuration: FOUNDING, keepsTail: true, stateGeneration: 2 },
      entries: [],
    });
    const refused = (message: string, base: LogCut, entries: readonly Entry[] = []) =>
      t.throws(() => store.write({ base, entries }, () => t.fail("never called")), InvariantViolation, message);
    const configuration = FOUNDING;
    refused("a base that goes back", { position: { index: 2, term: 1 }, configuration, keepsTail: true });
    refused("another term than the entry's", { position: { index: 4, term: 2 }, configuration, keepsTail: true });
    refused("a term that is not stored", { position: { index: 9, term: 7 }, configuration, keepsTail: false });
    const position = { index: 4, term: 1 };
    refused("an older generation", { position, configuration, keepsTail: true, stateGeneration: 1 });
    refused("the same generation", { position, configuration, keepsTail: true, stateGeneration: 2 });
    refused("entries at the base", { position, configuration, keepsTail: false }, [command(4, 1)]);
    refused("entries beyond a gap", { position, configuration, keepsTail: false }, [command(6, 1)]);
    await store.close();
    const again = await place.open();
    t.same(again.recovery.base, { index: 3, term: 1 });
    t.same(again.recovery.terms, [1, 1]);
    t.equal(again.recovery.stateGeneration, 2);
    await again.close();
  });
}

function installing(t: Test, makePlace: (t: Test) => Promise<LogPlace>): void {
  t.test("a snapshot replaces a longer divergent log: no stale entry, no stale configuration", async (t) => {
    const place = await makePlace(t);
    const store = await filled(place, 8);
    const body = { kind: "configuration", configuration: FOUNDING } as const;
    await writeLog(store, { entries: [{ index: 9, term: 1, body }] });
    const position = { index: 6, term: 2 };
    const base = { position, configuration: LATER, keepsTail: false, stateGeneration: 1 };
    await writeLog(store, { hardState: { term: 3, votedFor: undefined }, base, entries: [command(7, 3)] });
    t.same(plain(store.read(7, 7)), plain([command(7, 3)]));
    t.throws(() => store.read(8, 8), InvariantViolation);
    await store.close();
    const again = await place.open();
    const { recovery } = again;
    t.same(recovery.base, position);
    t.same(recovery.baseConfiguration, LATER);
    t.same(recovery.configurations, []);
    t.same(recovery.terms, [3]);
    t.equal(recovery.stateGeneration, 1);
    t.same(recovery.hardState, { term: 3, votedFor: undefined });
    await again.close();
  });

  t.test("a snapshot beyond the end of the log, or of an empty store, begins it anew", async (t) => {
    for (const count of [0, 3]) {
      for (const keepsTail of [false, true]) {
        const place = await makePlace(t);
        const store = count === 0 ? await place.open() : await filled(place, count);
        const base = { position: { index: 100, term: 5 }, configuration: LATER, keepsTail, stateGeneration: 1 };
        await writeLog(store, { hardState: { term: 5, votedFor: undefined }, base, entries: [] });
        await writeLog(store, { entries: [command(101, 5), command(102, 5)] });
        await store.close();
        const again = await place.open();
        t.same(again.recovery.base, { index: 100, term: 5 });
        t.same(plain(again.read(101, 102)), plain([command(101, 5), command(102, 5)]));
        t.equal(again.recovery.stateGeneration, 1);
        await again.close();
      }
    }
  });

  t.test("a snapshot that the log holds the position of keeps what follows, and switches the state", async (t) => {
    const place = await makePlace(t);
    const store = await filled(place, 5);
    const base = { position: { index: 3, term: 1 }, configuration: LATER, keepsTail: true, stateGeneration: 7 };
    await writeLog(store, { base, entries: [] });
    await writeLog(store, {
      base: { position: { index: 4, term: 1 }, configuration: LATER, keepsTail: true },
      entries: [],
    });
    await store.close();
    const again = await place.open();
    t.same(plain(again.read(5, 5)), plain([command(5, 1)]));
    t.equal(again.recovery.stateGeneration, 7, "later cuts leave it as it is");
    await again.close();
  });
}
