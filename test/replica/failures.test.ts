import t from "tap";
import { type Answer, VirtualCluster, type VirtualNode } from "./virtual-cluster.js";

// What ends a node, and that nothing is promised after it.

const FULL = new Error("no space left on device");

t.test(
  "after a failed write of the log nothing is answered, sent or applied, and the process is told to end",
  async (t) => {
    for (const fate of ["lost", "durable"] as const) {
      const cluster = await new VirtualCluster(3).start();
      cluster.untilReady();
      const { leader } = cluster;
      const answers: Answer[] = [leader.propose("before")];
      cluster.time.until(() => answers[0]?.result !== undefined);
      leader.logDisk.failWrites(FULL, fate);
      answers.push(leader.propose("during"));
      cluster.time.until(() => leader.failure !== undefined);
      const applied = leader.replica?.appliedIndex;
      const sent: number[] = [];
      cluster.filter = (from, _to, messages) => {
        sent.push(from);
        return messages;
      };
      // What left before the failure is still on its way.
      cluster.time.advance(1);
      sent.length = 0;
      answers.push(leader.propose("after"));
      cluster.time.advance(3000);
      t.same(
        answers.map(({ failure }) => failure),
        [undefined, "OUTCOME_UNKNOWN", "NOT_EXECUTED"],
      );
      t.equal(leader.failures.length, 1);
      t.match(leader.failure, { code: "WRITE_FAILED" });
      t.notOk(sent.includes(leader.id), "it is silent");
      t.equal(leader.replica?.appliedIndex, applied);
      await leader.crash();
      cluster.untilReady();
    }
  },
);

t.test("a failed checkpoint ends the node like a failed write", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const [node] = cluster.followers;
  node?.stateDisks.failWrites(FULL);
  const answer = node?.propose("applied, but its checkpoint fails");
  cluster.time.until(() => node?.failure !== undefined);
  t.match(node?.failure, { code: "WRITE_FAILED" });
  t.equal(node?.failures.length, 1);
  t.equal(answer?.result, 1, "it had committed");
  cluster.time.advance(2000);
  t.equal(cluster.leader.replica?.view().healthy, true);
});

t.test("stopping ends when everything applied is in a checkpoint, also if one is in flight already", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const [node] = cluster.followers;
  if (node?.replica === undefined) throw new Error("there is no follower");
  node.syncMs = 20;
  const first = node.propose("first");
  cluster.time.until(() => first.result !== undefined);
  cluster.time.advance(515);
  const stops = [node.replica.stop(), node.replica.stop()];
  cluster.time.advance(200);
  await Promise.all(stops);
  const { appliedIndex } = node.replica;
  await node.crash();
  await node.start();
  t.equal(node.replica.appliedIndex, appliedIndex);
});

t.test("stopping ends, too, when the last checkpoint fails: that is told, and nobody waits for ever", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const [node] = cluster.followers;
  const answer = node?.propose("not in any checkpoint");
  cluster.time.until(() => answer?.result !== undefined);
  node?.stateDisks.failWrites(FULL);
  const stopped = node?.replica?.stop();
  cluster.time.until(() => node?.failure !== undefined);
  await stopped;
  await node?.replica?.stop();
  t.equal(node?.failures.length, 1);
});

t.test("a machine that throws ends the node at once: the entry is not applied again, nobody is answered", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const [node] = cluster.followers;
  if (node?.machine === undefined) throw new Error("there is no follower");
  node.machine.brokenBy = "poison";
  const answers = ["harmless", "poison", "behind it"].map((line) => node.propose(line));
  cluster.time.until(() => node.failure !== undefined);
  const lines = node.machine.lines.length;
  cluster.time.advance(3000);
  t.equal(node.failures.length, 1);
  t.match(node.failure, { message: "broken" });
  t.equal(node.machine.lines.length, lines, "nothing is applied any more");
  t.same(
    answers.slice(1).map(({ failure }) => failure),
    ["OUTCOME_UNKNOWN", "OUTCOME_UNKNOWN"],
  );
  await node.crash();
  await node.start();
  cluster.untilReady();
  t.same(cluster.settledLines(), ["harmless", "poison", "behind it"], "mended, it goes on from its checkpoint");
});

/** Ways for something to throw in the middle of what a node does. */
const breaks: readonly {
  readonly where: string;
  readonly happen: (cluster: VirtualCluster, node: VirtualNode) => void;
}[] = [
  {
    where: "in a turn, as it applies an entry",
    happen: (_cluster, node) => {
      if (node.machine !== undefined) node.machine.brokenBy = "poison";
      node.propose("poison");
    },
  },
  {
    where: "as it hears a frame",
    happen: (cluster, node) => {
      const core = node.replica?.core;
      if (core === undefined) throw new Error("the node has no core");
      const { term, lastIndex, commitIndex } = core;
      // Nobody but this node leads its term: to hear of another leader breaks Election Safety.
      cluster.filter = (from, to, messages) => {
        if (to !== node.id) return messages;
        const prev = { prevLogIndex: lastIndex, prevLogTerm: term };
        const round = { leaderCommit: commitIndex, entries: [], round: 1 };
        return [...messages, { type: "appendRequest", from, to, term, ...prev, ...round }];
      };
    },
  },
  {
    where: "in its housekeeping",
    happen: (cluster, node) => {
      cluster.filter = () => [];
      node.replica?.propose({ machine: 7, payload: new Uint8Array() }, 1, {
        settle: () => undefined,
        fail: () => {
          throw new Error("who waits is broken");
        },
      });
    },
  },
  {
    where: "as a stream ends",
    happen: (cluster, node) => {
      const core = node.replica?.core;
      const [peer] = cluster.followers;
      if (core === undefined || peer === undefined) throw new Error("the node has no core, or no peer");
      core.peerUnreachable = () => {
        throw new Error("broken");
      };
      cluster.network.cut(node.id, peer.id);
      cluster.time.advance(1);
      cluster.network.heal(node.id, peer.id);
    },
  },
  {
    where: "as a stream comes up",
    happen: (cluster, node) => {
      breakCore(node, "streamReplaced");
      reconnect(cluster, node);
    },
  },
  {
    where: "as a write ends",
    happen: (_cluster, node) => {
      breakCore(node, "persisted");
      node.propose("written");
    },
  },
  {
    where: "as it is asked to hand leadership over",
    happen: (_cluster, node) => {
      breakCore(node, "transferLeadership");
      node.replica?.transferLeadership();
    },
  },
];

function breakCore(node: VirtualNode, method: "streamReplaced" | "persisted" | "transferLeadership"): void {
  const core = node.replica?.core;
  if (core === undefined) throw new Error("the node has no core");
  core[method] = () => {
    throw new Error("broken");
  };
}

function reconnect(cluster: VirtualCluster, node: VirtualNode): void {
  const others = cluster.nodes.filter((other) => other !== node);
  for (const other of others) cluster.network.cut(node.id, other.id);
  cluster.time.advance(1);
  for (const other of others) cluster.network.heal(node.id, other.id);
}

for (const { where, happen } of breaks) {
  t.test(`what throws ${where} silences the node: nothing is sent, written or answered after it`, async (t) => {
    const cluster = await new VirtualCluster(3).start();
    cluster.untilReady();
    cluster.settledLines();
    const { leader: node } = cluster;
    happen(cluster, node);
    const waiting = node.propose("waiting");
    const reads: string[] = [];
    const reader = { ready: () => reads.push("ready"), fail: () => reads.push("failed") };
    node.replica?.read(10_000, reader);
    try {
      cluster.time.until(() => node.failure !== undefined, 250);
    } catch (error) {
      // A broken invariant leaves the test's `fatal` as it came; anything else is none of its business.
      if (error !== node.failure) throw error;
    }
    // What left before the failure is still on its way.
    cluster.time.advance(1);
    const sent: string[] = [];
    cluster.filter = (from, _to, messages) => {
      if (from === node.id) sent.push(...messages.map(({ type }) => type));
      return messages;
    };
    const everything = { gte: "", lt: "\uffff" };
    const rowsOf = () => [...node.logDisk.rows(everything), ...node.stateDisk.rows(everything)];
    const rows = rowsOf();
    const late = node.propose("late");
    node.replica?.read(10_000, reader);
    reconnect(cluster, node);
    cluster.time.advance(3000);
    t.same(sent, [], "it is silent, on new streams, too");
    t.same(rowsOf(), rows, "it writes nothing");
    t.equal(waiting.result, undefined);
    t.not(waiting.failure, undefined, "who waited was told");
    t.equal(late.failure, "NOT_EXECUTED");
    t.same(reads, ["failed", "failed"]);
    t.equal(node.failures.length, 1, "the process was told to end, once");
    const others = cluster.nodes.filter((other) => other !== node);
    t.ok(
      others.every((other) => other.failure === undefined && other.isReady),
      "the others go on",
    );
  });
}
