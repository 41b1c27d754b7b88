import { InvariantViolation } from "../../src/assert.js";
import type { StateStore } from "../../src/storage/state-store.js";
import { checkpoint, OTHER_STORE_ID, page, put, STORE_ID, type Test, textOf } from "./fixtures.js";

/** One disk that state stores are opened on, one after the other. */
export interface StatePlace {
  open(identity?: { nodeId: number; storeId: string }): Promise<StateStore>;
}

/** What every state store must do. */
export function stateStoreContract(t: Test, makePlace: (t: Test) => Promise<StatePlace>): void {
  changing(t, makePlace);
  checkpointing(t, makePlace);
  scanning(t, makePlace);
  opening(t, makePlace);
}

function changing(t: Test, makePlace: (t: Test) => Promise<StatePlace>): void {
  t.test("a change is read at once, and the newest one counts", async (t) => {
    const store = await (await makePlace(t)).open();
    t.equal(store.get("a"), undefined);
    put(store, "a", "1");
    t.equal(textOf(store.get("a")), "1");
    put(store, "a", "2");
    t.equal(textOf(store.get("a")), "2");
    store.delete("a");
    t.equal(store.get("a"), undefined);
    put(store, "a", "");
    t.equal(textOf(store.get("a")), "", "an empty value is a value");
    await store.close();
  });

  t.test("a value that its owner changes after putting it is kept as it was", async (t) => {
    const store = await (await makePlace(t)).open();
    const value = Buffer.from("as it was");
    store.put("a", value);
    value.fill(0);
    t.equal(textOf(store.get("a")), "as it was");
    await checkpoint(store);
    t.equal(textOf(store.get("a")), "as it was");
    await store.close();
  });

  t.test("the overlay's bytes are those of keys and newest values that no checkpoint has taken", async (t) => {
    const store = await (await makePlace(t)).open();
    t.equal(store.overlayBytes, 0);
    put(store, "key", "12345");
    t.equal(store.overlayBytes, 8);
    put(store, "key", "1");
    t.equal(store.overlayBytes, 4);
    store.delete("key");
    t.equal(store.overlayBytes, 3);
    put(store, "b", "1");
    const writing = checkpoint(store);
    t.equal(store.overlayBytes, 0);
    put(store, "b", "22");
    await writing;
    t.equal(store.overlayBytes, 3);
    await store.close();
  });

  t.test("keys are printable ASCII and do not begin with the store's own marks", async (t) => {
    const store = await (await makePlace(t)).open();
    for (const key of ["", "ü", "a\n", "a\u0000", " a", "!identity", "a\u{1F600}"]) {
      t.throws(() => put(store, key, "x"), InvariantViolation, JSON.stringify(key));
      t.throws(() => store.delete(key), InvariantViolation, JSON.stringify(key));
    }
    put(store, "a b/~{}!", "x");
    t.equal(textOf(store.get("a b/~{}!")), "x");
    await store.close();
  });
}

function checkpointing(t: Test, makePlace: (t: Test) => Promise<StatePlace>): void {
  t.test("a reopen sees exactly the last checkpoint and nothing later", async (t) => {
    const place = await makePlace(t);
    const store = await place.open();
    put(store, "a", "1");
    put(store, "b", "1");
    put(store, "c", "1");
    await checkpoint(store);
    store.delete("a");
    put(store, "b", "2");
    await checkpoint(store);
    put(store, "b", "3");
    put(store, "d", "3");
    store.delete("c");
    t.same(await page(store), ["b=3", "d=3"]);
    await store.close();
    const again = await place.open();
    t.same(await page(again), ["b=2", "c=1"]);
    t.equal(again.get("a"), undefined);
    t.equal(textOf(again.get("b")), "2");
    t.equal(again.get("d"), undefined);
    await again.close();
  });

  t.test("a deletion hides what is on disk, before and after its checkpoint", async (t) => {
    const store = await (await makePlace(t)).open();
    put(store, "a", "1");
    await checkpoint(store);
    store.delete("a");
    t.equal(store.get("a"), undefined);
    t.same(await page(store), []);
    const writing = checkpoint(store);
    t.equal(store.get("a"), undefined, "while the deletion is being written");
    await writing;
    t.equal(store.get("a"), undefined);
    await store.close();
  });

  t.test("changes during a checkpoint are neither part of it nor lost", async (t) => {
    const place = await makePlace(t);
    const store = await place.open();
    put(store, "a", "1");
    put(store, "b", "1");
    put(store, "c", "1");
    const writing = checkpoint(store);
    t.equal(store.checkpointing, true);
    t.equal(textOf(store.get("a")), "1", "the frozen value is read");
    put(store, "a", "2");
    store.delete("b");
    put(store, "d", "2");
    t.equal(textOf(store.get("a")), "2");
    t.equal(store.get("b"), undefined);
    await writing;
    t.equal(store.checkpointing, false);
    t.same(await page(store), ["a=2", "c=1", "d=2"]);
    await store.close();
    const again = await place.open();
    t.same(await page(again), ["a=1", "b=1", "c=1"]);
    await again.close();
  });

  t.test("only one checkpoint is in flight, and its completion never comes within the call", async (t) => {
    const store = await (await makePlace(t)).open();
    put(store, "a", "1");
    let completions = 0;
    const writing = new Promise<void>((resolve) => {
      store.checkpoint(() => {
        completions += 1;
        resolve();
      });
    });
    t.equal(completions, 0);
    t.throws(() => store.checkpoint(() => t.fail("never called")), InvariantViolation);
    await writing;
    await checkpoint(store);
    t.equal(completions, 1);
    await store.close();
  });

  t.test("a checkpoint of nothing completes as well, not within the call", async (t) => {
    const store = await (await makePlace(t)).open();
    let completed = false;
    const writing = new Promise<void>((resolve) => {
      store.checkpoint((failure) => {
        completed = failure === undefined;
        resolve();
      });
    });
    t.equal(completed, false);
    t.equal(store.checkpointing, true);
    await writing;
    t.equal(completed, true);
    t.equal(store.checkpointing, false);
    await store.close();
  });

  t.test("a large checkpoint, taken in slices, is still the state at its beginning", async (t) => {
    const place = await makePlace(t);
    const store = await place.open();
    const keys = Array.from({ length: 2000 }, (_, i) => `k/${String(i).padStart(4, "0")}`);
    for (const key of keys) put(store, key, "old");
    const writing = checkpoint(store);
    for (const key of keys) put(store, key, "new");
    await new Promise((resolve) => setImmediate(resolve));
    for (const key of keys) store.delete(key);
    await writing;
    t.equal((await page(store)).length, 0);
    await store.close();
    const again = await place.open();
    t.same(
      await page(again, { limit: 5000 }),
      keys.map((key) => `${key}=old`),
    );
    await again.close();
  });

  t.test("closing waits for the checkpoint in flight", async (t) => {
    const place = await makePlace(t);
    const store = await place.open();
    put(store, "a", "1");
    let reported = false;
    store.checkpoint(() => {
      reported = true;
    });
    await store.close();
    t.equal(reported, true);
    t.throws(() => store.get("a"), InvariantViolation);
    t.throws(() => put(store, "a", "2"), InvariantViolation);
    const again = await place.open();
    t.same(await page(again), ["a=1"]);
    await again.close();
  });
}

function scanning(t: Test, makePlace: (t: Test) => Promise<StatePlace>): void {
  t.test("a page merges disk, frozen and active changes; bounds, limit and direction hold", async (t) => {
    const store = await (await makePlace(t)).open();
    for (const key of ["a", "b", "c", "d", "e", "f"]) put(store, key, "disk");
    await checkpoint(store);
    put(store, "b", "frozen");
    store.delete("c");
    put(store, "cc", "frozen");
    put(store, "g", "frozen");
    const writing = checkpoint(store);
    store.delete("a");
    put(store, "d", "active");
    put(store, "cc", "active");
    store.delete("g");
    put(store, "h", "active");
    const all = ["b=frozen", "cc=active", "d=active", "e=disk", "f=disk", "h=active"];
    t.same(await page(store), all);
    t.same(await page(store, { reverse: true }), [...all].reverse());
    for (let limit = 1; limit <= all.length + 1; limit++) {
      t.same(await page(store, { limit }), all.slice(0, limit), `the first ${limit}`);
      t.same(await page(store, { limit, reverse: true }), [...all].reverse().slice(0, limit), `the last ${limit}`);
    }
    t.same(await page(store, { gte: "b", lt: "f" }), all.slice(0, 4), "gte belongs to the range, lt does not");
    t.same(await page(store, { gte: "b", lt: "f", reverse: true }), all.slice(0, 4).reverse());
    t.same(await page(store, { gte: "x", lt: "a" }), []);
    await writing;
    t.same(await page(store), all, "the same after the checkpoint");
    await store.close();
  });

  t.test("a page is as of the moment of the call", async (t) => {
    const store = await (await makePlace(t)).open();
    put(store, "a", "old");
    put(store, "b", "old");
    await checkpoint(store);
    put(store, "c", "old");
    const reading = page(store);
    put(store, "a", "new");
    store.delete("b");
    put(store, "c", "new");
    await checkpoint(store);
    t.same(await reading, ["a=old", "b=old", "c=old"]);
    await store.close();
  });

  t.test("a page never comes within the call, and has a positive limit", async (t) => {
    const store = await (await makePlace(t)).open();
    let delivered = false;
    const reading = new Promise<void>((resolve) => {
      store.scan({ gte: "", lt: "~", limit: 1 }, () => {
        delivered = true;
        resolve();
      });
    });
    t.equal(delivered, false);
    await reading;
    const none = { gte: "", lt: "~", limit: 0 };
    t.throws(() => store.scan(none, () => t.fail("never called")), InvariantViolation);
    await store.close();
  });

  t.test("the store's own records are never in a page", async (t) => {
    const store = await (await makePlace(t)).open();
    put(store, "a", "1");
    await checkpoint(store);
    t.same(await page(store, { gte: "", lt: "\x7f" }), ["a=1"]);
    t.same(await page(store, { gte: "!", lt: '"' }), []);
    await store.close();
  });
}

function opening(t: Test, makePlace: (t: Test) => Promise<StatePlace>): void {
  t.test("the state of another node, or beside another log, is refused", async (t) => {
    const place = await makePlace(t);
    await (await place.open({ nodeId: 1, storeId: STORE_ID })).close();
    await t.rejects(place.open({ nodeId: 2, storeId: STORE_ID }), {
      code: "FOREIGN",
      message: /node 1, not to node 2/,
    });
    await t.rejects(place.open({ nodeId: 1, storeId: OTHER_STORE_ID }), {
      code: "FOREIGN",
      message: new RegExp(`${STORE_ID}, not to ${OTHER_STORE_ID}`),
    });
    await (await place.open({ nodeId: 1, storeId: STORE_ID })).close();
  });
}
