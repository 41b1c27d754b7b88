import fc from "fast-check";
import t from "tap";
import { Progress } from "../../src/raft/progress.js";

function startingAt(nextIndex: number, joinedIndex = 0): Progress {
  return new Progress({ nextIndex, joinedIndex, now: 0 });
}

type Event =
  | { readonly kind: "append"; readonly count: number }
  | { readonly kind: "compact"; readonly part: number }
  | { readonly kind: "send"; readonly count: number }
  | { readonly kind: "match"; readonly part: number }
  | { readonly kind: "conflict"; readonly rejected: number; readonly hint: number };

const percent = fc.nat(100);
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ kind: fc.constant("append" as const), count: fc.nat(5) }),
  fc.record({ kind: fc.constant("compact" as const), part: percent }),
  fc.record({ kind: fc.constant("send" as const), count: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ kind: fc.constant("match" as const), part: percent }),
  fc.record({ kind: fc.constant("conflict" as const), rejected: percent, hint: percent }),
);

/** A leader's log, as far as a peer's progress depends on it. */
interface LeaderLog {
  baseIndex: number;
  lastIndex: number;
}

/** Returns whether the event did what it may do. */
function happen(progress: Progress, leader: LeaderLog, happening: Event): boolean {
  const at = (part: number, limit: number) => Math.floor((part / 100) * limit);
  // What a leader does at the end of each of its turns.
  if (progress.nextIndex <= progress.floor(leader.baseIndex)) progress.awaitSnapshot();
  switch (happening.kind) {
    case "append":
      leader.lastIndex += happening.count;
      return true;
    case "compact":
      leader.baseIndex = Math.max(leader.baseIndex, at(happening.part, leader.lastIndex));
      return true;
    case "send": {
      const last = Math.min(leader.lastIndex, progress.nextIndex + happening.count - 1);
      if (progress.mode === "replicate" && last >= progress.nextIndex) progress.sent(last);
      return true;
    }
    case "match":
      progress.matched(at(happening.part, leader.lastIndex), leader.baseIndex);
      // Who waits for a snapshot goes on waiting until it is there.
      return progress.mode !== "snapshot" || progress.nextIndex <= progress.floor(leader.baseIndex);
    case "conflict": {
      const rejected = at(happening.rejected, leader.lastIndex);
      const before = { ...progress };
      if (progress.isNewsOfConflict(rejected)) {
        progress.probeFrom(at(happening.hint, rejected));
        // Every refusal that is news lowers the guess, so the search ends.
        return progress.nextIndex <= Math.max(rejected, progress.matchIndex + 1);
      }
      return JSON.stringify({ ...progress }) === JSON.stringify(before);
    }
  }
}

t.test("0 <= matchIndex < nextIndex <= lastIndex + 1, whatever arrives in whatever order", (t) => {
  fc.assert(
    fc.property(fc.nat(20), percent, fc.array(event, { maxLength: 60 }), (logLength, joined, events) => {
      const leader = { baseIndex: 0, lastIndex: logLength };
      const progress = startingAt(logLength + 1, Math.floor((joined / 100) * logLength));
      for (const happening of events) {
        const matchBefore = progress.matchIndex;
        if (!happen(progress, leader, happening)) return false;
        const { matchIndex, nextIndex } = progress;
        if (!(0 <= matchIndex && matchIndex < nextIndex && nextIndex <= leader.lastIndex + 1)) return false;
        if (matchIndex < matchBefore) return false;
        if (progress.mode !== "replicate" && progress.inFlightCount > 0) return false;
      }
      return true;
    }),
  );
  t.end();
});

t.test("what a peer needs next decides whether it waits for a snapshot: the base, or the entry it joined with", (t) => {
  const progress = startingAt(11, 4);
  t.equal(progress.floor(2), 4, "a newcomer never replays configurations without itself");
  t.equal(progress.floor(9), 9);
  progress.matched(6, 2);
  progress.sent(8);
  progress.awaitSnapshot();
  t.equal(progress.inFlightCount, 0, "nothing is in flight to one that waits for a snapshot");
  progress.probeOutstanding = true;
  progress.awaitSnapshot();
  t.equal(progress.probeOutstanding, true, "told once is told, until the next heartbeat");
  t.equal(progress.isNewsOfConflict(8), false, "it was not asked, so a refusal is an old one");
  progress.matched(7, 9);
  t.equal(progress.mode, "snapshot", "what matches lies below the base");
  t.equal(progress.matchIndex, 7);
  progress.matched(9, 9);
  t.match(progress, { mode: "replicate", nextIndex: 10, probeOutstanding: false });
  t.end();
});

t.test("a match frees the window of everything up to it", (t) => {
  const progress = startingAt(1);
  progress.matched(0, 0);
  t.equal(progress.mode, "replicate");
  progress.sent(2);
  progress.sent(4);
  progress.sent(5);
  t.equal(progress.inFlightCount, 3);
  progress.matched(4, 0);
  t.equal(progress.inFlightCount, 1);
  t.equal(progress.nextIndex, 6, "what is in flight stays on its way");
  progress.matched(2, 0);
  t.equal(progress.matchIndex, 4, "late answers change nothing");
  t.end();
});

t.test("while probing, only the refusal of the very probe is news (classic bug 7)", (t) => {
  const progress = startingAt(11);
  t.equal(progress.isNewsOfConflict(10), true);
  progress.probeFrom(6);
  t.equal(progress.isNewsOfConflict(10), false, "the same refusal again");
  t.equal(progress.isNewsOfConflict(5), true);
  progress.matched(5, 0);
  t.equal(progress.isNewsOfConflict(5), false, "what matched is not refused");
  t.end();
});

t.test("while replicating, a refusal beyond what was sent is no news", (t) => {
  const progress = startingAt(4);
  progress.matched(3, 0);
  progress.sent(6);
  t.equal(progress.isNewsOfConflict(7), false);
  t.equal(progress.isNewsOfConflict(6), true);
  progress.probeFrom(2);
  t.equal(progress.nextIndex, 4, "never below what is known to match");
  t.equal(progress.inFlightCount, 0);
  t.end();
});

t.test("sending where agreement is not known is a broken invariant", (t) => {
  const progress = startingAt(4);
  t.throws(() => progress.sent(4), /logs are known to agree/);
  progress.matched(3, 0);
  t.throws(() => progress.sent(3), /what was sent is new/);
  t.end();
});
