import t from "tap";
import { entry, group, registrationOf, World } from "./world.js";

/** One node's commands, some of which acted: the marks at 3, request 9 not yet there. */
function told(): World {
  const world = new World();
  world.apply(entry(1, 100, registrationOf(1, "this life")));
  world.apply(entry(2, 100, registrationOf(2, "another node's")));
  world.apply(
    entry(
      3,
      100,
      group(2, 1, [[1, "theirs"]]),
      group(1, 1, [
        [1, "one"],
        [2, "two"],
      ]),
    ),
  );
  world.apply(entry(4, 100, group(1, 1, [[3, "three"]])));
  world.apply(entry(5, 100, group(1, 3, [[4, "four"]])));
  return world;
}

t.test("what acted is told with the result that its apply returned", async (t) => {
  const world = told();
  for (const [request, result] of world.settled.filter(([request]) => request >= 3)) {
    t.same(world.replicated.recall(1, request), { kind: "acted", result });
  }
  t.same(world.replicated.recall(2, 1), { kind: "acted", result: 1 });
});

t.test("what is below the mark, still open, or of a closed session is told apart", async (t) => {
  const { replicated } = told();
  t.same(replicated.recall(1, 2), { kind: "finished" });
  t.same(replicated.recall(1, 9), { kind: "open" });
  t.same(replicated.recall(99, 1), { kind: "closed" });
});

t.test("a restart, and a reload, remember the same", async (t) => {
  const world = told();
  world.checkpoint();
  const again = world.reopened();
  const recalled = () =>
    [
      [1, 1],
      [1, 3],
      [1, 4],
      [1, 5],
      [2, 1],
      [3, 1],
    ].map(([session = 0, request = 0]) => again.replicated.recall(session, request));
  const before = recalled();
  t.same(before, [
    { kind: "finished" },
    { kind: "acted", result: 4 },
    { kind: "acted", result: 5 },
    { kind: "open" },
    { kind: "acted", result: 1 },
    { kind: "closed" },
  ]);
  again.replicated.reload();
  t.same(recalled(), before);
});

t.test("a block that was recalled is not taken for the one that a snapshot puts in its place", async (t) => {
  const world = told();
  world.checkpoint();
  t.same(world.replicated.recall(1, 4), { kind: "acted", result: 5 });
  const other = new World();
  other.apply(entry(1, 100, registrationOf(1, "this life")));
  for (let index = 2; index < 5; index++) other.apply({ index, term: 1, body: { kind: "noop" } });
  other.apply(entry(5, 100, group(1, 1, [[4, "the only one"]])));
  other.checkpoint();
  world.install(other);
  t.same(world.replicated.recall(1, 4), { kind: "acted", result: 1 });
});
