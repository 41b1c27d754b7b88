import fc from "fast-check";
import t from "tap";
import { ENTRY_OVERHEAD_BYTES, RaftLog } from "../../src/raft/log.js";
import type { Configuration, Entry } from "../../src/raft/types.js";
import { configurationOf } from "./core-cluster.js";

const BASE = configurationOf(3, 0, "base");

function emptyLog(base = { index: 0, term: 0 }): RaftLog {
  return new RaftLog({ base, baseConfiguration: BASE, terms: [], sizes: [], configurations: [] });
}

type Operation =
  | { readonly kind: "append"; readonly termStep: number; readonly size: number; readonly isConfiguration: boolean }
  | { readonly kind: "truncate"; readonly part: number };

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("append" as const),
      termStep: fc.nat(2),
      size: fc.nat(50),
      isConfiguration: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("truncate" as const), part: fc.nat(100) }) },
);

/** The same log as a plain array of entries after the base. */
function play(operations: readonly Operation[], base: { index: number; term: number }) {
  const log = emptyLog(base);
  let model: Entry[] = [];
  for (const step of operations) {
    if (step.kind === "append") {
      const index = base.index + model.length + 1;
      const term = (model.at(-1)?.term ?? base.term) + step.termStep;
      const configuration: Configuration = { clusterId: `at ${index}`, members: [] };
      const entry: Entry = {
        index,
        term,
        body: step.isConfiguration
          ? { kind: "configuration", configuration }
          : { kind: "command", payload: new Uint8Array(step.size) },
      };
      log.append(entry);
      model.push(entry);
    } else if (model.length > 0) {
      const kept = Math.floor((step.part / 101) * model.length);
      log.truncate(base.index + kept + 1);
      model = model.slice(0, kept);
    }
  }
  return { log, model };
}

const anyLog = fc
  .tuple(fc.array(operation, { maxLength: 40 }), fc.constantFrom({ index: 0, term: 0 }, { index: 7, term: 3 }))
  .map(([operations, base]) => ({ ...play(operations, base), base }));

t.test("a log answers as a plain array of entries would", (t) => {
  fc.assert(
    fc.property(anyLog, ({ log, model, base }) => {
      t.equal(log.lastIndex, base.index + model.length);
      t.equal(log.lastTerm, model.at(-1)?.term ?? base.term);
      for (let index = base.index - 1; index <= log.lastIndex + 2; index++) {
        const expected = index === base.index ? base.term : model.find((entry) => entry.index === index)?.term;
        if (log.term(index) !== expected) return false;
      }
      const configured = model.filter(({ body }) => body.kind === "configuration").at(-1);
      if (log.configurationIndex !== (configured?.index ?? base.index)) return false;
      const expected = configured?.body.kind === "configuration" ? configured.body.configuration : BASE;
      return log.configuration === expected;
    }),
  );
  t.end();
});

t.test("lastIndexAtMostTerm is the last entry of at most that term, at or before the index", (t) => {
  fc.assert(
    fc.property(anyLog, fc.nat(60), fc.nat(90), ({ log, model, base }, above, term) => {
      const index = base.index + above;
      const found = model.filter((entry) => entry.index <= index && entry.term <= term).at(-1)?.index ?? base.index;
      return log.lastIndexAtMostTerm(index, term) === found;
    }),
  );
  t.end();
});

t.test("isUpToDate compares the last term first, then the length (§3.6.1)", (t) => {
  fc.assert(
    fc.property(anyLog, fc.nat(60), fc.nat(90), ({ log }, index, term) => {
      const isNewer = term !== log.lastTerm ? term > log.lastTerm : index >= log.lastIndex;
      return log.isUpToDate({ index, term }) === isNewer;
    }),
  );
  t.end();
});

t.test("what cannot be true stops the node", (t) => {
  const log = emptyLog();
  const body = { kind: "noop" } as const;
  log.append({ index: 1, term: 2, body });
  t.throws(() => log.append({ index: 3, term: 2, body }), /entry 3 follows 1/);
  t.throws(() => log.append({ index: 2, term: 1, body }), /terms never go back/);
  t.throws(() => log.truncate(2), /can be truncated/);
  t.throws(() => log.truncate(0), /can be truncated/);
  t.throws(() => log.size(2), /entry 2 is in the log/);
  t.equal(log.size(1), ENTRY_OVERHEAD_BYTES);
  t.end();
});

t.test("a conflict leads two logs to the last place where they agree, and never below it", (t) => {
  // Two logs that agree up to some entry and differ from there on: a leader's and a follower's.
  const terms = fc.array(fc.nat(2), { maxLength: 12 });
  fc.assert(
    fc.property(terms, terms, terms, fc.boolean(), (shared, ours, theirs, skipsFirst) => {
      const grow = (steps: readonly number[], from: number) => {
        let term = from;
        return steps.map((step) => {
          term += step;
          return term;
        });
      };
      const common = grow(shared, 1);
      const last = common.at(-1) ?? 1;
      // Different terms from the first divergent entry on, as Log Matching would have it.
      const leader = [...common, ...grow(ours, last + (skipsFirst ? 2 : 1)).map((term) => term * 2)];
      const follower = [...common, ...grow(theirs, last + 1).map((term) => term * 2 + 1)];
      const [mine, other] = [leader, follower].map((list) => {
        const log = emptyLog();
        for (const [place, term] of list.entries()) log.append({ index: place + 1, term, body: { kind: "noop" } });
        return log;
      }) as [RaftLog, RaftLog];
      let prev = mine.lastIndex;
      for (let probes = 0; probes <= leader.length; probes++) {
        const prevTerm = mine.term(prev) ?? 0;
        if (other.term(prev) === prevTerm) return prev === Math.min(common.length, prev) && prev === common.length;
        const hint = other.lastIndexAtMostTerm(prev, prevTerm);
        const next = mine.lastIndexAtMostTerm(hint, other.term(hint) ?? 0);
        // Every probe goes back, so the search ends.
        if (next >= prev || next < common.length) return false;
        prev = next;
      }
      return false;
    }),
  );
  t.end();
});
