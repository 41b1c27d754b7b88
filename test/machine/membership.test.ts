import t from "tap";
import type { Entry, Member } from "../../src/raft/types.js";
import { entry, group, registrationOf, World } from "./world.js";

/** Stores are named as `registrationOf` names them. */
function member(id: number, more: Partial<Member> = {}): Member {
  return { id, kind: "voter", storeId: `store-${id}`, address: `node-${id}:7070`, ...more };
}

function configuration(index: number, members: readonly Member[]): Entry {
  return { index, term: 1, body: { kind: "configuration", configuration: { clusterId: "c", members } } };
}

const FOUNDERS = [member(1), member(2), member(3)];

function founded(): World {
  const world = new World();
  t.equal(world.replicated.configuration, undefined);
  world.apply(configuration(1, FOUNDERS));
  for (const id of [1, 2, 3]) world.apply(entry(1 + id, 100, registrationOf(id, "this life")));
  return world;
}

t.test("the newest configuration that was applied is known, also after a restart", async (t) => {
  const world = founded();
  t.same(world.replicated.configuration, { clusterId: "c", members: FOUNDERS });
  world.checkpoint();
  t.same(world.reopened().replicated.configuration, { clusterId: "c", members: FOUNDERS });
});

t.test("a node that is removed has no session any more: its commands do nothing", async (t) => {
  const world = founded();
  world.apply(configuration(5, [member(1), member(3)]));
  t.same(
    [2, 3, 4].map((session) => world.replicated.isSessionOpen(session)),
    [true, false, true],
  );
  world.apply(entry(6, 100, group(3, 1, [[1, "late"]]), group(4, 1, [[1, "in time"]])));
  t.same(world.tally.lines, ["in time"]);
});

t.test("a seat that another store takes closes the session of the store before", async (t) => {
  const world = founded();
  world.apply(configuration(5, [member(1), member(2, { storeId: "a new disk" }), member(3)]));
  t.equal(world.replicated.isSessionOpen(3), false);
});

t.test("another address, promotion and a learner beside it leave sessions as they are", async (t) => {
  const world = founded();
  world.apply(configuration(5, [member(1, { address: "elsewhere:1" }), member(2), member(3, { kind: "learner" })]));
  world.apply(configuration(6, [member(1), member(2), member(3), member(4, { kind: "learner" })]));
  t.same(
    [2, 3, 4].map((session) => world.replicated.isSessionOpen(session)),
    [true, true, true],
  );
});

t.test(
  "a store that is no member opens no session and closes none; the node that waits for it hears nothing",
  async (t) => {
    const world = founded();
    t.same(world.registered, [2, 3, 4], "all three share the nonce that this world waits for");
    world.apply(entry(5, 100, registrationOf(9, "this life")));
    t.equal(world.replicated.isSessionOpen(5), false);
    world.apply(configuration(6, [member(1), member(2, { storeId: "a new disk" }), member(3)]));
    // The disk that was taken out comes back under its old name.
    world.apply(entry(7, 100, registrationOf(2, "this life")));
    t.equal(world.replicated.isSessionOpen(7), false);
    t.same(world.registered, [2, 3, 4]);
  },
);

t.test("a member that was added registers as everybody does", async (t) => {
  const world = founded();
  world.apply(configuration(5, [...FOUNDERS, member(4, { kind: "learner" })]));
  world.apply(entry(6, 100, registrationOf(4, "a first life")));
  world.apply(entry(7, 100, group(6, 1, [[1, "mine"]])));
  t.same(world.tally.lines, ["mine"]);
});

t.test("whether a configuration was replayed or came with a snapshot, the same sessions are open", async (t) => {
  const world = founded();
  world.apply(configuration(5, [member(1)]));
  world.checkpoint();
  const again = world.reopened();
  t.same(
    [2, 3, 4].map((session) => again.replicated.isSessionOpen(session)),
    [true, false, false],
  );
});
