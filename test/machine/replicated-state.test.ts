import t from "tap";
import { readJournal } from "../../src/machine/journal.js";
import type { Machine } from "../../src/machine/machine.js";
import type { Entry } from "../../src/raft/types.js";
import { entry, group, registrationOf, World } from "./world.js";

const CONFIGURATION = {
  clusterId: "c",
  members: [{ id: 1, kind: "voter", storeId: "store-1", address: "node-1:7070" }],
} as const;

t.test("the node finds its own commands in the entry, and only those", async (t) => {
  const world = new World();
  world.apply(entry(1, 100, registrationOf(1, "this life")));
  world.apply(entry(2, 100, registrationOf(2, "another node's")));
  t.equal(
    world.apply(
      entry(
        3,
        100,
        group(2, 1, [[1, "theirs"]]),
        group(1, 1, [
          [1, "ours"],
          [2, "too"],
        ]),
      ),
    ),
    3,
  );
  t.same(world.registered, [1]);
  t.same(world.settled, [
    [1, 2],
    [2, 3],
  ]);
  t.same(world.tally.lines, ["theirs", "ours", "too"]);
});

t.test("in one entry too: what is repeated, below the mark or of no session does nothing", async (t) => {
  const world = new World();
  world.apply(entry(1, 100, registrationOf(1, "this life")));
  world.apply(
    entry(
      2,
      100,
      group(1, 1, [
        [1, "one"],
        [2, "two"],
      ]),
      group(1, 2, [
        [2, "two again"],
        [3, "three"],
      ]),
      group(1, 1, [
        [1, "one, late"],
        [4, "four"],
      ]),
      group(99, 1, [[1, "nobody's"]]),
    ),
  );
  t.same(world.tally.lines, ["one", "two", "three", "four"]);
  t.same(
    world.settled.map(([request]) => request),
    [1, 2, 3, 4],
  );
});

t.test("a session that another registration closed takes nothing more, even in the next entry", async (t) => {
  const world = new World();
  world.apply(entry(1, 100, registrationOf(1, "a life before")));
  world.apply(entry(2, 100, group(1, 1, [[1, "before"]])));
  world.apply(entry(3, 100, registrationOf(1, "this life")));
  world.apply(entry(4, 100, group(1, 1, [[2, "late"]]), group(3, 1, [[2, "in time"]])));
  t.same(world.tally.lines, ["before", "in time"]);
  t.equal(world.replicated.isSessionOpen(1), false);
  t.equal(world.replicated.isSessionOpen(3), true);
});

t.test("time never goes back, whatever a leader stamps", async (t) => {
  const times: number[] = [];
  const world = new World();
  for (const [index, stamp] of [
    [1, 500],
    [2, 300],
    [3, 501],
  ] as const) {
    world.apply(entry(index, stamp, registrationOf(1, `life ${index}`)));
    times.push(world.replicated.time);
  }
  t.same(times, [500, 500, 501]);
  t.equal(readJournal(world.state, 2)?.time, 500);
});

t.test("two machines cannot share a number", async (t) => {
  const second: Machine = {
    id: 7,
    name: "a second tally",
    apply: () => ({ result: undefined, record: Uint8Array.of(1) }),
    flush: () => undefined,
    reload: () => undefined,
    outcomeOf: () => undefined,
    localRanges: [],
  };
  t.throws(() => new World({ machines: [second] }), { name: "InvariantViolation" });
});

t.test("entries are applied in order, once each, with a known machine; anything else ends the process", async (t) => {
  const world = new World();
  world.apply({ index: 1, term: 1, body: { kind: "noop" } });
  const violation = { name: "InvariantViolation" };
  t.throws(() => world.apply({ index: 1, term: 1, body: { kind: "noop" } }), violation);
  t.throws(() => world.apply({ index: 3, term: 1, body: { kind: "noop" } }), violation);
  t.throws(() => world.apply({ index: 2, term: 0, body: { kind: "noop" } }), violation);
});

/** A history with everything in it: two nodes, repetitions, marks, a session closed, other kinds of entries. */
function history(): Entry[] {
  const entries: Entry[] = [
    { index: 1, term: 1, body: { kind: "configuration", configuration: CONFIGURATION } },
    entry(2, 100, registrationOf(1, "one")),
    entry(3, 100, registrationOf(2, "two")),
  ];
  for (let index = 4; index < 60; index++) {
    const request = index * 2;
    const session = index < 40 ? 2 : 40;
    if (index === 40) entries.push(entry(index, 400, registrationOf(1, "one again")));
    else if (index % 7 === 0) entries.push({ index, term: 1, body: { kind: "noop" } });
    else {
      entries.push(
        entry(
          index,
          index * 10,
          group(session, request - 6, [
            [request - 4, "again"],
            [request, `own ${index}`],
            [request + 1, "more"],
          ]),
          group(3, 1, [[index % 5, `theirs ${index}`]]),
        ),
      );
    }
  }
  return entries;
}

/** Everything that a node holds, as bytes. */
function contentOf(world: World): unknown {
  world.checkpoint();
  return world.disk.rows({ gte: '"', lt: "\x7f" }).map(([key, value]) => [key, value.toString("hex")]);
}

t.test("wherever a node dies, from its checkpoint on it comes to the very same state", async (t) => {
  const entries = history();
  const straight = new World();
  for (const each of entries) straight.apply(each);
  const expected = contentOf(straight);
  for (let checkpointAt = 0; checkpointAt < entries.length; checkpointAt += 3) {
    const first = new World();
    for (const each of entries.slice(0, checkpointAt)) first.apply(each);
    if (checkpointAt > 0) first.checkpoint();
    // Applied, but in no checkpoint: all of it is lost together.
    for (const each of entries.slice(checkpointAt, checkpointAt + 5)) first.apply(each);
    const second = first.reopened();
    t.equal(second.replicated.applied.index, checkpointAt);
    for (const each of entries.slice(checkpointAt)) second.apply(each);
    t.same(second.tally.lines, straight.tally.lines);
    t.same(contentOf(second), expected, `checkpoint at ${checkpointAt}`);
  }
});
