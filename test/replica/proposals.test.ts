import t from "tap";
import type { FailureCode } from "../../src/failure.js";
import { Group } from "../../src/generated/folio/log/v1/log.js";
import { LIMITS } from "../../src/replica/options.js";
import { type PackedGroup, Proposals } from "../../src/replica/proposals.js";

const ROOM = { commands: 1000, bytes: 1_000_000 };
const SESSION = 9;
const NOTHING = new Uint8Array();
const UNHEARD = { settle: () => undefined, fail: () => undefined };

/** Proposals with waiters that write down how they were called. */
class Desk {
  readonly proposals = new Proposals({ retryMs: 1000, firstId: 1 });
  readonly calls: string[] = [];

  submit(name: string, deadline = 10_000): void {
    this.proposals.submit({ machine: 7, payload: new TextEncoder().encode(name) }, deadline, {
      settle: (result) => this.calls.push(`${name}: ${result}`),
      fail: (code) => this.calls.push(`${name}: ${code}`),
    });
  }

  submitUnheard(deadline: number): void {
    this.proposals.submit({ machine: 7, payload: NOTHING }, deadline, UNHEARD);
  }

  pack(room = ROOM, now = 0): { readonly attempt: number; readonly requests: number[]; readonly lowWater: number } {
    const packed: PackedGroup | undefined = this.proposals.pack(SESSION, room, now);
    if (packed === undefined) throw new Error("there was nothing to pack");
    const { session, lowWater, commands } = Group.decode(packed.bytes);
    if (session !== SESSION || commands.length !== packed.commandCount) throw new Error("not what was packed");
    return { attempt: packed.attempt, requests: commands.map(({ request }) => request), lowWater };
  }
}

t.test("requests are numbered from 1 and packed in order, as many as fit", async (t) => {
  const desk = new Desk();
  for (const name of ["a", "b", "c"]) desk.submit(name);
  t.same(desk.pack({ commands: 2, bytes: 1000 }).requests, [1, 2]);
  t.same(desk.pack().requests, [3]);
  t.equal(desk.proposals.hasQueued, false);
  t.equal(desk.proposals.pack(SESSION, ROOM, 0), undefined);
});

t.test("a single command that is larger than the room goes alone", async (t) => {
  const desk = new Desk();
  desk.submit("x".repeat(500));
  desk.submit("y");
  t.same(desk.pack({ commands: 10, bytes: 100 }).requests, [1]);
  t.same(desk.pack({ commands: 10, bytes: 100 }).requests, [2]);
});

t.test("the low-water mark stops at the oldest request that still waits", async (t) => {
  const desk = new Desk();
  for (const name of ["a", "b", "c"]) desk.submit(name);
  desk.pack();
  desk.proposals.settled(2, "two");
  desk.proposals.settled(3, "three");
  desk.submit("d");
  t.equal(desk.pack().lowWater, 1, "a waits, so its number is not given up");
  desk.proposals.settled(1, "one");
  desk.submit("e");
  t.equal(desk.pack().lowWater, 4);
});

t.test("a waiter is called once, whatever follows", async (t) => {
  const desk = new Desk();
  desk.submit("a");
  const { attempt } = desk.pack();
  desk.proposals.settled(1, "one");
  desk.proposals.settled(1, "again");
  desk.proposals.refused(attempt);
  desk.proposals.failRefused(attempt, "no", 0);
  desk.proposals.housekeep(99_999, { repeatUnanswered: true });
  desk.proposals.failAll("the end");
  t.same(desk.calls, ["a: one"]);
  t.equal(desk.proposals.hasQueued, false);
});

t.test("a refused attempt is certain: refused each time, a command ends as not executed", async (t) => {
  const desk = new Desk();
  desk.submit("a", 500);
  desk.proposals.refused(desk.pack().attempt);
  desk.proposals.refused(desk.pack().attempt);
  desk.proposals.housekeep(500, { repeatUnanswered: true });
  t.same(desk.calls, ["a: NOT_EXECUTED"]);
});

t.test("one attempt of unknown fate makes the outcome unknown, whatever is refused later", async (t) => {
  const desk = new Desk();
  desk.submit("a", 500);
  desk.pack();
  desk.proposals.repeatAll();
  const { attempt } = desk.pack();
  desk.proposals.failRefused(attempt, "overloaded", 1000);
  t.same(desk.calls, [], "it waits on: the first attempt may still act");
  desk.proposals.failQueued("no clock");
  t.same(desk.calls, []);
  desk.proposals.housekeep(500, { repeatUnanswered: true });
  t.same(desk.calls, ["a: OUTCOME_UNKNOWN"]);
});

t.test("a refusal that comes twice, or of an attempt that was repeated meanwhile, changes nothing", async (t) => {
  const desk = new Desk();
  desk.submit("a", 500);
  const first = desk.pack();
  desk.proposals.repeatAll();
  const second = desk.pack();
  desk.proposals.refused(first.attempt);
  desk.proposals.refused(first.attempt);
  t.equal(desk.proposals.hasQueued, false, "the second attempt is under way");
  desk.proposals.refused(second.attempt);
  desk.proposals.refused(second.attempt);
  desk.proposals.housekeep(500, { repeatUnanswered: true });
  t.same(desk.calls, ["a: OUTCOME_UNKNOWN"]);
});

t.test("of a refused attempt, what was never tried otherwise ends, and the rest goes again", async (t) => {
  const desk = new Desk();
  desk.submit("old");
  desk.pack();
  desk.proposals.repeatAll();
  desk.submit("new");
  desk.proposals.failRefused(desk.pack().attempt, "overloaded", 1000);
  t.same(desk.calls, ["new: NOT_EXECUTED"]);
  t.same(desk.pack().requests, [1]);
});

t.test("what is not answered for long goes again, each time after twice as long", async (t) => {
  const desk = new Desk();
  desk.submit("a", 100_000);
  desk.pack(ROOM, 0);
  desk.proposals.housekeep(999, { repeatUnanswered: true });
  t.equal(desk.proposals.hasQueued, false);
  desk.proposals.housekeep(1000, { repeatUnanswered: false });
  t.equal(desk.proposals.hasQueued, false, "a leader's own entry is in its log");
  desk.proposals.housekeep(1000, { repeatUnanswered: true });
  t.same(desk.pack(ROOM, 1000).requests, [1]);
  desk.proposals.housekeep(2999, { repeatUnanswered: true });
  t.equal(desk.proposals.hasQueued, false);
  desk.proposals.housekeep(3000, { repeatUnanswered: true });
  t.same(desk.pack(ROOM, 3000).requests, [1]);
});

t.test("what waited when its session was closed gets a new number, and its fate is certain again", async (t) => {
  const desk = new Desk();
  for (const name of ["a", "b"]) desk.submit(name, 500);
  desk.pack();
  desk.proposals.settled(1, "one");
  desk.proposals.retagAll();
  t.same(desk.pack(), { attempt: 2, requests: [3], lowWater: 3 });
  desk.proposals.refused(2);
  desk.proposals.housekeep(500, { repeatUnanswered: true });
  t.same(desk.calls, ["a: one", "b: NOT_EXECUTED"]);
});

t.test("a long time without a leader does not close the node: numbers of finished requests are given up", async (t) => {
  const desk = new Desk();
  const burst = LIMITS.waitersMax;
  for (let submitted = 0; submitted < LIMITS.requestSpanMax + burst; submitted += burst) {
    for (let place = 0; place < burst; place++) desk.submitUnheard(1);
    desk.proposals.housekeep(1, { repeatUnanswered: true });
  }
  t.equal(desk.proposals.waitingCount, 0);
  desk.calls.length = 0;
  desk.submit("after the outage");
  t.same(desk.calls, [], "it is taken");
  t.equal(desk.pack().requests.length, 1);
});

t.test(
  "beyond its limits a node refuses: too many waiters, or one that holds the mark back for too long",
  async (t) => {
    const desk = new Desk();
    for (let place = 0; place < LIMITS.waitersMax; place++) desk.submit("x");
    desk.submit("one too many");
    t.same(desk.calls, ["one too many: NOT_EXECUTED"]);

    const stuck = new Desk();
    stuck.submit("stuck", 1_000_000);
    stuck.pack();
    for (let request = 2; request <= LIMITS.requestSpanMax; request++) {
      stuck.submitUnheard(1);
      stuck.proposals.settled(request, "done");
    }
    stuck.submit("too far ahead");
    t.same(stuck.calls, ["too far ahead: NOT_EXECUTED"]);
  },
);

t.test("a waiter that asks again at once is not asked in the same round", async (t) => {
  const desk = new Desk();
  const ended: FailureCode[] = [];
  let again = 3;
  const submit = () =>
    desk.proposals.submit({ machine: 7, payload: new Uint8Array() }, 0, {
      settle: () => undefined,
      fail: (code) => {
        ended.push(code);
        if (again-- > 0) submit();
      },
    });
  submit();
  desk.proposals.failQueued("no clock");
  t.equal(ended.length, 1);
  desk.proposals.housekeep(1, { repeatUnanswered: true });
  t.equal(ended.length, 2);
});

t.test("of thousands of attempts refused with thirty thousand waiting, none is lost", async (t) => {
  const desk = new Desk();
  const attempts: number[] = [];
  for (let place = 0; place < 30_000; place++) {
    desk.submit("x");
    if (place % 5 === 4) attempts.push(desk.pack().attempt);
  }
  for (const attempt of attempts) desk.proposals.refused(attempt);
  t.equal(desk.pack({ commands: 100_000, bytes: 10_000_000 }).requests.length, 30_000);
});

t.test("what was passed over with a snapshot is answered, goes again, or is said to be unknown", async (t) => {
  const desk = new Desk();
  for (const name of ["acted", "open", "closed"]) desk.submit(name, 500);
  desk.pack();
  desk.submit("never tried", 500);
  desk.proposals.recall((request) => {
    if (request === 1) return { kind: "acted", result: "its result" };
    return { kind: request === 2 ? "open" : "closed" };
  });
  t.same(desk.calls, ["acted: its result", "closed: OUTCOME_UNKNOWN"]);
  t.same(desk.pack().requests, [2, 4], "under their tags: the session is asked next whether it is open");
});

t.test("what certainly did not act waits on for the next session, when its own was closed meanwhile", async (t) => {
  const desk = new Desk();
  desk.submit("refused", 500);
  desk.proposals.refused(desk.pack().attempt);
  desk.submit("never tried", 500);
  desk.proposals.recall(() => ({ kind: "closed" }));
  desk.proposals.retagAll();
  t.same(desk.calls, []);
  t.same(desk.pack().requests, [3, 4]);
});

t.test("what ended at its deadline is not kept in the queue: without a leader nobody ever packs", async (t) => {
  const desk = new Desk();
  desk.submit("late", 100);
  desk.submit("later", 300);
  desk.proposals.housekeep(200, { repeatUnanswered: false });
  t.same(desk.calls, ["late: NOT_EXECUTED"]);
  t.equal(desk.proposals.hasQueued, true);
  desk.proposals.housekeep(400, { repeatUnanswered: false });
  t.equal(desk.proposals.hasQueued, false);
});
