import t from "tap";
import { type Answer, VirtualCluster } from "./virtual-cluster.js";

t.test("three empty nodes found one cluster, elect one leader and register their sessions", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const views = cluster.nodes.map((node) => node.replica?.view());
  t.equal(new Set(views.map((view) => view?.clusterId)).size, 1);
  t.match(views[0]?.clusterId, /^[0-9a-f]{32}$/);
  t.equal(cluster.nodes.filter((node) => node.replica?.isLeader).length, 1);
});

t.test("a command of any node is applied once on all, and its origin answers", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const answers = cluster.nodes.map((node) => node.propose(`from ${node.id}`));
  cluster.time.until(() => answers.every((answer) => answer.result !== undefined));
  t.same(new Set(answers.map((answer) => answer.result)), new Set([1, 2, 3]));
  t.equal(cluster.settledLines().length, 3);
});

t.test("what arrives during a write shares the next entry", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const { leader } = cluster;
  const first = leader.propose("first");
  cluster.time.advance(0.1);
  leader.packed.length = 0;
  const rest = Array.from({ length: 50 }, (_, place) => leader.propose(`line ${place}`));
  cluster.time.until(() => [first, ...rest].every((answer) => answer.result !== undefined));
  t.same(leader.packed, [50]);
});

t.test("the leader dies under load: the survivors answer everything, once", async (t) => {
  for (let seed = 1; seed <= 30; seed++) {
    const cluster = await new VirtualCluster(3, seed).start();
    cluster.untilReady();
    const { leader, followers } = cluster;
    const answers: { readonly line: string; readonly answer: Answer }[] = [];
    for (let round = 0; round < 20; round++) {
      for (const node of followers)
        answers.push({ line: `${node.id}.${round}`, answer: node.propose(`${node.id}.${round}`) });
      cluster.time.advance(0.37);
      if (round === 10) await leader.crash(seed % 2 === 0 ? "durable" : "lost");
    }
    cluster.time.until(() =>
      answers.every(({ answer }) => answer.result !== undefined || answer.failure !== undefined),
    );
    t.same(
      answers.filter(({ answer }) => answer.failure !== undefined),
      [],
      `seed ${seed}: no client of a survivor sees an error`,
    );
    await leader.start();
    cluster.untilReady();
    const lines = cluster.settledLines();
    for (const { line, answer } of answers) t.equal(lines[(answer.result ?? 0) - 1], line);
    t.equal(lines.length, answers.length, `seed ${seed}: nothing acted twice`);
  }
});

t.test("all nodes die and come back: everything acknowledged is there", async (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const cluster = await new VirtualCluster(3, seed).start();
    cluster.untilReady();
    const answers: { readonly line: string; readonly answer: Answer }[] = [];
    for (let round = 0; round < 30; round++) {
      for (const node of cluster.nodes)
        answers.push({ line: `${node.id}.${round}`, answer: node.propose(`${node.id}.${round}`) });
      cluster.time.advance(0.29 + 40 * (round % 3));
    }
    for (const node of cluster.nodes) await node.crash(cluster.random() % 2 === 0 ? "durable" : "lost");
    for (const node of cluster.nodes) await node.start();
    cluster.untilReady();
    const lines = cluster.settledLines();
    for (const { line, answer } of answers) {
      if (answer.result !== undefined) t.equal(lines[answer.result - 1], line, `seed ${seed}: ${line} is there`);
    }
    t.equal(new Set(lines).size, lines.length, `seed ${seed}: nothing acted twice`);
  }
});

t.test("a follower that stands still for five seconds changes no leader and fails nobody", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const { leader, followers } = cluster;
  const [paused, awake] = followers;
  paused?.time.pause();
  const answers: (Answer | undefined)[] = [];
  for (let round = 0; round < 500; round++) {
    answers.push(leader.propose(`l${round}`), awake?.propose(`f${round}`));
    cluster.time.advance(10);
  }
  const waiting = paused?.propose("while it stood still");
  paused?.time.resume();
  cluster.time.until(() => waiting?.result !== undefined);
  cluster.time.advance(2000);
  t.ok(answers.every((answer) => answer?.result !== undefined));
  t.equal(leader.replica?.isLeader, true);
  t.equal(
    leader.transitions.filter(({ kind }) => kind === "roleChanged").length,
    3,
    "one poll, one election, no change since",
  );
  t.equal(cluster.settledLines().length, 1001);
});

t.test("a wiped voter does not vote: its seat belongs to the store that it lost", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const [first, second] = cluster.followers;
  const { leader } = cluster;
  await first?.crash();
  first?.wipe();
  await first?.start();
  await second?.crash();
  cluster.time.advance(5000);
  t.equal(first?.isReady, false);
  t.match(first?.notices.join("\n"), /stays out of the cluster: the seat of node \d belongs to store/);
  t.equal(leader.replica?.view().healthy, false, "the wiped node does not count");
  const answer = leader.propose("nobody hears it", 1000);
  cluster.time.until(() => answer.failure !== undefined);
  await second?.start();
  cluster.time.until(() => second?.isReady === true);
});

t.test("a wiped node refuses draws and reads at once, certainly and with its reason", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const [wiped] = cluster.followers;
  if (wiped === undefined) throw new Error("there is a follower");
  await wiped.crash();
  wiped.wipe();
  await wiped.start();
  const early = wiped.propose("before it has heard why it is out");
  cluster.time.until(() => early.failure !== undefined, 1000);
  t.match(wiped.replica?.view().reason, /stays out of the cluster/);
  const late = wiped.propose("afterwards");
  let refusal = "";
  wiped.replica?.read(10_000, { ready: () => t.fail("it knows nothing"), fail: (message) => (refusal = message) });
  cluster.time.until(() => late.failure !== undefined && refusal !== "", 100);
  t.same([early.failure, late.failure], ["NOT_EXECUTED", "NOT_EXECUTED"]);
  t.match([early.reason, late.reason, refusal], Array(3).fill(/the seat of node \d belongs to store/));
});

t.test("reads wait for everything that was committed before them", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  for (let round = 0; round < 50; round++) {
    const writer = cluster.node(1 + (round % 3));
    const reader = cluster.node(1 + ((round + 1) % 3));
    const answer = writer.propose(`line ${round}`);
    cluster.time.until(() => answer.result !== undefined);
    let seen: number | undefined;
    reader.replica?.read(1000, {
      ready: () => {
        seen = reader.machine?.lines.length;
      },
      fail: (message) => t.fail(message),
    });
    cluster.time.until(() => seen !== undefined);
    t.equal(seen, round + 1);
  }
});

t.test("a transfer moves leadership without failing anybody", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const before = cluster.leader;
  const answers: Answer[] = [];
  for (let round = 0; round < 60; round++) {
    for (const node of cluster.nodes) answers.push(node.propose(`${node.id}.${round}`));
    if (round === 20) t.equal(before.replica?.transferLeadership(), true);
    cluster.time.advance(1);
  }
  cluster.time.until(() => answers.every((answer) => answer.result !== undefined));
  t.not(cluster.leader, before);
  t.equal(cluster.settledLines().length, 180);
});

t.test("without a majority, a draw ends: not executed if it was never sent, unknown if it was", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const { leader, followers } = cluster;
  for (const follower of followers) await follower.crash();
  const sent = leader.propose("appended, never committed", 400);
  cluster.time.until(() => sent.failure !== undefined);
  t.equal(sent.failure, "OUTCOME_UNKNOWN");
  cluster.time.advance(2000);
  const never = leader.propose("nobody to send it to", 400);
  cluster.time.until(() => never.failure !== undefined);
  t.equal(never.failure, "NOT_EXECUTED");
});

t.test("a leader whose clock strays hands over to one whose clock does not", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const { leader } = cluster;
  leader.time.wallOffsetMs = 5000;
  cluster.time.until(() => !leader.replica?.isLeader && cluster.nodes.some((node) => node.replica?.isLeader === true));
  const answer = cluster.leader.propose("stamped by a steady clock");
  cluster.time.until(() => answer.result !== undefined);
  t.pass();
});

t.test("what was lost with a stream to the leader goes again as soon as the next stream is up", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const { leader, followers } = cluster;
  const [node] = followers;
  if (node === undefined) throw new Error("there is no follower");
  const answer = node.propose("on its way when the stream ends");
  let isRead = false;
  node.replica?.read(1000, { ready: () => (isRead = true), fail: (message) => t.fail(message) });
  cluster.time.advance(0.05);
  cluster.network.cut(leader.id, node.id);
  cluster.time.advance(5);
  cluster.network.heal(leader.id, node.id);
  cluster.time.advance(20);
  t.equal(answer.result, 1);
  t.equal(isRead, true);
});

t.test(
  "a leader whose disk is far behind those of the others hands over: callers of the others do not wait for it",
  async (t) => {
    const cluster = await new VirtualCluster(3).start();
    cluster.untilReady();
    const { leader, followers } = cluster;
    const [asked] = followers;
    const before = asked?.propose("before");
    cluster.time.until(() => before?.result !== undefined);
    leader.syncMs = 60_000;
    // The first one is on its way to the slow disk; the second is packed behind it, or by another leader.
    for (const line of ["in flight", "behind it"]) {
      const answer = asked?.propose(line);
      cluster.time.until(() => answer?.result !== undefined, 2000);
    }
    t.notOk(leader.replica?.isLeader, "another leads");
    t.match(leader.notices.join(), /disk is behind those of a majority: it hands over/);
    const { term } = cluster.leader.replica?.core ?? {};
    cluster.time.advance(10_000);
    t.equal(cluster.leader.replica?.core?.term, term, "and goes on leading");
  },
);

t.test("where all disks are slow alike nobody hands over", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const { leader } = cluster;
  for (const node of cluster.nodes) node.syncMs = 2000;
  for (let draw = 0; draw < 5; draw++) {
    const answer = leader.propose("slow");
    cluster.time.until(() => answer.result !== undefined, 10_000);
  }
  t.ok(leader.replica?.isLeader);
});

t.test("an overtaken leader asks one after the other until one takes over", async (t) => {
  const cluster = await new VirtualCluster(5).start();
  cluster.untilReady();
  const { leader, followers } = cluster;
  leader.syncMs = 60_000;
  const deaf = new Set<number>();
  // Whoever is asked first never hears of it.
  cluster.filter = (from, to, messages) => {
    const isAsked = from === leader.id && messages.some(({ type }) => type === "timeoutNow");
    if (isAsked && deaf.size === 0) deaf.add(to);
    return messages.filter(({ type }) => type !== "timeoutNow" || !deaf.has(to));
  };
  const answer = followers[0]?.propose("overtaken");
  cluster.time.until(() => answer?.result !== undefined, 2000);
  cluster.time.until(() => followers.some((node) => node.replica?.isLeader === true), 5000);
  t.equal(deaf.size, 1);
  t.notOk(deaf.has(cluster.leader.id));
});
