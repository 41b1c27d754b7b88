import { deepStrictEqual as deepEqual } from "node:assert/strict";
import fc from "fast-check";
import t from "tap";
import type { Entry } from "../../src/raft/types.js";
import { arbitraryEntry } from "../sequence/arbitrary-entries.js";
import { batch, configure, draw, fullNumbers, reset, seed } from "../sequence/world.js";
import { FOUNDERS, LogWriter, madeOf, SequenceNode } from "./sequence-node.js";

/** A cluster's first days: two nodes registered, sessions 2 and 3. */
function founded(): LogWriter {
  const log = new LogWriter();
  log.append({ kind: "configuration", configuration: FOUNDERS });
  log.register(1);
  log.register(2);
  log.one(2, 1, seed({ keysMax: 50, autoCreate: false }));
  log.one(2, 2, configure("INV", { template: "%s%d-%04d", resetRule: "yearly" }));
  return log;
}

/** The node that applied all of it, and one that was made of its snapshot. */
function both(entries: readonly Entry[]): readonly [SequenceNode, SequenceNode] {
  const node = new SequenceNode();
  for (const entry of entries) node.apply(entry);
  node.checkpoint();
  return [node, madeOf(node)];
}

const plainDigest = ({ replicated }: SequenceNode) => ({
  index: replicated.digest.index,
  hash: Buffer.from(replicated.digest.hash).toString("hex"),
});

/** The entry comes to the same on both; with the results of a session. */
function same(nodes: readonly [SequenceNode, SequenceNode], entry: Entry, session: number) {
  const [one, other] = nodes.map((node) => node.apply(entry, session));
  deepEqual(other, one);
  deepEqual(plainDigest(nodes[1]), plainDigest(nodes[0]));
  if (one === undefined) throw new Error("a node has results");
  return one;
}

t.test("a tag that acted before the snapshot acts no second time after it (classic bug 17)", async (t) => {
  const log = founded();
  const first = log.one(2, 3, draw("INV"));
  const nodes = both(log.entries);
  const repeated = same(nodes, { ...first, index: first.index + 1 }, 2);
  t.equal(repeated.size, 0, "it is repeated, and does nothing");
  log.append({ kind: "noop" });
  const next = same(nodes, log.one(2, 4, draw("INV")), 2).get(4);
  t.match(next, { ranges: [{ first: 2, last: 2 }] });
  for (const { replicated } of nodes) {
    t.match(replicated.recall(2, 3), { kind: "acted", result: { ranges: [{ first: 1, last: 1 }], created: false } });
  }
});

t.test("an idempotency key and a document are remembered: the very same numbers, not the next", async (t) => {
  const log = founded();
  const keyed = batch("INV", 3, { idempotencyKey: "order" });
  const document = draw("INV", { documentRef: "SO-1" });
  const given = new SequenceNode();
  for (const entry of log.entries) given.apply(entry);
  const first = given.apply(log.one(2, 3, keyed), 2).get(3);
  const second = given.apply(log.one(2, 4, document), 2).get(4);
  const nodes = both(log.entries);
  log.time += 60_000;
  const again = same(nodes, log.one(3, 1, keyed), 3).get(1);
  const still = same(nodes, log.one(3, 2, document), 3).get(2);
  t.same(again, { ...first, replayed: true });
  t.same(still, { ...second, replayed: true });
  t.same(again?.kind === "drawn" && fullNumbers(again), ["INV2026-0001", "INV2026-0002", "INV2026-0003"]);
});

t.test("settings, definitions, time, members, sessions and the head of the journal come along", async (t) => {
  const log = founded();
  log.one(2, 3, draw("INV"));
  log.one(2, 4, configure("INV", { padding: 7 }));
  const nodes = both(log.entries);
  const [node, copy] = nodes;
  t.same(copy.replicated.applied, node.replicated.applied);
  t.equal(copy.replicated.time, log.time);
  t.same(copy.replicated.configuration, FOUNDERS);
  t.same(plainDigest(copy), plainDigest(node));
  t.same(
    [2, 3, 4].map((session) => copy.replicated.isSessionOpen(session)),
    [true, true, false],
  );
  t.match(same(nodes, log.one(2, 5, draw("UNKNOWN")), 2).get(5), { code: "NOT_FOUND" });
  // A leader with a clock that is behind: time stands still on both.
  log.time -= 10_000;
  t.match(same(nodes, log.one(2, 6, reset("INV", 40)), 2).get(6), { kind: "reset" });
  t.equal(copy.replicated.time, log.time + 10_000);
  t.match(same(nodes, log.one(2, 7, draw("INV")), 2).get(7), { definition: { version: 2, padding: 7 } });
  node.checkpoint();
  copy.checkpoint();
  t.same(copy.rows(), node.rows(), "also the journal, block by block");
});

t.test("wherever a snapshot is taken, the node made of it is the same node from there on", async (t) => {
  const property = fc.asyncProperty(
    fc.array(arbitraryEntry, { minLength: 2, maxLength: 20, size: "max" }),
    fc.double({ min: 0, max: 1, noNaN: true }),
    async (history, where) => {
      const log = founded();
      let request = 10;
      const entries = history.map(({ commands, waitMs }) => {
        log.time += waitMs;
        return log.run(
          commands.map((command) => ({ session: request % 3 === 0 ? 3 : 2, request: request++, command })),
        );
      });
      const cut = Math.floor(where * entries.length);
      const nodes = both([...log.entries.slice(0, -entries.length), ...entries.slice(0, cut)]);
      for (const entry of entries.slice(cut)) same(nodes, entry, 2);
      for (const node of nodes) node.checkpoint();
      deepEqual(nodes[1].rows(), nodes[0].rows());
      for (let asked = 10; asked < request; asked++) {
        for (const session of [2, 3]) {
          deepEqual(nodes[1].replicated.recall(session, asked), nodes[0].replicated.recall(session, asked));
        }
      }
    },
  );
  await fc.assert(property, { numRuns: 60 });
  t.pass("in 60 histories");
});
