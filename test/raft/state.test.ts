import t from "tap";
import { RaftCore } from "../../src/raft/core.js";
import { drawElectionTimeout, sendWhenDurable } from "../../src/raft/state.js";
import type { AppendReply } from "../../src/raft/types.js";
import { CoreCluster, configurationOf } from "./core-cluster.js";

function coreWith(seed: number): RaftCore {
  const limits = { inFlightMax: 4, appendBytesMax: 100, appendEntriesMax: 4, readsMax: 4 };
  return new RaftCore(
    { id: 1, electionTimeoutMs: 100, heartbeatMs: 20, seed, foundingClusterId: "c", ...limits },
    {
      hardState: { term: 0, votedFor: undefined },
      log: {
        base: { index: 0, term: 0 },
        baseConfiguration: configurationOf(3, 0),
        terms: [],
        sizes: [],
        configurations: [],
      },
      commitIndex: 0,
    },
    0,
  );
}

t.test("election timeouts are spread evenly over [T, 2T), and a seed repeats them", (t) => {
  const { state } = coreWith(7);
  const buckets = Array.from({ length: 10 }, () => 0);
  const draws = 20_000;
  for (let count = 0; count < draws; count++) {
    const timeout = drawElectionTimeout(state);
    if (timeout < 100 || timeout >= 200) t.fail(`${timeout} is outside`);
    const bucket = Math.floor((timeout - 100) / 10);
    buckets[bucket] = (buckets[bucket] ?? 0) + 1;
  }
  for (const [bucket, count] of buckets.entries()) {
    t.ok(Math.abs(count - draws / 10) < draws / 100, `bucket ${bucket} holds about a tenth: ${count}`);
  }
  const [one, other] = [coreWith(7), coreWith(7)];
  t.equal(drawElectionTimeout(one.state), drawElectionTimeout(other.state));
  t.end();
});

t.test("neighbouring seeds give different first timeouts: nodes seeded 1, 2, 3 do not stand together", (t) => {
  const firsts = Array.from({ length: 200 }, (_, seed) => coreWith(seed).nextDeadline);
  t.ok(new Set(firsts.map(Math.floor)).size > 70, "spread over most of the hundred milliseconds");
  t.end();
});

/** A follower with a write in flight and another one forming: two queues of promises. */
function followerWithPending() {
  const cluster = new CoreCluster({ voters: 3, learners: 0, seed: 1, clusterId: "c" });
  cluster.timeOut(cluster.node(1));
  cluster.settle();
  cluster.propose(cluster.node(1), "a");
  for (const message of cluster.take(1, 2)) cluster.deliver(message);
  return { cluster, follower: cluster.node(2) };
}

function match(matchIndex: number, round: number): AppendReply {
  return { type: "appendReply", from: 2, to: 1, term: 1, round, outcome: { kind: "match", matchIndex } };
}

t.test("a later match to the same leader takes the place of an earlier one in the queue", (t) => {
  const { follower } = followerWithPending();
  const { state } = follower.core;
  const queue = state.inFlight?.after ?? [];
  queue.length = 0;
  sendWhenDurable(state, match(1, 3));
  sendWhenDurable(state, match(2, 4));
  t.same(queue, [match(2, 4)]);
  sendWhenDurable(state, match(1, 5));
  t.same(queue, [match(2, 4), match(1, 5)], "a newer round with less is kept: neither says what the other does");
  const other = { ...match(2, 6), to: 3 };
  sendWhenDurable(state, other);
  t.same(queue, [match(2, 4), match(1, 5), other], "nor does an answer to somebody else");
  t.end();
});

t.test("what is promised while a write is in flight and another one forms waits for the later one", (t) => {
  const { cluster, follower } = followerWithPending();
  cluster.propose(cluster.node(1), "b");
  for (const message of cluster.take(1, 2)) cluster.deliver(message);
  cluster.completeWrite(follower);
  t.match(cluster.take(2, 1), [{ outcome: { kind: "match", matchIndex: 2 } }]);
  cluster.completeWrite(follower);
  t.match(cluster.take(2, 1), [{ outcome: { kind: "match", matchIndex: 3 } }]);
  t.end();
});

t.test("a write that ends is credited only with what is still in the log (classic bug 9)", (t) => {
  const { cluster, follower } = followerWithPending();
  t.equal(follower.core.durableIndex, 1);
  // Entries in flight are never truncated (durability.test.ts of the scenarios); the core does not rely on that.
  const replacement = { index: 2, term: 2, body: { kind: "noop" } } as const;
  cluster.deliver({
    type: "appendRequest",
    from: 3,
    to: 2,
    term: 2,
    prevLogIndex: 1,
    prevLogTerm: 1,
    leaderCommit: 0,
    round: 1,
    entries: [replacement],
  });
  t.same(follower.log.entries.at(-1), replacement);
  cluster.completeWrite(follower);
  t.equal(follower.core.durableIndex, 1, "entry 2 on disk is another one than in the log");
  t.same(cluster.take(2, 3), []);
  cluster.completeWrite(follower);
  t.equal(follower.core.durableIndex, 2);
  t.match(cluster.take(2, 3), [{ outcome: { kind: "match", matchIndex: 2 } }]);
  t.end();
});

t.test("a request for a vote of a higher term is not heard while the leader is trusted, unless it hands over", (t) => {
  const cluster = new CoreCluster({ voters: 3, learners: 0, seed: 1, clusterId: "c" });
  cluster.timeOut(cluster.node(1));
  cluster.settle();
  const request = {
    type: "voteRequest",
    from: 3,
    to: 2,
    term: 5,
    preVote: false,
    lastLogIndex: 1,
    lastLogTerm: 1,
    leadershipTransfer: false,
  } as const;
  const { core } = cluster.node(2);
  core.receive(request, cluster.now);
  t.equal(core.term, 1);
  core.receive({ ...request, leadershipTransfer: true }, cluster.now);
  t.equal(core.term, 5);
  t.end();
});
