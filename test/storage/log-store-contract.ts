import { InvariantViolation } from "../../src/assert.js";
import { ENTRY_OVERHEAD_BYTES } from "../../src/raft/log.js";
import type { LogStore } from "../../src/storage/log-store.js";
import { command, FOUNDING, foundLog, plain, STORE_ID, type Test, writeLog } from "./fixtures.js";
import { cutContract, type LogPlace } from "./log-cut-contract.js";

/** What every log store must do. */
export function logStoreContract(t: Test, makePlace: (t: Test) => Promise<LogPlace>): void {
  recovering(t, makePlace);
  truncating(t, makePlace);
  founding(t, makePlace);
  cutContract(t, makePlace);
  writing(t, makePlace);
  reading(t, makePlace);
}

function recovering(t: Test, makePlace: (t: Test) => Promise<LogPlace>): void {
  t.test("a new log is empty, has an id, and keeps it", async (t) => {
    const place = await makePlace(t);
    const store = await place.open();
    t.equal(store.storeId, STORE_ID);
    t.same(store.recovery, {
      hardState: { term: 0, votedFor: undefined },
      base: { index: 0, term: 0 },
      baseConfiguration: undefined,
      terms: [],
      sizes: [],
      configurations: [],
      stateGeneration: 0,
      empty: true,
    });
    await store.close();
    const again = await place.open();
    t.equal(again.storeId, STORE_ID);
    t.equal(again.recovery.empty, true, "opening writes nothing that could promise anything");
    await again.close();
  });

  t.test("what was written is there after a reopen: kinds, payload bytes, terms, sizes, configurations", async (t) => {
    const place = await makePlace(t);
    const store = await place.open();
    const payload = Uint8Array.from({ length: 300 }, (_, i) => i % 256);
    const entries = [
      { index: 1, term: 1, body: { kind: "noop" } },
      { index: 2, term: 1, body: { kind: "command", payload } },
      { index: 3, term: 2, body: { kind: "configuration", configuration: { ...FOUNDING, clusterId: "c" } } },
      { index: 4, term: 2, body: { kind: "command", payload: new Uint8Array(0) } },
    ] as const;
    await writeLog(store, { hardState: { term: 2, votedFor: 3 }, entries });
    t.same(plain(store.read(1, 4)), plain(entries));
    await store.close();
    const again = await place.open();
    const { hardState, terms, sizes, configurations, empty } = again.recovery;
    t.same(hardState, { term: 2, votedFor: 3 });
    t.same(terms, [1, 1, 2, 2]);
    t.same(
      sizes,
      [0, 300, 0, 0].map((bytes) => ENTRY_OVERHEAD_BYTES + bytes),
    );
    t.same(configurations, [{ index: 3, configuration: { ...FOUNDING, clusterId: "c" } }]);
    t.equal(empty, false);
    t.same(plain(again.read(1, 4)), plain(entries));
    await again.close();
  });

  t.test("hard state alone can be written, and a write without one leaves it as it is", async (t) => {
    const place = await makePlace(t);
    const store = await place.open();
    await writeLog(store, { hardState: { term: 7, votedFor: undefined }, entries: [] });
    await writeLog(store, { hardState: { term: 7, votedFor: 2 }, entries: [] });
    await writeLog(store, { entries: [command(1, 7)] });
    await store.close();
    const again = await place.open();
    t.same(again.recovery.hardState, { term: 7, votedFor: 2 });
    t.equal(again.recovery.empty, false);
    await again.close();
  });

  t.test("a payload that is changed after the call is stored as it was", async (t) => {
    const store = await (await makePlace(t)).open();
    const payload = Buffer.from("as it was");
    const writing = writeLog(store, {
      hardState: { term: 1, votedFor: 1 },
      entries: [{ index: 1, term: 1, body: { kind: "command", payload } }],
    });
    payload.fill(0);
    await writing;
    t.same(plain(store.read(1, 1)), plain([command(1, 1, "as it was")]));
    await store.close();
  });
}

function truncating(t: Test, makePlace: (t: Test) => Promise<LogPlace>): void {
  t.test("a divergent tail is replaced by entries of a later term, in one write with the hard state", async (t) => {
    const place = await makePlace(t);
    const store = await place.open();
    const old = [1, 2, 3, 4, 5].map((index) => command(index, 1));
    await writeLog(store, { hardState: { term: 1, votedFor: 1 }, entries: old });
    const fresh = [command(3, 2), command(4, 2)];
    await writeLog(store, { hardState: { term: 2, votedFor: undefined }, truncateFrom: 3, entries: fresh });
    const expected = plain([...old.slice(0, 2), ...fresh]);
    t.same(plain(store.read(1, 4)), expected);
    t.throws(() => store.read(5, 5), InvariantViolation, "the truncated tail is gone");
    await writeLog(store, { entries: [command(5, 2)] });
    await store.close();
    const again = await place.open();
    t.same(again.recovery.terms, [1, 1, 2, 2, 2]);
    t.same(plain(again.read(1, 4)), expected);
    await again.close();
  });

  t.test("a truncation without entries removes the tail, down to the very first entry", async (t) => {
    const place = await makePlace(t);
    const store = await place.open();
    await foundLog(store, FOUNDING);
    await writeLog(store, { hardState: { term: 1, votedFor: 1 }, entries: [command(1, 1), command(2, 1)] });
    await writeLog(store, { truncateFrom: 2, entries: [] });
    t.same(plain(store.read(1, 1)), plain([command(1, 1)]));
    await writeLog(store, { truncateFrom: 1, entries: [] });
    await store.close();
    const again = await place.open();
    t.same(again.recovery.terms, []);
    await writeLog(again, { entries: [command(1, 1, "anew")] });
    t.same(plain(again.read(1, 1)), plain([command(1, 1, "anew")]));
    await again.close();
  });

  t.test("a truncated configuration is not recovered", async (t) => {
    const place = await makePlace(t);
    const store = await place.open();
    const body = { kind: "configuration", configuration: FOUNDING } as const;
    await writeLog(store, {
      hardState: { term: 1, votedFor: 1 },
      entries: [command(1, 1), { index: 2, term: 1, body }],
    });
    await writeLog(store, { truncateFrom: 2, entries: [command(2, 1)] });
    await store.close();
    const again = await place.open();
    t.same(again.recovery.configurations, []);
    await again.close();
  });

  t.test("entries that are about to be replaced are not read any more", async (t) => {
    const store = await (await makePlace(t)).open();
    await writeLog(store, { hardState: { term: 1, votedFor: 1 }, entries: [command(1, 1), command(2, 1)] });
    const writing = writeLog(store, { truncateFrom: 2, entries: [command(2, 1, "new")] });
    t.same(plain(store.read(1, 1)), plain([command(1, 1)]));
    t.throws(() => store.read(2, 2), InvariantViolation);
    await writing;
    t.same(plain(store.read(2, 2)), plain([command(2, 1, "new")]));
    await store.close();
  });
}

function founding(t: Test, makePlace: (t: Test) => Promise<LogPlace>): void {
  t.test("the founding configuration is the base of the log for good", async (t) => {
    const place = await makePlace(t);
    const store = await place.open();
    await writeLog(store, { hardState: { term: 0, votedFor: undefined }, entries: [] });
    await foundLog(store, FOUNDING);
    await store.close();
    const founded = await place.open();
    t.same(founded.recovery.baseConfiguration, FOUNDING);
    t.same(founded.recovery.base, { index: 0, term: 0 });
    t.equal(founded.recovery.empty, false);
    await writeLog(founded, { hardState: { term: 1, votedFor: 1 }, entries: [command(1, 1)] });
    t.throws(() => founded.found(FOUNDING, () => t.fail("never called")), InvariantViolation);
    await founded.close();
    const again = await place.open();
    t.same(again.recovery.baseConfiguration, FOUNDING);
    t.same(again.recovery.terms, [1]);
    t.same(again.recovery.configurations, [], "it is the base, not an entry");
    await again.close();
  });
}

function writing(t: Test, makePlace: (t: Test) => Promise<LogPlace>): void {
  t.test("a completion comes exactly once and never within the call; only one write is in flight", async (t) => {
    const store = await (await makePlace(t)).open();
    let completions = 0;
    const first = new Promise<void>((resolve) => {
      store.write({ hardState: { term: 1, votedFor: 1 }, entries: [command(1, 1)] }, () => {
        completions += 1;
        resolve();
      });
    });
    t.equal(completions, 0);
    const second = { entries: [command(2, 1)] };
    t.throws(() => store.write(second, () => t.fail("never called")), InvariantViolation);
    t.throws(() => store.found(FOUNDING, () => t.fail("never called")), InvariantViolation);
    t.throws(() => store.read(1, 1), InvariantViolation, "what is not durable is not read");
    await first;
    await writeLog(store, second);
    t.equal(completions, 1);
    t.same(plain(store.read(1, 2)), plain([command(1, 1), command(2, 1)]));
    await store.close();
  });

  t.test("the next write may begin within the completion of the one before", async (t) => {
    const store = await (await makePlace(t)).open();
    await new Promise<void>((resolve) => {
      store.write({ hardState: { term: 1, votedFor: 1 }, entries: [command(1, 1)] }, () => {
        store.write({ entries: [command(2, 1)] }, () => resolve());
      });
    });
    t.same(plain(store.read(2, 2)), plain([command(2, 1)]));
    await store.close();
  });

  t.test("writes that no correct core makes are broken invariants, and change nothing", async (t) => {
    const place = await makePlace(t);
    const store = await place.open();
    const entries = [command(1, 2), command(2, 2)];
    await writeLog(store, { hardState: { term: 2, votedFor: 1 }, entries });
    const refused = (message: string, write: Parameters<LogStore["write"]>[0]) =>
      t.throws(() => store.write(write, () => t.fail("never called")), InvariantViolation, message);
    refused("a hole", { entries: [command(4, 2)] });
    refused("an entry again", { entries: [command(2, 2)] });
    refused("a hole within the write", { entries: [command(3, 2), command(5, 2)] });
    refused("an older term", { entries: [command(3, 1)] });
    refused("a term that is not stored", { entries: [command(3, 3)] });
    refused("a truncation beyond the end", { truncateFrom: 3, entries: [] });
    refused("a truncation of the base", { truncateFrom: 0, entries: [] });
    refused("the term going back", { hardState: { term: 1, votedFor: undefined }, entries: [] });
    refused("a vote changed within its term", { hardState: { term: 2, votedFor: 3 }, entries: [] });
    refused("a vote forgotten within its term", { hardState: { term: 2, votedFor: undefined }, entries: [] });
    const tooLarge = new Uint8Array(16 * 1024 * 1024 + 1);
    refused("an entry beyond the limit", {
      entries: [{ index: 3, term: 2, body: { kind: "command", payload: tooLarge } }],
    });
    await writeLog(store, { entries: [command(3, 2)] });
    await store.close();
    const again = await place.open();
    t.same(plain(again.read(1, 3)), plain([...entries, command(3, 2)]));
    await again.close();
  });

  t.test("closing waits for the write in flight", async (t) => {
    const place = await makePlace(t);
    const store = await place.open();
    let reported = false;
    store.write({ hardState: { term: 1, votedFor: 1 }, entries: [command(1, 1)] }, () => {
      reported = true;
    });
    await store.close();
    t.equal(reported, true);
    t.throws(() => store.write({ entries: [] }, () => t.fail("never called")), InvariantViolation);
    t.throws(() => store.read(1, 1), InvariantViolation);
    const again = await place.open();
    t.same(again.recovery.terms, [1]);
    await again.close();
  });
}

function reading(t: Test, makePlace: (t: Test) => Promise<LogPlace>): void {
  t.test("only ranges that the log holds can be read", async (t) => {
    const store = await (await makePlace(t)).open();
    t.throws(() => store.read(1, 1), InvariantViolation, "nothing there yet");
    await writeLog(store, { hardState: { term: 1, votedFor: 1 }, entries: [command(1, 1), command(2, 1)] });
    t.throws(() => store.read(0, 1), InvariantViolation);
    t.throws(() => store.read(1, 3), InvariantViolation);
    t.throws(() => store.read(2, 1), InvariantViolation);
    t.same(plain(store.read(2, 2)), plain([command(2, 1)]));
    await store.close();
  });

  t.test("another node's log is refused, and the right node still opens it", async (t) => {
    const place = await makePlace(t);
    await (await place.open(1)).close();
    await t.rejects(place.open(2), {
      name: "StorageFailure",
      code: "FOREIGN",
      message: /belongs to node 1, not to node 2/,
    });
    await (await place.open(1)).close();
  });

  t.test("two stores do not have one disk open at a time", async (t) => {
    const place = await makePlace(t);
    const store = await place.open();
    await t.rejects(place.open());
    await store.close();
  });
}
