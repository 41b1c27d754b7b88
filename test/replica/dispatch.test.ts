import t from "tap";
import { Dispatch } from "../../src/replica/dispatch.js";
import { Proposals } from "../../src/replica/proposals.js";
import { SessionKeeper } from "../../src/replica/session-keeper.js";
import type { Forward, ForwardRejected } from "../../src/transport/transport.js";
import { type Answer, VirtualCluster } from "./virtual-cluster.js";

// Commands on their way into an entry, at leaders that cannot or may not take them.

function settledOnce(answers: readonly Answer[]): boolean {
  return answers.every(({ result, failure }) => result !== undefined || failure !== undefined);
}

t.test("what waits at a leader that hands over goes on to the next one, and acts once", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const { leader, followers } = cluster;
  const [target, other] = followers;
  if (target === undefined || other === undefined) throw new Error("there are two followers");
  // The successor hears nothing for a while, so the old leader takes no proposals and its inbox fills.
  cluster.filter = (_from, to, messages) => (to === target.id ? [] : messages);
  leader.replica?.transferLeadership(target.id);
  const answers = Array.from({ length: 50 }, (_, place) => other.propose(`line ${place}`));
  answers.push(leader.propose("the leader's own"));
  cluster.time.advance(50);
  t.equal(answers.filter(({ result }) => result !== undefined).length, 0, "nothing is packed while it hands over");
  cluster.filter = (_from, _to, messages) => messages;
  cluster.time.until(() => settledOnce(answers));
  t.notOk(answers.some(({ failure }) => failure !== undefined));
  t.equal(new Set(cluster.settledLines()).size, 51);
});

t.test("a draining leader whose successor does not take over goes on leading, and answers", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const { leader, followers } = cluster;
  const answer = followers[0]?.propose("on its way");
  cluster.filter = (_from, _to, messages) => messages.filter(({ type }) => type !== "timeoutNow");
  leader.replica?.drain();
  t.equal(leader.replica?.transferLeadership(), true);
  t.equal(leader.replica?.isHandingOver, true);
  cluster.time.until(() => leader.replica?.isHandingOver === false, 1000);
  t.equal(leader.replica?.isLeader, true);
  cluster.time.until(() => answer?.result !== undefined);
  t.equal(leader.propose("too late").failure, "NOT_EXECUTED");
});

t.test(
  "commands that were taken before there is a session wait for it, and end as not executed without one",
  async (t) => {
    const cluster = new VirtualCluster(3);
    await cluster.node(1).start();
    const early = cluster.node(1).propose("early");
    const tooEarly = cluster.node(1).propose("too early", 200);
    cluster.time.until(() => tooEarly.failure !== undefined);
    t.equal(tooEarly.failure, "NOT_EXECUTED");
    await cluster.node(2).start();
    await cluster.node(3).start();
    cluster.time.until(() => early.result !== undefined);
    t.same(cluster.settledLines(), ["early"]);
  },
);

t.test("commands near the size of an entry go one by one, from any node", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const sizes = [900_000, 1_048_000, 10, 700_000, 1_100_000];
  const answers = cluster.nodes.flatMap((node) => sizes.map((size) => node.propose(`${node.id}${"x".repeat(size)}`)));
  cluster.time.until(() => settledOnce(answers));
  t.notOk(answers.some(({ failure }) => failure !== undefined));
  t.equal(cluster.settledLines().length, 15);
});

t.test(
  "a session closed by a late registration of the life before is replaced, and what waits acts once",
  async (t) => {
    const cluster = await new VirtualCluster(3).start();
    cluster.untilReady();
    const [node] = cluster.followers;
    if (node === undefined) throw new Error("there is no follower");
    const { leader } = cluster;
    // The registration of its first life is kept back, and comes again in the middle of the second life.
    let keptBack: readonly Parameters<typeof cluster.filter>[2][number][] = [];
    cluster.filter = (from, _to, messages) => {
      const forwards = messages.filter(({ type }) => type === "forward");
      if (from === node.id && keptBack.length === 0 && forwards.length > 0) keptBack = forwards;
      return messages;
    };
    await node.crash();
    await node.start();
    cluster.untilReady();
    await node.crash();
    await node.start();
    cluster.untilReady();
    t.equal(keptBack.length, 1);
    let isPlayed = false;
    cluster.filter = (from, to, messages) => {
      if (isPlayed || from !== node.id || to !== leader.id) return messages;
      isPlayed = true;
      return [...keptBack, ...messages];
    };
    const answers: Answer[] = [];
    for (let round = 0; round < 40; round++) {
      answers.push(node.propose(`line ${round}`));
      cluster.time.advance(0.4);
    }
    cluster.time.until(() => settledOnce(answers));
    t.notOk(answers.some(({ failure }) => failure !== undefined));
    t.same(cluster.settledLines().toSorted(), answers.map((_, round) => `line ${round}`).toSorted());
    t.equal(isPlayed, true);
  },
);

t.test("a refusal that was meant for a node's former life refuses nothing of its present one", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const { leader: old, followers } = cluster;
  const [node, next] = followers;
  if (node === undefined || next === undefined) throw new Error("there are two followers");
  let refusals = 0;
  cluster.filter = (from, to, messages) => {
    if (to === node.id) refusals += messages.filter(({ type }) => type === "forwardRejected").length;
    // Not the restarted node shall lead, but the other one.
    return messages.filter(({ type }) => from !== node.id || type !== "voteRequest");
  };
  // The leader's disk is slow, so what the node forwards waits there; then the leader stands still.
  old.syncMs = 2000;
  const busy = old.propose("keeps the disk busy");
  cluster.time.advance(1);
  node.propose("of the former life");
  cluster.time.advance(1);
  old.time.pause();
  await node.crash();
  await node.start();
  cluster.time.until(() => node.isReady && cluster.time.now > 4000);
  // A command of the new life is at the new leader, its answer lost, when the old one refuses what it still holds.
  const lastIndex = next.replica?.core?.lastIndex ?? 0;
  const answer = node.propose("of the present life", 300);
  cluster.time.until(() => (next.replica?.core?.lastIndex ?? 0) > lastIndex);
  cluster.network.cut(node.id, next.id);
  old.syncMs = 0.5;
  old.time.resume();
  cluster.time.until(() => answer.failure !== undefined);
  t.equal(refusals, 1, "the refusal arrived");
  t.equal(answer.failure, "OUTCOME_UNKNOWN");
  cluster.network.heal(node.id, next.id);
  cluster.untilReady();
  t.same(cluster.settledLines(), ["keeps the disk busy", "of the present life"], "for it did act");
  t.equal(busy.failure, undefined);
});

const HEARTBEAT_MS = 50;

/** A follower's dispatch with one command that a leader was sent before: that attempt may still act. */
function withUncertainCommand(): { readonly dispatch: Dispatch; readonly forwards: Forward[] } {
  const forwards: Forward[] = [];
  const proposals = new Proposals({ retryMs: 10_000, firstId: 1 });
  const sessions = new SessionKeeper({ nodeId: 2, storeId: "s", nonce: "n", repeatMs: 10_000 });
  sessions.ownOutcomes({ opened: () => {}, settled: () => {} }).registered(5);
  const dispatch = new Dispatch({
    nodeId: 2,
    heartbeatMs: HEARTBEAT_MS,
    proposals,
    sessions,
    clock: { monotonic: () => 0, wall: () => 0 },
    observer: { entryPacked: () => {} },
    transport: {
      send: (_to, messages) => {
        for (const message of messages) if (message.type === "forward") forwards.push(message);
      },
    },
  });
  proposals.submit({ machine: 7, payload: new Uint8Array(1) }, 60_000, { settle: () => {}, fail: () => {} });
  dispatch.forward(1, 0);
  dispatch.leaderKnown();
  return { dispatch, forwards };
}

const REASONS: readonly ForwardRejected["reason"][] = ["notLeader", "clockSkew", "overloaded"];
for (const reason of REASONS) {
  t.test(`a node that is refused (${reason}) asks again after a heartbeat, and not in every turn`, async (t) => {
    const { dispatch, forwards } = withUncertainCommand();
    let refused = forwards.length;
    for (let now = 1; now <= 1000; now++) {
      dispatch.forward(1, now);
      for (const { forwardId } of forwards.slice(refused)) {
        dispatch.receiveRejection({ type: "forwardRejected", forwardId, reason, leaderId: 1 }, now);
      }
      refused = forwards.length;
    }
    t.ok(forwards.length > 2, "it goes on asking");
    t.ok(forwards.length <= 2 + 1000 / HEARTBEAT_MS, `${forwards.length} times in a second`);
  });
}
