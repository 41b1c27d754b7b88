import t from "tap";
import { RaftCore } from "../../src/raft/core.js";
import type { CoreOptions } from "../../src/raft/state.js";
import type {
  AppendRequest,
  Configuration,
  Entry,
  HardState,
  InstalledSnapshot,
  InstallSnapshot,
  LogWrite,
  Position,
  Term,
} from "../../src/raft/types.js";
import { configurationOf } from "./core-cluster.js";

const OPTIONS: CoreOptions = {
  id: 1,
  electionTimeoutMs: 100,
  heartbeatMs: 20,
  inFlightMax: 4,
  appendBytesMax: 1000,
  appendEntriesMax: 4,
  readsMax: 4,
  seed: 1,
  foundingClusterId: "c",
};

const MEMBERS = configurationOf(3, 0, "c");

/** Node 1 of three, with a log of commands of these terms after the base. */
function coreWith(
  terms: readonly Term[],
  options: { readonly hardState?: HardState; readonly base?: Position; readonly commitIndex?: number } = {},
): RaftCore {
  const { base = { index: 0, term: 0 }, hardState = { term: terms.at(-1) ?? base.term, votedFor: undefined } } =
    options;
  return new RaftCore(
    OPTIONS,
    {
      hardState,
      log: { base, baseConfiguration: MEMBERS, terms, sizes: terms.map(() => 32), configurations: [] },
      commitIndex: options.commitIndex ?? base.index,
    },
    0,
  );
}

function snapshotAt(index: number, term: Term, more: Partial<InstalledSnapshot> = {}): InstalledSnapshot {
  return { position: { index, term }, term, configuration: MEMBERS, stateGeneration: 1, ...more };
}

function told(index: number, term: Term, message: Partial<InstallSnapshot> = {}): InstallSnapshot {
  const lastIncluded = { lastIncludedIndex: index, lastIncludedTerm: term };
  return { type: "installSnapshot", from: 2, to: 1, term: 3, round: 7, ...lastIncluded, ...message };
}

function command(index: number, term: Term): Entry {
  return { index, term, body: { kind: "command", payload: new Uint8Array(1) } };
}

function appended(prev: Position, entries: readonly Entry[], request: Partial<AppendRequest> = {}): AppendRequest {
  const { index: prevLogIndex, term: prevLogTerm } = prev;
  return {
    type: "appendRequest",
    from: 2,
    to: 1,
    term: 3,
    prevLogIndex,
    prevLogTerm,
    leaderCommit: 0,
    round: 1,
    entries,
    ...request,
  };
}

/** What the next write says, and that it is on disk. */
function written(core: RaftCore): LogWrite | undefined {
  const write = core.takeWrite();
  if (write !== undefined) core.persisted(write.ticket, 1);
  return write?.log;
}

t.test("told to fetch what it does not hold, a follower wants a snapshot, and says that it is at it", (t) => {
  const core = coreWith([1, 3], { hardState: { term: 3, votedFor: 2 } });
  core.receive(told(5, 3), 1);
  const { send, snapshotWanted } = core.takeEffects(1);
  t.same(snapshotWanted, { from: 2, least: 5 });
  t.match(send, [{ type: "appendReply", to: 2, round: 7, outcome: { kind: "installing" } }]);
  t.equal(core.leader, 2, "it counts as a heartbeat");
  t.ok(core.nextDeadline > 100);
  core.receive(told(5, 3), 2);
  t.same(core.takeEffects(2).snapshotWanted, { from: 2, least: 5 }, "said again each time: the host may have failed");
  t.equal(core.takeEffects(2).snapshotWanted, undefined);
  t.end();
});

t.test("that it is fetching is not said before the term is durable", (t) => {
  const core = coreWith([1]);
  core.receive(told(5, 3), 1);
  const { send, snapshotWanted } = core.takeEffects(1);
  t.same(send, []);
  t.same(snapshotWanted, { from: 2, least: 5 }, "fetching promises nothing");
  written(core);
  t.match(core.takeEffects(1).send, [{ outcome: { kind: "installing" } }]);
  t.end();
});

t.test("what it holds already is not fetched: the answer is a match with what is durable", (t) => {
  const core = coreWith([1, 1, 3], { hardState: { term: 3, votedFor: undefined } });
  core.receive(told(2, 1), 1);
  t.equal(core.commitIndex, 2, "the leader has committed what it has cut away");
  t.match(core.takeEffects(1), { snapshotWanted: undefined, send: [{ round: 7, outcome: { matchIndex: 2 } }] });
  core.receive(appended({ index: 3, term: 3 }, [command(4, 3)]), 1);
  core.receive(told(4, 3), 1);
  t.equal(core.commitIndex, 4);
  t.match(
    core.takeEffects(1).send,
    [{ round: 7, outcome: { matchIndex: 3 } }],
    "entry 4 is not on disk, and the heartbeat is answered all the same",
  );
  t.end();
});

t.test("an entry of another term at that place is not the one: it is fetched", (t) => {
  const core = coreWith([1, 1, 1], { hardState: { term: 3, votedFor: undefined } });
  core.receive(told(2, 2), 1);
  t.same(core.takeEffects(1).snapshotWanted, { from: 2, least: 2 });
  t.equal(core.commitIndex, 0);
  t.end();
});

t.test("a deposed leader that tells to fetch is told the term, and no more", (t) => {
  const core = coreWith([1], { hardState: { term: 4, votedFor: undefined } });
  core.receive(told(5, 3), 1);
  const { send, snapshotWanted } = core.takeEffects(1);
  t.equal(snapshotWanted, undefined);
  t.match(send, [{ type: "appendReply", term: 4, round: 0, outcome: { kind: "installing" } }]);
  t.equal(core.leader, undefined);
  t.end();
});

t.test("the next write carries the cut; what promises it waits for that", (t) => {
  const core = coreWith([1], { hardState: { term: 3, votedFor: undefined } });
  core.receive(told(5, 3), 1);
  core.takeEffects(1);
  t.equal(core.installSnapshot(snapshotAt(6, 3), 1), "logReplaced");
  t.match(core, { baseIndex: 6, commitIndex: 6, lastIndex: 6, durableIndex: 0, applicableIndex: 0, entryCount: 0 });
  t.same(core.takeEffects(1).send, []);
  const cut = { position: { index: 6, term: 3 }, configuration: MEMBERS, keepsTail: false, stateGeneration: 1 };
  t.same(written(core), { base: cut, entries: [] });
  t.match(core, { durableIndex: 6, applicableIndex: 6 });
  t.match(core.takeEffects(1).send, [{ to: 2, outcome: { kind: "match", matchIndex: 6 } }]);
  t.end();
});

t.test("entries that follow while the snapshot waits for the disk go with it, or after it", (t) => {
  const core = coreWith([1, 1, 1], { hardState: { term: 3, votedFor: undefined } });
  core.receive(told(5, 3), 1);
  core.installSnapshot(snapshotAt(5, 3), 1);
  core.receive(appended({ index: 5, term: 3 }, [command(6, 3)], { leaderCommit: 6 }), 1);
  const first = core.takeWrite();
  t.match(first?.log, { base: { position: { index: 5 }, keepsTail: false }, entries: [{ index: 6 }] });
  core.receive(appended({ index: 6, term: 3 }, [command(7, 3)]), 1);
  core.persisted(first?.ticket ?? 0, 1);
  t.equal(core.durableIndex, 6);
  t.same(written(core), { entries: [command(7, 3)] });
  t.equal(core.durableIndex, 7);
  t.end();
});

t.test("a tail that follows the very entry stays, whether it is on disk, in flight or waiting", (t) => {
  const core = coreWith([1, 1], { hardState: { term: 3, votedFor: undefined } });
  core.receive(appended({ index: 2, term: 1 }, [command(3, 3), command(4, 3)]), 1);
  const inFlight = core.takeWrite();
  core.receive(appended({ index: 4, term: 3 }, [command(5, 3), command(6, 3)]), 1);
  t.equal(core.installSnapshot(snapshotAt(5, 3), 1), "tailKept");
  t.match(core, { baseIndex: 5, lastIndex: 6, commitIndex: 5, durableIndex: 2 });
  core.persisted(inFlight?.ticket ?? 0, 1);
  t.equal(core.durableIndex, 4, "entries 3 and 4 are on disk and were never replaced");
  t.same(written(core), {
    base: { position: { index: 5, term: 3 }, configuration: MEMBERS, keepsTail: true, stateGeneration: 1 },
    entries: [command(6, 3)],
  });
  t.equal(core.durableIndex, 6);
  t.end();
});

t.test("a truncation that waits for the disk goes before the cut, or with the log that is replaced", (t) => {
  const tail = coreWith([1, 1, 1], { hardState: { term: 3, votedFor: undefined } });
  tail.receive(appended({ index: 1, term: 1 }, [command(2, 3), command(3, 3), command(4, 3)]), 1);
  tail.installSnapshot(snapshotAt(3, 3), 1);
  t.match(written(tail), { truncateFrom: 2, base: { keepsTail: true }, entries: [command(4, 3)] });
  t.equal(tail.durableIndex, 4);
  const whole = coreWith([1, 1, 1], { hardState: { term: 3, votedFor: undefined } });
  whole.receive(appended({ index: 1, term: 1 }, [command(2, 3)]), 1);
  whole.installSnapshot(snapshotAt(3, 3), 1);
  const write = written(whole);
  t.match(write, { base: { keepsTail: false }, entries: [] });
  t.equal(write?.truncateFrom, undefined);
  t.end();
});

t.test("what a write in flight holds is not credited once a snapshot has replaced the log (classic bug 9)", (t) => {
  const core = coreWith([1], { hardState: { term: 3, votedFor: undefined } });
  core.receive(appended({ index: 1, term: 1 }, [command(2, 3), command(3, 3)]), 1);
  const inFlight = core.takeWrite();
  core.installSnapshot(snapshotAt(9, 3), 1);
  core.persisted(inFlight?.ticket ?? 0, 1);
  t.equal(core.durableIndex, 0);
  written(core);
  t.equal(core.durableIndex, 9);
  t.end();
});

t.test("a snapshot that is not newer than what has committed changes nothing", (t) => {
  const core = coreWith([1, 1, 3], { hardState: { term: 3, votedFor: undefined }, commitIndex: 2 });
  t.equal(core.installSnapshot(snapshotAt(2, 1, { term: 9 }), 1), "overtaken");
  t.match(core, { baseIndex: 0, term: 3, commitIndex: 2 });
  t.equal(core.takeWrite(), undefined);
  t.end();
});

t.test("a leader installs nothing: it holds what has committed, and commits the rest itself", (t) => {
  const core = new RaftCore(
    OPTIONS,
    {
      hardState: { term: 1, votedFor: undefined },
      log: {
        base: { index: 0, term: 0 },
        baseConfiguration: configurationOf(1, 0, "c"),
        terms: [1, 1],
        sizes: [32, 32],
        configurations: [],
      },
      commitIndex: 0,
    },
    0,
  );
  core.tick(core.nextDeadline);
  const now = 300;
  const vote = core.takeWrite();
  core.persisted(vote?.ticket ?? 0, now);
  t.equal(core.roleName, "leader");
  t.equal(core.installSnapshot(snapshotAt(1, 1), now), "overtaken");
  t.end();
});

t.test("a snapshot from a higher term brings the term: leaders of older ones may lack what it holds", (t) => {
  const core = coreWith([3], { hardState: { term: 4, votedFor: 2 } });
  core.receive(told(5, 3, { term: 4 }), 1);
  core.takeEffects(1);
  t.equal(core.leader, 2);
  // Entry 9 is of term 3, but it was committed by the leader of term 6: the one of term 4 may never have had it.
  t.equal(core.installSnapshot(snapshotAt(9, 3, { term: 6 }), 1), "logReplaced");
  t.match(core, { term: 6, leader: undefined, commitIndex: 9 });
  t.match(written(core), { hardState: { term: 6, votedFor: undefined }, base: { position: { index: 9 } } });
  t.same(core.takeEffects(1).send, [], "so nothing is promised to the leader of term 4");
  core.receive(appended({ index: 4, term: 4 }, [], { term: 4 }), 1);
  t.match(core.takeEffects(1).send, [{ term: 6, outcome: { kind: "conflict" } }], "it is told that it was deposed");
  t.end();
});

t.test("who stands for election and installs a snapshot stands no more: the log that it spoke of may be gone", (t) => {
  const core = coreWith([1, 3]);
  const now = core.nextDeadline;
  core.tick(now);
  core.receive({ type: "voteReply", from: 2, to: 1, term: 4, preVote: true, granted: true }, now);
  t.equal(core.roleName, "candidate");
  core.takeEffects(now);
  t.equal(core.installSnapshot(snapshotAt(9, 3), now), "logReplaced");
  t.equal(core.roleName, "follower");
  const write = core.takeWrite();
  t.match(write?.log, { hardState: { term: 4, votedFor: 1 }, base: { position: { index: 9 } } });
  core.persisted(write?.ticket ?? 0, now);
  t.same(core.takeEffects(now).send, [], "no vote is asked for");
  t.end();
});

t.test("the snapshot's configuration is in force at once, and told", (t) => {
  const core = coreWith([1], { hardState: { term: 3, votedFor: undefined } });
  const configuration: Configuration = configurationOf(4, 1, "c");
  core.installSnapshot(snapshotAt(5, 3, { configuration }), 1);
  t.equal(core.configuration, configuration);
  t.match(core.takeEffects(1).transitions, [{ kind: "configurationChanged", configuration, index: 5 }]);
  t.end();
});

t.test("what a snapshot replaces and what diverged is told as truncated, a shorter log is not", (t) => {
  const longer = coreWith([1, 1, 1], { hardState: { term: 3, votedFor: undefined }, commitIndex: 1 });
  longer.installSnapshot(snapshotAt(2, 2), 1);
  t.match(longer.takeEffects(1).transitions, [{ kind: "truncated", from: 2, to: 3 }]);
  const shorter = coreWith([1, 1, 1], { hardState: { term: 3, votedFor: undefined }, commitIndex: 1 });
  shorter.installSnapshot(snapshotAt(4, 2), 1);
  t.same(shorter.takeEffects(1).transitions, []);
  t.end();
});

t.test("two states in force at one position with different members stop the node", (t) => {
  const core = coreWith([1, 1, 3], { hardState: { term: 3, votedFor: undefined } });
  t.throws(
    () => core.installSnapshot(snapshotAt(2, 1, { configuration: configurationOf(2, 0, "c") }), 1),
    /one configuration is in force at 2/,
  );
  t.throws(() => coreWith([1]).installSnapshot(snapshotAt(2, 5, { term: 4 }), 1), /no entry is of a later term/);
  t.end();
});

t.test("the log is cut at what is applied and durable, once", (t) => {
  const core = coreWith([1, 1, 3, 3], { commitIndex: 3 });
  const bytes = core.logBytes;
  core.compact(2, 1);
  t.match(core, { baseIndex: 2, entryCount: 2, logBytes: bytes / 2, lastIndex: 4 });
  core.compact(2, 1);
  core.compact(1, 1);
  t.equal(core.termAt(2), 1);
  t.equal(core.termAt(1), undefined);
  t.same(written(core), {
    base: { position: { index: 2, term: 1 }, configuration: MEMBERS, keepsTail: true },
    entries: [],
  });
  t.equal(core.takeWrite(), undefined);
  t.throws(() => core.compact(4, 1), /only what may be applied is compacted/);
  t.end();
});

t.test("cuts that wait for the same write become one: the later place, and every generation and loss", (t) => {
  const cut = coreWith([1, 1, 3, 3], { commitIndex: 4 });
  cut.compact(1, 1);
  cut.compact(3, 1);
  t.match(written(cut), { base: { position: { index: 3 }, keepsTail: true } });
  const kept = coreWith([1, 1, 3, 3], { commitIndex: 1, hardState: { term: 3, votedFor: undefined } });
  kept.installSnapshot(snapshotAt(2, 1, { stateGeneration: 4 }), 1);
  kept.receive(told(4, 3), 1);
  kept.compact(3, 1);
  t.match(written(kept), { base: { position: { index: 3 }, keepsTail: true, stateGeneration: 4 } });
  const replaced = coreWith([1], { hardState: { term: 3, votedFor: undefined } });
  replaced.installSnapshot(snapshotAt(5, 3), 1);
  replaced.compact(5, 1);
  replaced.receive(appended({ index: 5, term: 3 }, [command(6, 3), command(7, 3)]), 1);
  replaced.installSnapshot(snapshotAt(6, 3, { stateGeneration: 2 }), 1);
  t.match(written(replaced), {
    base: { position: { index: 6 }, keepsTail: false, stateGeneration: 2 },
    entries: [command(7, 3)],
  });
  t.end();
});

t.test("after a restart the log begins where it was cut", (t) => {
  const core = coreWith([3], { base: { index: 7, term: 2 }, commitIndex: 8 });
  t.match(core, { baseIndex: 7, lastIndex: 8, commitIndex: 8, durableIndex: 8 });
  t.throws(() => coreWith([3], { base: { index: 7, term: 2 }, commitIndex: 6 }), /what was applied is in the log/);
  t.end();
});
