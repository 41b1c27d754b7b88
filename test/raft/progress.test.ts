import fc from "fast-check";
import t from "tap";
import { Progress } from "../../src/raft/progress.js";

function startingAt(nextIndex: number, joinedIndex = 0): Progress {
  return new Progress({ nextIndex, joinedIndex, now: 0 });
}

type Event =
  | { readonly kind: "append"; readonly count: number }
  | { readonly kind: "send"; readonly count: number }
  | { readonly kind: "match"; readonly part: number }
  | { readonly kind: "conflict"; readonly rejected: number; readonly hint: number };

const percent = fc.nat(100);
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ kind: fc.constant("append" as const), count: fc.nat(5) }),
  fc.record({ kind: fc.constant("send" as const), count: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ kind: fc.constant("match" as const), part: percent }),
  fc.record({ kind: fc.constant("conflict" as const), rejected: percent, hint: percent }),
);

t.test("0 <= matchIndex < nextIndex <= lastIndex + 1, whatever arrives in whatever order", (t) => {
  fc.assert(
    fc.property(fc.nat(20), fc.array(event, { maxLength: 60 }), (logLength, events) => {
      let lastIndex = logLength;
      const progress = startingAt(lastIndex + 1);
      for (const happening of events) {
        const matchBefore = progress.matchIndex;
        if (happening.kind === "append") lastIndex += happening.count;
        else if (happening.kind === "send") {
          const last = Math.min(lastIndex, progress.nextIndex + happening.count - 1);
          if (progress.mode === "replicate" && last >= progress.nextIndex) progress.sent(last);
        } else if (happening.kind === "match") progress.matched(Math.floor((happening.part / 100) * lastIndex), 0);
        else {
          const rejected = Math.floor((happening.rejected / 100) * lastIndex);
          const before = { ...progress };
          if (progress.isNewsOfConflict(rejected)) {
            progress.probeFrom(Math.floor((happening.hint / 100) * rejected));
            // Every refusal that is news lowers the guess, so the search ends.
            if (progress.nextIndex > Math.max(rejected, progress.matchIndex + 1)) return false;
          } else t.same({ ...progress }, before);
        }
        const { matchIndex, nextIndex } = progress;
        if (!(0 <= matchIndex && matchIndex < nextIndex && nextIndex <= lastIndex + 1)) return false;
        if (matchIndex < matchBefore) return false;
        if (progress.mode === "probe" && progress.inFlightCount > 0) return false;
      }
      return true;
    }),
  );
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
