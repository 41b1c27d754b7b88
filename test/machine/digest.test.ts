import t from "tap";
import type { Entry } from "../../src/raft/types.js";
import { entry, group, registrationOf, World } from "./world.js";

const MEMBER = { id: 1, kind: "voter", storeId: "store-1", address: "node-1:7070" } as const;
const hex = (world: World) =>
  `${world.replicated.digest.index} ${Buffer.from(world.replicated.digest.hash).toString("hex")}`;

function history(): Entry[] {
  return [
    { index: 1, term: 1, body: { kind: "configuration", configuration: { clusterId: "c", members: [MEMBER] } } },
    entry(2, 100, registrationOf(1, "this life")),
    entry(3, 200, group(2, 1, [[1, "one"]])),
    { index: 4, term: 1, body: { kind: "noop" } },
    entry(5, 300, group(2, 1, [[2, "two"]])),
  ];
}

/** The digest after every entry. */
function digests(entries: readonly Entry[]): string[] {
  const world = new World();
  return entries.map((each) => {
    world.apply(each);
    return hex(world);
  });
}

t.test("nodes that applied the same entries have the same digest at every index, and a new one at each", async (t) => {
  const one = digests(history());
  t.same(digests(history()), one);
  t.equal(new Set(one).size, 5);
  const world = new World();
  t.equal(world.replicated.digest.index, 0);
  t.equal(world.replicated.digest.hash.length, 16);
});

t.test("a digest is the same after a restart, and on a node that installed a snapshot", async (t) => {
  const straight = digests(history());
  for (let checkpointAt = 1; checkpointAt <= 5; checkpointAt++) {
    const first = new World();
    for (const each of history().slice(0, checkpointAt)) first.apply(each);
    first.checkpoint();
    const newcomer = new World();
    newcomer.install(first);
    const restarted = first.reopened();
    for (const world of [restarted, newcomer]) {
      t.equal(hex(world), straight[checkpointAt - 1]);
      for (const each of history().slice(checkpointAt)) world.apply(each);
      t.equal(hex(world), straight[4]);
    }
  }
});

t.test("whatever differs once shows from there on", async (t) => {
  const straight = digests(history());
  const elsewhere = { ...MEMBER, address: "elsewhere:1" };
  const others: readonly (readonly [number, Entry])[] = [
    [1, { index: 1, term: 1, body: { kind: "configuration", configuration: { clusterId: "d", members: [MEMBER] } } }],
    [
      1,
      { index: 1, term: 1, body: { kind: "configuration", configuration: { clusterId: "c", members: [elsewhere] } } },
    ],
    [3, entry(3, 200, group(2, 1, [[1, "another"]]))],
    [3, entry(3, 201, group(2, 1, [[1, "one"]]))],
    [3, entry(3, 200, group(2, 1, [[2, "one"]]))],
  ];
  for (const [at, other] of others) {
    const entries = history();
    entries[at - 1] = other;
    const diverged = digests(entries);
    t.same(diverged.slice(0, at - 1), straight.slice(0, at - 1));
    for (let index = at; index <= 5; index++) t.not(diverged[index - 1], straight[index - 1], `entry ${index}`);
  }
});

t.test("another result of the same command shows, too", async (t) => {
  const diverged = new World();
  for (const each of history().slice(0, 2)) diverged.apply(each);
  // A machine that counts otherwise, as after an undetected damage.
  diverged.state.put("m7/count", new TextEncoder().encode("41"));
  diverged.tally.reload();
  diverged.apply(history()[2] as Entry);
  t.not(hex(diverged), digests(history())[2]);
});
