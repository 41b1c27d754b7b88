import t from "tap";
import { RaftCore } from "../../src/raft/core.js";
import { type AppendRequest, NO_ROUND, type RaftMessage, type VoteRequest } from "../../src/raft/types.js";
import { CoreCluster, configurationOf } from "./core-cluster.js";

function led(learners = 0): CoreCluster {
  const cluster = new CoreCluster({ voters: 3, learners, seed: 1, clusterId: "c" });
  cluster.timeOut(cluster.node(1));
  cluster.settle();
  return cluster;
}

/** A core whose log begins after a snapshot at entry 5. */
function coreAfterSnapshot(): RaftCore {
  return new RaftCore(
    {
      id: 1,
      electionTimeoutMs: 100,
      heartbeatMs: 20,
      inFlightMax: 4,
      appendBytesMax: 100,
      appendEntriesMax: 4,
      readsMax: 4,
      seed: 1,
      foundingClusterId: "c",
    },
    {
      hardState: { term: 3, votedFor: undefined },
      log: {
        base: { index: 5, term: 2 },
        baseConfiguration: configurationOf(3, 0, "c"),
        terms: [2, 3],
        sizes: [32, 32],
        configurations: [],
      },
      commitIndex: 6,
    },
    0,
  );
}

t.test("only a leader takes proposals, and says where the last of them stands", (t) => {
  const cluster = led();
  const payload = new Uint8Array(3);
  t.equal(cluster.node(2).core.propose([payload], cluster.now), undefined);
  t.equal(cluster.node(1).core.propose([], cluster.now), undefined);
  t.match(cluster.node(1).core.propose([payload, payload], cluster.now), { index: 3, term: 1 });
  t.end();
});

t.test("what is addressed to others, or comes from oneself, is not heard", (t) => {
  const cluster = led();
  const { core } = cluster.node(2);
  const poll: VoteRequest = {
    type: "voteRequest",
    from: 3,
    to: 1,
    term: 9,
    preVote: false,
    lastLogIndex: 9,
    lastLogTerm: 9,
    leadershipTransfer: true,
  };
  core.receive(poll, cluster.now);
  core.receive({ ...poll, from: 2, to: 2 }, cluster.now);
  t.equal(core.term, 1);
  t.same(core.takeEffects(cluster.now).send, []);
  t.end();
});

t.test("strangers neither count nor read", (t) => {
  const cluster = led();
  const { core } = cluster.node(1);
  const from = { from: 9, to: 1, term: 1 } as const;
  core.receive({ ...from, type: "appendReply", round: 99, outcome: { kind: "match", matchIndex: 1 } }, cluster.now);
  t.equal(core.matchIndexOf(9), undefined);
  const read = cluster.read(cluster.node(1));
  core.receive({ ...from, type: "appendReply", round: 99, outcome: { kind: "match", matchIndex: 1 } }, cluster.now);
  cluster.turn(cluster.node(1));
  t.equal(read.outcome, "waiting");
  t.end();
});

t.test("a learner gets the log, but its copies and its votes do not count", (t) => {
  const cluster = led(2);
  const leader = cluster.node(1);
  cluster.propose(leader, "a");
  cluster.settle([1, 4, 5]);
  t.equal(cluster.node(4).disk.entries.length, 2);
  t.equal(leader.core.commitIndex, 1, "three of five copies, but one of three voters'");
  cluster.now += 500;
  cluster.tick(cluster.node(4));
  t.equal(cluster.node(4).core.roleName, "follower", "a learner never stands");
  t.equal(cluster.transfer(leader, 4), false, "nor is leadership handed to it");
  t.end();
});

t.test("a deposed leader learns the term from the answer to its heartbeat", (t) => {
  const cluster = led();
  cluster.now += 200;
  cluster.timeOut(cluster.node(2));
  cluster.settle([2, 3]);
  t.equal(cluster.node(2).core.term, 2);
  cluster.mail = [];
  const [old] = [cluster.node(1)];
  const heartbeat: AppendRequest = {
    type: "appendRequest",
    from: 1,
    to: 3,
    term: 1,
    prevLogIndex: 1,
    prevLogTerm: 1,
    leaderCommit: 1,
    round: 1,
    entries: [],
  };
  cluster.deliver(heartbeat);
  for (const answer of cluster.take(3, 1)) cluster.deliver(answer);
  t.equal(old.core.roleName, "follower");
  t.equal(old.core.term, 2);
  t.end();
});

t.test("a request from before the log's base is answered with what is committed and durable", (t) => {
  const core = coreAfterSnapshot();
  const request: AppendRequest = {
    type: "appendRequest",
    from: 2,
    to: 1,
    term: 3,
    prevLogIndex: 3,
    prevLogTerm: 1,
    leaderCommit: 6,
    round: 4,
    entries: [],
  };
  core.receive(request, 1);
  t.match(core.takeEffects(1).send, [{ type: "appendReply", round: 4, outcome: { kind: "match", matchIndex: 6 } }]);
  t.end();
});

t.test("the leader of a higher term may truncate what is not committed, and nothing else", (t) => {
  const core = coreAfterSnapshot();
  const body = { kind: "noop" } as const;
  const request = { type: "appendRequest", from: 2, to: 1, term: 4, leaderCommit: 6, round: 1 } as const;
  core.receive({ ...request, prevLogIndex: 6, prevLogTerm: 2, entries: [{ index: 7, term: 4, body }] }, 1);
  t.match(core.takeEffects(1).transitions.at(-1), { kind: "truncated", from: 7, to: 7 });
  t.same(core.takeWrite()?.log, {
    hardState: { term: 4, votedFor: undefined },
    truncateFrom: 7,
    entries: [{ index: 7, term: 4, body }],
  });
  t.throws(
    () => core.receive({ ...request, prevLogIndex: 5, prevLogTerm: 2, entries: [{ index: 6, term: 4, body }] }, 1),
    /entry 6 is committed and stays/,
  );
  t.end();
});

t.test("what a host must not do stops the node", (t) => {
  const cluster = led();
  const { core } = cluster.node(1);
  core.propose([new Uint8Array(1)], cluster.now);
  const write = core.takeWrite();
  t.throws(() => core.takeWrite(), /at most one write is in flight/);
  t.throws(() => core.persisted((write?.ticket ?? 0) + 1, cluster.now), /belongs to the write in flight/);
  t.throws(() => core.tick(cluster.now - 1), /monotonic time never goes back/);
  t.end();
});

t.test("a second leader of the same term stops the node that leads it (Election Safety)", (t) => {
  const cluster = led();
  const intruder: RaftMessage = {
    type: "appendRequest",
    from: 3,
    to: 1,
    term: 1,
    prevLogIndex: 0,
    prevLogTerm: 0,
    leaderCommit: 0,
    round: 1,
    entries: [],
  };
  t.throws(() => cluster.node(1).core.receive(intruder, cluster.now), /one leader/);
  t.end();
});

t.test("after every tick and turn the next deadline lies ahead, in every role", (t) => {
  const cluster = new CoreCluster({ voters: 3, learners: 1, seed: 3, clusterId: "c" });
  for (let count = 0; count < 300; count++) {
    for (const node of cluster.nodes) {
      if (node.core.nextDeadline <= cluster.now) cluster.tick(node);
      t.ok(node.core.nextDeadline > cluster.now);
    }
    if (count % 100 < 50) cluster.settle();
    else cluster.mail = [];
    cluster.now += 7;
  }
  t.end();
});

t.test("a transfer is told of at its end, whichever it is", (t) => {
  const cluster = led();
  const ended = () => cluster.transitions.filter(({ transition }) => transition.kind === "transferEnded").at(-1);
  t.equal(cluster.transfer(cluster.node(1), 1), false, "not to itself");
  t.equal(cluster.transfer(cluster.node(1), 2), true);
  t.equal(cluster.transfer(cluster.node(1), 3), false, "one at a time");
  cluster.mail = [];
  cluster.settle();
  cluster.now += 60;
  cluster.tick(cluster.node(1));
  cluster.settle();
  cluster.now += 45;
  cluster.tick(cluster.node(1));
  t.match(ended(), { transition: { target: 2, outcome: "timedOut" } });
  t.equal(cluster.transfer(cluster.node(1), 3), true);
  cluster.settle();
  t.match(ended(), { transition: { target: 3, outcome: "handedOver" } });
  t.equal(cluster.node(3).core.roleName, "leader");
  t.end();
});

t.test("an announcement of nothing but a commit index is not answered, unless it is refused", (t) => {
  const cluster = led();
  const { core } = cluster.node(2);
  const announcement: AppendRequest = {
    type: "appendRequest",
    from: 1,
    to: 2,
    term: 1,
    prevLogIndex: 1,
    prevLogTerm: 1,
    leaderCommit: 1,
    round: NO_ROUND,
    entries: [],
  };
  core.takeEffects(cluster.now);
  core.receive(announcement, cluster.now);
  t.same(core.takeEffects(cluster.now).send, []);
  core.receive({ ...announcement, prevLogIndex: 7 }, cluster.now);
  t.match(core.takeEffects(cluster.now).send, [{ type: "appendReply", outcome: { kind: "conflict" } }]);
  t.end();
});

t.test("a commit is announced at once where nothing else leaves, and opens no round", (t) => {
  const cluster = led();
  const leader = cluster.node(1);
  cluster.propose(leader, "a");
  cluster.settle([1, 2]);
  t.equal(leader.core.commitIndex, 2);
  const announcements = cluster
    .take(1, 3)
    .filter((message) => message.type === "appendRequest" && message.entries.length === 0);
  t.match(announcements.at(-1), { leaderCommit: 2, round: NO_ROUND });
  t.end();
});

t.test(
  "when the leader's connection breaks, a follower polls after one or two heartbeats, and trusts it no more",
  (t) => {
    const cluster = led();
    const { core } = cluster.node(2);
    core.peerUnreachable(3, cluster.now);
    t.ok(core.nextDeadline - cluster.now >= 60, "another peer's connection means nothing");
    core.peerUnreachable(1, cluster.now);
    const patience = core.nextDeadline - cluster.now;
    t.ok(patience >= 20 && patience < 40, `${patience} ms at a heartbeat of 20 ms`);
    core.receive(
      {
        type: "voteRequest",
        from: 3,
        to: 2,
        term: 2,
        preVote: true,
        lastLogIndex: 1,
        lastLogTerm: 1,
        leadershipTransfer: false,
      },
      cluster.now,
    );
    t.match(core.takeEffects(cluster.now).send, [{ type: "voteReply", preVote: true, granted: true }]);
    t.end();
  },
);

t.test("a leader whose connection broke and came back is trusted again with its next request", (t) => {
  const cluster = led();
  const { core } = cluster.node(2);
  core.peerUnreachable(1, cluster.now);
  const leader = cluster.node(1);
  cluster.now += 10;
  cluster.propose(leader, "still here");
  cluster.settle();
  t.equal(core.leader, 1);
  t.ok(core.nextDeadline - cluster.now >= 100, "the whole election timeout again");
  t.end();
});

t.test("a leader that stood still is not judged by the silence that was its own", (t) => {
  const cluster = led();
  const { core } = cluster.node(1);
  cluster.now += 500;
  core.resume(cluster.now);
  core.tick(cluster.now);
  t.equal(core.roleName, "leader", "it gets the time to hear the others");
  cluster.now += 101;
  core.tick(cluster.now);
  t.equal(core.roleName, "follower", "and steps down when it does not");
  t.end();
});

t.test("an answer never leaves on a later stream than the one it was asked for on", (t) => {
  for (const moment of ["never", "before the write", "while it is written", "before it is sent"] as const) {
    const { core } = led().node(2);
    const { term, lastIndex, state } = core;
    const last = { lastLogIndex: lastIndex, lastLogTerm: state.log.lastTerm };
    const asked = { preVote: false, leadershipTransfer: true } as const;
    const replaced = (now: typeof moment) => {
      if (now === moment) core.streamReplaced(3, 1000);
    };
    core.receive({ type: "voteRequest", from: 3, to: 2, term: term + 1, ...asked, ...last }, 1000);
    replaced("before the write");
    const write = core.takeWrite();
    t.match(write?.log.hardState, { votedFor: 3 });
    replaced("while it is written");
    core.persisted(write?.ticket ?? 0, 1000);
    replaced("before it is sent");
    const votes = core.takeEffects(1000).send.filter(({ type }) => type === "voteReply");
    t.equal(votes.length, moment === "never" ? 1 : 0, moment);
  }
  t.end();
});
