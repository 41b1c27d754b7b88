import { InvariantViolation } from "../../src/assert.js";
import type { StateBuilder, StateRow, StateStore, StateView } from "../../src/storage/state-store.js";
import { checkpoint, failureOf, page, put, settled, type Test, textOf } from "./fixtures.js";

/** The generations of one state, on which stores are opened one after the other. */
export interface GenerationPlace {
  open(generation: number): Promise<StateStore>;
  /** Those that are there now, ascending. */
  generations(): Promise<readonly number[]>;
}

/** What every state store must do to be copied while it goes on, and to be replaced by a copy. */
export function stateBuildContract(t: Test, makePlace: (t: Test) => Promise<GenerationPlace>): void {
  viewing(t, makePlace);
  building(t, makePlace);
  adopting(t, makePlace);
}

export function build(store: StateStore, generation: number): Promise<StateBuilder> {
  return new Promise((resolve, reject) => {
    store.build(generation, (failure, builder) => (builder === undefined ? reject(failure) : resolve(builder)));
  });
}

export function add(builder: StateBuilder, ...texts: readonly string[]): Promise<void> {
  const rows = texts.map((text) => ({ key: text.split("=")[0] ?? "", value: Buffer.from(text.split("=")[1] ?? "") }));
  return settled((done) => builder.add(rows, done));
}

export function finish(builder: StateBuilder): Promise<void> {
  return settled((done) => builder.finish(done));
}

function abandon(builder: StateBuilder): Promise<void> {
  return new Promise((resolve) => builder.abandon(resolve));
}

export function nextRows(view: StateView, bytesMax = 1024): Promise<readonly StateRow[]> {
  return new Promise((resolve, reject) => {
    view.next(bytesMax, (failure, rows) => (failure === undefined ? resolve(rows) : reject(failure)));
  });
}

async function allRows(view: StateView, bytesMax: number): Promise<string[]> {
  const texts: string[] = [];
  for (let rows = await nextRows(view, bytesMax); rows.length > 0; rows = await nextRows(view, bytesMax)) {
    for (const { key, value } of rows) texts.push(`${key}=${textOf(value)}`);
  }
  return texts;
}

function numbered(count: number, value: string): string[] {
  return Array.from({ length: count }, (_, i) => `row/${String(i).padStart(5, "0")}=${value}`);
}

function viewing(t: Test, makePlace: (t: Test) => Promise<GenerationPlace>): void {
  t.test(
    "a view is the last checkpoint, whole and in order, whatever is changed and checkpointed meanwhile",
    async (t) => {
      const store = await (await makePlace(t)).open(0);
      const rows = numbered(500, "old");
      for (const row of rows) put(store, row.split("=")[0] ?? "", "old");
      await checkpoint(store);
      put(store, "a", "in the overlay only");
      const view = store.openView();
      const [first] = await nextRows(view, 1);
      t.equal(first?.key, "row/00000", "one row, however little is asked for; the overlay is not in it");
      for (const row of rows) put(store, row.split("=")[0] ?? "", "new");
      for (const row of rows.slice(100)) store.delete(row.split("=")[0] ?? "");
      await checkpoint(store);
      t.same(await allRows(view, 700), rows.slice(1));
      t.same(await nextRows(view), [], "the end stays the end");
      view.close();
      view.close();
      const later = store.openView();
      t.same(await allRows(later, 1_000_000), ["a=in the overlay only", ...numbered(100, "new")]);
      later.close();
      await store.close();
    },
  );

  t.test("pages are bounded, and the store's own rows are not in them", async (t) => {
    const store = await (await makePlace(t)).open(0);
    for (let row = 0; row < 50; row++) put(store, `row/${row + 10}`, "x".repeat(100));
    await checkpoint(store);
    const view = store.openView();
    let pages = 0;
    for (let rows = await nextRows(view, 500); rows.length > 0; rows = await nextRows(view, 500)) {
      t.ok(rows.length <= 4 && rows.every(({ key }) => key.startsWith("row/")));
      pages += 1;
    }
    t.ok(pages >= 13);
    view.close();
    await store.close();
  });

  t.test(
    "a view is read one call at a time, never synchronously, not during a checkpoint, not after its end",
    async (t) => {
      const store = await (await makePlace(t)).open(0);
      put(store, "a", "1");
      const writing = checkpoint(store);
      t.throws(() => store.openView(), InvariantViolation, "a checkpoint is in flight");
      await writing;
      const view = store.openView();
      let delivered = false;
      const reading = nextRows(view).then((rows) => {
        delivered = true;
        return rows;
      });
      t.equal(delivered, false);
      t.throws(() => view.next(10, () => t.fail("never called")), InvariantViolation);
      t.equal((await reading).length, 1);
      view.close();
      t.throws(() => view.next(10, () => t.fail("never called")), InvariantViolation);
      const other = store.openView();
      const last = nextRows(other);
      other.close();
      t.equal((await last).length, 1, "closed while it is read: the answer comes all the same");
      const abandoned = store.openView();
      await store.close();
      const failure = await failureOf(nextRows(abandoned));
      t.match(failure.message, /closed while it was read/);
      abandoned.close();
    },
  );
}

function building(t: Test, makePlace: (t: Test) => Promise<GenerationPlace>): void {
  t.test("a state that is built aside shows nowhere before it is adopted", async (t) => {
    const place = await makePlace(t);
    const store = await place.open(0);
    put(store, "a", "old");
    await checkpoint(store);
    const builder = await build(store, 1);
    t.equal(builder.generation, 1);
    await add(builder, "a=new", "b=new");
    await finish(builder);
    t.same(await page(store), ["a=old"]);
    t.equal(store.generation, 0);
    t.same(await place.generations(), [0, 1]);
    put(store, "c", "goes on");
    await checkpoint(store);
    await store.close();
    const again = await place.open(0);
    t.same(await page(again), ["a=old", "c=goes on"]);
    t.same(await place.generations(), [0], "what the log does not go by is removed");
    await again.close();
  });

  t.test("an abandoned build is gone, and the next one begins empty, also over the leftovers of a crash", async (t) => {
    const place = await makePlace(t);
    const store = await place.open(0);
    const first = await build(store, 1);
    await add(first, "stale=1");
    const second = settled((done) => first.add([{ key: "stale2", value: Buffer.alloc(3_000_000) }], done));
    await abandon(first);
    await second;
    t.same(await place.generations(), [0]);
    const builder = await build(store, 1);
    await add(builder, "a=1");
    await finish(builder);
    await abandon(builder);
    const third = await build(store, 1);
    await add(third, "b=1");
    await finish(third);
    store.adopt(third);
    t.same(await page(store), ["b=1"]);
    await store.close();
  });

  t.test("a state that was not finished, or is another generation, or is not there, is never opened", async (t) => {
    const place = await makePlace(t);
    const store = await place.open(0);
    put(store, "a", "old");
    await checkpoint(store);
    const builder = await build(store, 2);
    await add(builder, "a=1");
    await store.close();
    const unfinished = await failureOf(place.open(2));
    t.equal(unfinished.code, "DAMAGED");
    t.match(unfinished.message, /generation 2, which the log goes by, was never finished/);
    const missing = await failureOf(place.open(3));
    t.equal(missing.code, "DAMAGED");
    t.match(missing.message, /generation 3, which the log goes by, is missing/);
    t.same(await place.generations(), [0, 2], "a refusal removes nothing");
    await (await place.open(0)).close();
  });

  t.test(
    "the first generation is not made anew where a later one is: a log that names it has lost its end",
    async (t) => {
      const place = await makePlace(t);
      const store = await place.open(0);
      const builder = await build(store, 1);
      await add(builder, "a=1");
      await finish(builder);
      store.adopt(builder);
      await store.close();
      await (await place.open(1)).close();
      const missing = await failureOf(place.open(0));
      t.equal(missing.code, "DAMAGED");
      t.match(missing.message, /generation 0, which the log goes by, is missing/);
      t.same(await place.generations(), [1], "nothing is made, and nothing is removed");
      await (await place.open(1)).close();
    },
  );

  t.test("calls that no correct host makes are broken invariants", async (t) => {
    const store = await (await makePlace(t)).open(0);
    t.throws(() => store.build(0, () => t.fail("never called")), InvariantViolation, "not a later generation");
    const builder = await build(store, 1);
    t.throws(() => store.build(2, () => t.fail("never called")), InvariantViolation, "one at a time");
    t.throws(() => store.adopt(builder), InvariantViolation, "not finished");
    const never = () => t.fail("never called");
    const adding = add(builder, "b=1");
    t.throws(() => builder.add([], never), InvariantViolation, "one call at a time");
    await adding;
    const value = Buffer.from("x");
    await abandon(builder);
    for (const key of ["", "!identity", "a\n", "b", "a"]) {
      const other = await build(store, 1);
      await add(other, "b=1");
      t.throws(() => other.add([{ key, value }], never), InvariantViolation, JSON.stringify(key));
      await abandon(other);
      t.throws(() => other.abandon(never), InvariantViolation, "abandoned once");
    }
    const whole = await build(store, 1);
    await finish(whole);
    t.throws(() => whole.add([], never), InvariantViolation, "finished");
    put(store, "a", "1");
    const writing = checkpoint(store);
    t.throws(() => store.adopt(whole), InvariantViolation, "a checkpoint is in flight");
    await writing;
    store.adopt(whole);
    t.throws(() => store.adopt(whole), InvariantViolation, "adopted already");
    t.throws(() => whole.abandon(never), InvariantViolation, "adopted already");
    await store.close();
  });
}

function adopting(t: Test, makePlace: (t: Test) => Promise<GenerationPlace>): void {
  t.test("what was built is the store's content from the very call on, and the old state goes", async (t) => {
    const place = await makePlace(t);
    const store = await place.open(0);
    put(store, "a", "old");
    put(store, "z", "old");
    await checkpoint(store);
    const builder = await build(store, 1);
    await add(builder, "a=new");
    await add(builder);
    await add(builder, "b=new");
    await finish(builder);
    put(store, "c", "in the overlay");
    store.adopt(builder);
    t.equal(store.generation, 1);
    t.equal(store.overlayBytes, 0);
    t.equal(textOf(store.get("a")), "new");
    t.equal(store.get("c"), undefined, "the overlay is dropped");
    t.equal(store.get("z"), undefined);
    t.same(await page(store), ["a=new", "b=new"]);
    put(store, "d", "after");
    await checkpoint(store);
    await store.close();
    t.same(await place.generations(), [1]);
    const again = await place.open(1);
    t.same(await page(again), ["a=new", "b=new", "d=after"]);
    t.equal(again.generation, 1);
    const next = await build(again, 2);
    await add(next, "e=1");
    await finish(next);
    again.adopt(next);
    await again.close();
    t.same(await place.generations(), [2]);
    const third = await place.open(2);
    t.same(await page(third), ["e=1"]);
    await third.close();
  });

  t.test("a page and a view that are under way end with the rows they began with", async (t) => {
    const place = await makePlace(t);
    const store = await place.open(0);
    const rows = numbered(300, "old");
    for (const row of rows) put(store, row.split("=")[0] ?? "", "old");
    await checkpoint(store);
    const builder = await build(store, 1);
    await add(builder, "a=new");
    await finish(builder);
    const view = store.openView();
    await nextRows(view, 1);
    const reading = page(store);
    store.adopt(builder);
    t.same(await reading, rows);
    t.same(await allRows(view, 2000), rows.slice(1));
    t.same(await place.generations(), [0, 1], "kept as long as it is viewed");
    view.close();
    await store.close();
    t.same(await place.generations(), [1]);
  });

  t.test(
    "a store that is closed right after an adoption, with a view open, removes the old state all the same",
    async (t) => {
      const place = await makePlace(t);
      const store = await place.open(0);
      put(store, "a", "1");
      await checkpoint(store);
      store.openView();
      const builder = await build(store, 1);
      await finish(builder);
      store.adopt(builder);
      store.build(2, () => {});
      await store.close();
      t.same(await place.generations(), [1, 2]);
      const again = await place.open(1);
      t.same(await page(again), []);
      await again.close();
      t.same(await place.generations(), [1]);
    },
  );

  t.test("a large state is built in bounded batches and is whole", async (t) => {
    const place = await makePlace(t);
    const store = await place.open(0);
    const builder = await build(store, 1);
    const rows = numbered(4000, "x".repeat(1500));
    for (let from = 0; from < rows.length; from += 170) await add(builder, ...rows.slice(from, from + 170));
    await finish(builder);
    store.adopt(builder);
    await store.close();
    const again = await place.open(1);
    const view = again.openView();
    t.equal((await allRows(view, 256 * 1024)).length, 4000);
    view.close();
    await again.close();
  });
}
