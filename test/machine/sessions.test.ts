import t from "tap";
import { SessionTable } from "../../src/machine/sessions.js";

function registration(index: number, nodeId: number, nonce: string) {
  return { index, nodeId, storeId: `store-${nodeId}`, nonce };
}

t.test("a session's id is the index of its entry, and opening one closes the node's older ones", async (t) => {
  const table = new SessionTable([]);
  t.equal(table.register(registration(5, 1, "a")), 5);
  t.equal(table.register(registration(6, 2, "b")), 6);
  t.equal(table.register(registration(9, 1, "c")), 9);
  t.same(
    [5, 6, 9].map((id) => table.isOpen(id)),
    [false, true, true],
  );
  t.equal(table.size, 2);
});

t.test("a repeated registration finds the session it opened", async (t) => {
  const table = new SessionTable([]);
  table.register(registration(5, 1, "a"));
  table.acted(5, 3, { index: 6, ordinal: 0 });
  t.equal(table.register(registration(8, 1, "a")), 5);
  t.equal(table.admit(5, 3).kind, "repeated");
});

t.test(
  "a registration that comes late, from a life that is over, closes the session of the life after it",
  async (t) => {
    const table = new SessionTable([]);
    table.register(registration(5, 1, "first life"));
    table.register(registration(6, 1, "second life"));
    t.equal(table.register(registration(7, 1, "first life")), 7, "it cannot be told from a new one, and gets a new id");
    t.equal(table.admit(6, 1).kind, "closed");
    t.equal(table.register(registration(8, 1, "second life")), 8, "the living one registers again");
    t.same(
      [5, 6, 7, 8].map((id) => table.isOpen(id)),
      [false, false, false, true],
    );
  },
);

t.test("a tag acts once, out of order too, and below the mark never", async (t) => {
  const table = new SessionTable([]);
  table.register(registration(5, 1, "a"));
  t.equal(table.admit(5, 2).kind, "execute");
  table.acted(5, 2, { index: 6, ordinal: 1 });
  t.same(table.admit(5, 2), { kind: "repeated", place: { index: 6, ordinal: 1 } });
  t.equal(table.admit(5, 1).kind, "execute", "an earlier number may come later");
  table.raiseLowWater(5, 2);
  t.equal(table.admit(5, 1).kind, "finished", "given up before it came");
  t.equal(table.admit(5, 2).kind, "repeated");
  table.raiseLowWater(5, 3);
  t.equal(table.admit(5, 2).kind, "finished");
  table.raiseLowWater(5, 1);
  t.equal(table.admit(5, 2).kind, "finished", "the mark never goes back");
});

t.test("a session that is closed, or never was, admits nothing", async (t) => {
  const table = new SessionTable([]);
  table.register(registration(5, 1, "a"));
  table.closeOf(1);
  t.equal(table.admit(5, 1).kind, "closed");
  t.equal(table.admit(0, 1).kind, "closed");
  table.raiseLowWater(5, 9);
  t.throws(() => table.acted(5, 1, { index: 6, ordinal: 0 }), { name: "InvariantViolation" });
});

t.test("what is below the mark is forgotten, so a session stays as small as what is under way", async (t) => {
  const table = new SessionTable([]);
  table.register(registration(5, 1, "a"));
  for (let request = 1; request <= 10_000; request++) {
    table.raiseLowWater(5, Math.max(1, request - 8));
    table.acted(5, request, { index: 10 + request, ordinal: 0 });
  }
  t.equal(table.stored()[0]?.requests.length, 9);
  table.raiseLowWater(5, 1_000_000_000);
  t.equal(table.stored()[0]?.requests.length, 0);
});

t.test("a table that was stored and read again answers the same", async (t) => {
  const table = new SessionTable([]);
  table.register(registration(5, 1, "a"));
  table.register(registration(6, 2, "b"));
  table.raiseLowWater(5, 3);
  table.acted(5, 3, { index: 7, ordinal: 2 });
  table.acted(5, 9, { index: 8, ordinal: 0 });
  const again = new SessionTable(table.stored());
  for (const [session, request] of [
    [5, 2],
    [5, 3],
    [5, 4],
    [5, 9],
    [6, 1],
    [7, 1],
  ] as const)
    t.same(again.admit(session, request), table.admit(session, request));
  t.same(again.stored(), table.stored());
  t.equal(again.register(registration(9, 2, "b")), 6);
});
