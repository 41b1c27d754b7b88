import t from "tap";
import { type Answer, VirtualCluster } from "../replica/virtual-cluster.js";

// Stories about whole replicas: commands with tags, sessions, forwarding. The cluster is
// test/replica/virtual-cluster.ts; time is virtual.

t.test("two leaders founded the cluster: the one whose founding entry was lost is taken in again", async (t) => {
  const cluster = new VirtualCluster(3);
  // The first leader is heard by nobody: its founding entry stays its own.
  let first = 0;
  cluster.filter = (from, to, messages) => {
    const leader = cluster.nodes.find((node) => node.replica?.isLeader === true);
    if (first === 0 && leader !== undefined) first = leader.id;
    return first !== 0 && (from === first || to === first) ? [] : messages;
  };
  await cluster.start();
  cluster.time.until(() => first !== 0);
  const lonely = cluster.node(first);
  cluster.time.until(() => (lonely.replica?.core?.durableIndex ?? 0) >= 1);
  const others = cluster.nodes.filter((node) => node !== lonely);
  // The others elect a leader of their own, who names the cluster.
  cluster.time.until(() => others.every((node) => node.isReady));
  const clusterId = others[0]?.replica?.view().clusterId;
  t.not(lonely.replica?.view().clusterId, clusterId);
  // The network mends; the streams are new, so both sides say who they are.
  for (const other of others) cluster.network.cut(first, other.id);
  cluster.time.advance(10);
  cluster.filter = (_from, _to, messages) => messages;
  for (const other of others) cluster.network.heal(first, other.id);
  cluster.time.until(() => lonely.isReady, 20_000);
  t.equal(lonely.replica?.view().clusterId, clusterId);
  const answer = lonely.propose("heard again");
  cluster.time.until(() => answer.result !== undefined);
});

t.test("bug 18: an entry of a deposed leader may still commit, so its fate is unknown, not refused", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const { leader, followers } = cluster;
  // Its entry reaches the followers, but no answer comes back.
  cluster.filter = (_from, to, messages) => (to === leader.id ? [] : messages);
  const answer = leader.propose("committed by another", 250);
  cluster.time.until(() => followers.some((node) => node.replica?.isLeader === true));
  cluster.time.until(() => answer.result !== undefined || answer.failure !== undefined);
  t.equal(answer.failure, "OUTCOME_UNKNOWN", "the deposed leader's client is told the truth");
  cluster.filter = (_from, _to, messages) => messages;
  cluster.untilReady();
  const next = cluster.leader.propose("the next one");
  cluster.time.until(() => next.result !== undefined);
  t.equal(cluster.settledLines().filter((line) => line === "committed by another").length, 1, "it did commit, once");
});

t.test(
  "bug 18: with time enough, the deposed leader's client gets the answer of the entry that committed",
  async (t) => {
    const cluster = await new VirtualCluster(3).start();
    cluster.untilReady();
    const { leader, followers } = cluster;
    cluster.filter = (_from, to, messages) => (to === leader.id ? [] : messages);
    const answer = leader.propose("committed by another");
    cluster.time.until(() => followers.some((node) => node.replica?.isLeader === true));
    cluster.filter = (_from, _to, messages) => messages;
    cluster.time.until(() => answer.result !== undefined);
    t.equal(cluster.settledLines().filter((line) => line === "committed by another").length, 1, "once");
  },
);

t.test("bug 19: a forward to a node that does not lead comes back, with its tag, and is never passed on", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const { leader, followers } = cluster;
  const [one, other] = followers;
  const forwards: { readonly from: number; readonly to: number }[] = [];
  cluster.filter = (from, to, messages) => {
    for (const { type } of messages) if (type === "forward") forwards.push({ from, to });
    return messages;
  };
  // The leader dies; both followers still believe in it, and have commands for it.
  const answers: Answer[] = [];
  await leader.crash();
  for (const node of [one, other]) if (node !== undefined) answers.push(node.propose(`from ${node.id}`));
  cluster.time.until(() => answers.every((answer) => answer.result !== undefined));
  cluster.time.advance(1000);
  t.ok(forwards.length <= 10, `${forwards.length} forwards: no loop`);
  t.same(new Set(cluster.settledLines()).size, 2, "each acted once");
});

t.test("bug 19: repeated under its tag to every leader there is, a command acts once", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const [origin] = cluster.followers;
  if (origin === undefined) throw new Error("there is no follower");
  // Every frame with a forward arrives twice, and leadership moves meanwhile.
  cluster.filter = (_from, _to, messages) => [...messages, ...messages.filter(({ type }) => type === "forward")];
  const answers: Answer[] = [];
  for (let round = 0; round < 30; round++) {
    answers.push(origin.propose(`line ${round}`));
    if (round % 10 === 5) cluster.leader.replica?.transferLeadership();
    cluster.time.advance(3);
  }
  cluster.time.until(() => answers.every((answer) => answer.result !== undefined));
  t.same(cluster.settledLines().sort(), answers.map((_, round) => `line ${round}`).sort());
});

t.test("bug 20: a node that was stopped reads its buffered heartbeats before it believes its timer", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const { leader, followers } = cluster;
  const [stopped] = followers;
  const polls: number[] = [];
  cluster.filter = (from, _to, messages) => {
    if (messages.some(({ type }) => type === "voteRequest")) polls.push(from);
    return messages;
  };
  stopped?.time.pause();
  cluster.time.advance(5000);
  stopped?.time.resume();
  cluster.time.advance(5000);
  t.same(polls, [], "nobody asked for votes");
  t.equal(leader.replica?.isLeader, true);
});

t.test("an answer to a read of a node's former life answers no read of its present one", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const { leader, followers } = cluster;
  const [reader, other] = followers;
  if (reader === undefined || other === undefined) throw new Error("there are two followers");
  cluster.settledLines();
  // Node `reader` asks, and the leader waits for its round: nobody's answers arrive there any more.
  let isHeard = false;
  cluster.filter = (from, to, messages) =>
    messages.filter(({ type }) => !(to === leader.id && type === "appendReply" && !(isHeard && from === other.id)));
  reader.replica?.read(1000, { ready: () => t.fail("nobody confirmed it"), fail: () => {} });
  cluster.time.advance(2);
  await reader.crash();
  await reader.start();
  cluster.time.until(() => reader.replica?.core?.leader === leader.id);
  // One more line commits by the other follower, and its answer ends the old read's round as well.
  const line = leader.propose("committed before the new read");
  const lossy = cluster.filter;
  cluster.filter = (from, to, messages) =>
    to === reader.id
      ? messages.filter((message) => message.type !== "appendRequest" || message.entries.length === 0)
      : lossy(from, to, messages);
  cluster.time.advance(2);
  isHeard = true;
  cluster.time.until(() => line.result !== undefined);
  // The client of that line now reads at the restarted node: it must see the line.
  let seen: string[] | undefined;
  reader.replica?.read(5000, {
    ready: () => {
      seen = reader.machine?.lines;
    },
    fail: (message) => t.fail(message),
  });
  cluster.time.advance(20);
  cluster.filter = (_from, _to, messages) => messages;
  cluster.time.until(() => seen !== undefined);
  t.same(seen, ["committed before the new read"]);
});
