import fc from "fast-check";
import t from "tap";
import { ENTRY_OVERHEAD_BYTES, entrySize, RaftLog } from "../../src/raft/log.js";
import type { Configuration, Entry, Position } from "../../src/raft/types.js";
import { configurationOf, memberOf } from "./core-cluster.js";

const BASE = configurationOf(3, 0, "base");

function emptyLog(base = { index: 0, term: 0 }): RaftLog {
  return new RaftLog({ base, baseConfiguration: BASE, terms: [], sizes: [], configurations: [] });
}

type Operation =
  | { readonly kind: "append"; readonly termStep: number; readonly size: number; readonly members: readonly number[] }
  | { readonly kind: "truncate"; readonly part: number }
  | { readonly kind: "compact"; readonly part: number }
  | { readonly kind: "reset"; readonly ahead: number; readonly members: readonly number[] };

const percent = fc.nat(100);
/** Which of three seats are taken; none: the entry is a command. */
const members = fc.subarray([1, 2, 3]);

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ kind: fc.constant("append" as const), termStep: fc.nat(2), size: fc.nat(50), members }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("truncate" as const), part: percent }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("compact" as const), part: percent }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("reset" as const), ahead: fc.nat(5), members }) },
);

function configurationWith(ids: readonly number[], name: string): Configuration {
  return { clusterId: name, members: ids.map((id) => memberOf(id, "voter")) };
}

/** The same log as plain arrays that are gone through from end to end for every answer. */
class DumbLog {
  base: Position;
  baseConfiguration = BASE;
  entries: Entry[] = [];

  constructor(base: Position) {
    this.base = base;
  }

  configurations(): { readonly index: number; readonly configuration: Configuration }[] {
    return [
      { index: this.base.index, configuration: this.baseConfiguration },
      ...this.entries.flatMap(({ index, body }) =>
        body.kind === "configuration" ? [{ index, configuration: body.configuration }] : [],
      ),
    ];
  }

  at(index: number): Position | undefined {
    return index === this.base.index ? this.base : this.entries.find((entry) => entry.index === index);
  }

  cut(base: Position, configuration: Configuration): void {
    this.baseConfiguration = configuration;
    this.base = base;
    this.entries = this.entries.filter(({ index }) => index > base.index);
  }
}

function append(
  log: RaftLog,
  model: DumbLog,
  step: { readonly termStep: number; readonly size: number; readonly members: readonly number[] },
): void {
  const index = model.base.index + model.entries.length + 1;
  const term = (model.entries.at(-1)?.term ?? model.base.term) + step.termStep;
  const entry: Entry = {
    index,
    term,
    body:
      step.members.length > 0
        ? { kind: "configuration", configuration: configurationWith(step.members, `at ${index}`) }
        : { kind: "command", payload: new Uint8Array(step.size) },
  };
  log.append(entry);
  model.entries.push(entry);
}

function play(operations: readonly Operation[], base: Position): { readonly log: RaftLog; readonly model: DumbLog } {
  const log = emptyLog(base);
  const model = new DumbLog(base);
  for (const step of operations) {
    const { length } = model.entries;
    if (step.kind === "append") append(log, model, step);
    else if (step.kind === "reset") {
      const position = { index: log.lastIndex + step.ahead + 1, term: log.lastTerm + 1 };
      const configuration = configurationWith(step.members, "fetched");
      log.reset(position, configuration);
      model.entries = [];
      model.cut(position, configuration);
    } else if (length > 0 && step.kind === "truncate") {
      const kept = Math.floor((step.part / 101) * length);
      log.truncate(model.base.index + kept + 1);
      model.entries = model.entries.slice(0, kept);
    } else if (length > 0 && step.kind === "compact") {
      const position = model.entries[Math.floor((step.part / 101) * length)] as Entry;
      const atPosition = model.configurations().filter(({ index }) => index <= position.index);
      log.compact(position.index);
      model.cut({ index: position.index, term: position.term }, atPosition.at(-1)?.configuration ?? BASE);
    }
  }
  return { log, model };
}

const anyLog = fc
  .tuple(fc.array(operation, { maxLength: 40 }), fc.constantFrom({ index: 0, term: 0 }, { index: 7, term: 3 }))
  .map(([operations, base]) => play(operations, base));

t.test("a log answers as a plain array of entries would, cut or not", (t) => {
  fc.assert(
    fc.property(anyLog, ({ log, model }) => {
      const { base, entries } = model;
      if (log.base.index !== base.index || log.base.term !== base.term) return false;
      if (log.lastIndex !== base.index + entries.length || log.entryCount !== entries.length) return false;
      if (log.lastTerm !== (entries.at(-1)?.term ?? base.term)) return false;
      for (let index = base.index - 1; index <= log.lastIndex + 2; index++) {
        if (log.term(index) !== model.at(index)?.term) return false;
      }
      if (entries.some((entry) => log.size(entry.index) !== entrySize(entry))) return false;
      return log.bytes === entries.reduce((bytes, entry) => bytes + entrySize(entry), 0);
    }),
  );
  t.end();
});

t.test("the configuration in force is the newest one left, at every index", (t) => {
  fc.assert(
    fc.property(anyLog, ({ log, model }) => {
      const configurations = model.configurations();
      if (log.configuration !== configurations.at(-1)?.configuration) return false;
      if (log.configurationIndex !== configurations.at(-1)?.index) return false;
      if (log.voters.join() !== log.configuration.members.map(({ id }) => id).join()) return false;
      for (let index = log.base.index; index <= log.lastIndex; index++) {
        const expected = configurations.filter((one) => one.index <= index).at(-1);
        if (log.configurationAt(index) !== expected?.configuration) return false;
      }
      return true;
    }),
  );
  t.end();
});

t.test("a member has been one since the first configuration of the last unbroken run that has it", (t) => {
  fc.assert(
    fc.property(anyLog, ({ log, model }) => {
      const configurations = model.configurations();
      return [1, 2, 3].every((id) => {
        const has = configurations.map(({ configuration }) => configuration.members.some((one) => one.id === id));
        const since = has.lastIndexOf(false) + 1;
        return log.joinedIndex(memberOf(id, "voter")) === configurations[since]?.index;
      });
    }),
  );
  const log = emptyLog();
  t.equal(log.joinedIndex({ id: 1, storeId: "another store" }), undefined, "a seat is held by a store");
  t.end();
});

t.test("lastIndexAtMostTerm is the last entry of at most that term, at or before the index", (t) => {
  fc.assert(
    fc.property(anyLog, fc.nat(60), fc.nat(90), ({ log, model: { base, entries } }, above, term) => {
      const index = base.index + above;
      const found = entries.filter((entry) => entry.index <= index && entry.term <= term).at(-1)?.index ?? base.index;
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
  t.throws(() => log.compact(0), /can be cut/);
  t.throws(() => log.compact(2), /can be cut/);
  log.compact(1);
  t.throws(() => log.truncate(1), /can be truncated/, "what was cut away is not truncated");
  t.throws(() => log.compact(1), /can be cut/);
  t.throws(() => log.configurationAt(0), /in force at 0/);
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
