import t from "tap";
import { LIMITS } from "../../src/replica/options.js";
import { Reads } from "../../src/replica/reads.js";

const FIRST = 1000;

class Desk {
  readonly reads = new Reads({ retryMs: 300, firstId: FIRST });
  readonly calls: string[] = [];

  add(name: string, deadline = 10_000): void {
    this.reads.add(
      {
        ready: () => this.calls.push(`${name}: ready`),
        fail: () => this.calls.push(`${name}: failed`),
      },
      deadline,
    );
  }
}

t.test("what is asked in one turn shares one read index, and waits until it is applied", async (t) => {
  const both = new Desk();
  t.equal(both.reads.nextAsk(0), undefined);
  both.add("a");
  both.add("b");
  t.equal(both.reads.nextAsk(0), FIRST);
  t.equal(both.reads.nextAsk(0), undefined);
  both.reads.outcome({ readId: FIRST, kind: "ready", readIndex: 7 }, 1);
  both.reads.applied(6);
  t.same(both.calls, []);
  both.reads.applied(7);
  t.same(both.calls, ["a: ready", "b: ready"]);
  t.equal(both.reads.count, 0);
});

t.test("an answer counts for what was asked before it, never for what came later", async (t) => {
  const desk = new Desk();
  desk.add("a");
  const first = desk.reads.nextAsk(0) ?? 0;
  desk.add("b");
  desk.reads.outcome({ readId: first, kind: "ready", readIndex: 7 }, 1);
  desk.reads.outcome({ readId: first, kind: "ready", readIndex: 8 }, 1);
  desk.reads.outcome({ readId: FIRST - 1, kind: "ready", readIndex: 1 }, 1);
  desk.reads.applied(9);
  t.same(desk.calls, ["a: ready"]);
  t.equal(desk.reads.count, 1);
});

t.test("a refused read is asked again, but not in every turn", async (t) => {
  const desk = new Desk();
  desk.add("a");
  const first = desk.reads.nextAsk(0) ?? 0;
  desk.reads.outcome({ readId: first, kind: "refused" }, 0);
  t.equal(desk.reads.nextAsk(1), undefined);
  t.equal(desk.reads.nextAsk(300), first + 1);
  desk.reads.outcome({ readId: first + 1, kind: "refused" }, 300);
  desk.reads.leaderKnown();
  t.equal(desk.reads.nextAsk(301), first + 2, "at once when a leader is known");
});

t.test("an answer that is lost is asked for again, and an answer to the first asking counts no more", async (t) => {
  const desk = new Desk();
  desk.add("a");
  const first = desk.reads.nextAsk(0) ?? 0;
  desk.reads.housekeep(299);
  t.equal(desk.reads.nextAsk(299), undefined);
  desk.reads.housekeep(300);
  const second = desk.reads.nextAsk(300) ?? 0;
  desk.reads.outcome({ readId: first, kind: "ready", readIndex: 3 }, 301);
  desk.reads.applied(3);
  t.same(desk.calls, []);
  desk.reads.outcome({ readId: second, kind: "ready", readIndex: 3 }, 301);
  desk.reads.applied(3);
  t.same(desk.calls, ["a: ready"]);
});

t.test("wherever a read waits, its deadline ends it, once", async (t) => {
  const desk = new Desk();
  desk.add("confirmed", 500);
  desk.reads.outcome({ readId: desk.reads.nextAsk(0) ?? 0, kind: "ready", readIndex: 9 }, 0);
  desk.add("asked", 500);
  desk.reads.nextAsk(400);
  desk.add("queued", 500);
  desk.add("longer", 900);
  desk.reads.housekeep(500);
  t.same(desk.calls.sort(), ["asked: failed", "confirmed: failed", "queued: failed"]);
  desk.reads.applied(9);
  t.equal(desk.reads.count, 1);
  desk.reads.failAll("the end");
  t.equal(desk.calls.at(-1), "longer: failed");
  t.equal(desk.reads.count, 0);
});

t.test("a reader that asks again as its read ends is not lost", async (t) => {
  const reads = new Reads({ retryMs: 300, firstId: FIRST });
  const calls: string[] = [];
  reads.add(
    {
      ready: () => undefined,
      fail: () => {
        calls.push("first failed");
        reads.add({ ready: () => calls.push("second ready"), fail: () => calls.push("second failed") }, 1000);
      },
    },
    100,
  );
  reads.housekeep(100);
  const readId = reads.nextAsk(100) ?? 0;
  reads.outcome({ readId, kind: "ready", readIndex: 1 }, 100);
  reads.applied(1);
  t.same(calls, ["first failed", "second ready"]);
  t.equal(reads.count, 0);
});

t.test("beyond the limit a read fails at once", async (t) => {
  const desk = new Desk();
  for (let place = 0; place < LIMITS.readsMax; place++) desk.add("x");
  desk.add("one too many");
  t.same(desk.calls, ["one too many: failed"]);
});
