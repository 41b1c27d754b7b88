import t from "tap";
import { aFollower, clusterOf, fetched, isFetching, SMALL, setApart } from "./away.js";
import { Load } from "./load.js";

// What a node was at when a snapshot took the place of entries: what waited, what was half done.

t.test(
  "what a node waited for while it was away is answered from the snapshot, or goes again and acts once",
  async (t) => {
    for (let seed = 1; seed <= 10; seed++) {
      const cluster = await clusterOf(3, SMALL, seed);
      const away = aFollower(cluster);
      const others = cluster.nodes.filter((node) => node !== away);
      const acted = away.propose("acted while away");
      // The forward arrives; the node hears nothing any more.
      cluster.filter = (_from, to, messages) => (to === away.id ? [] : messages);
      cluster.time.advance(1);
      // This one is sent, and lost.
      cluster.filter = () => [];
      const lost = away.propose("lost on its way");
      cluster.time.advance(1);
      cluster.filter = (_from, _to, messages) => messages;
      setApart(cluster, away, true);
      const late = away.propose("never sent");
      let isRead = false;
      away.replica?.read(10_000, { ready: () => (isRead = true), fail: (message) => t.fail(message) });
      const load = new Load(cluster);
      load.run(others, 300);
      t.equal(acted.result, undefined);
      setApart(cluster, away, false);
      cluster.time.until(() => [acted, lost, late].every(({ result }) => result !== undefined));
      t.equal(fetched(away), 1, "it came with a snapshot, not with entries");
      const lines = cluster.settledLines();
      t.equal(lines[(acted.result ?? 0) - 1], "acted while away", "the very result that its apply returned");
      for (const line of ["acted while away", "lost on its way", "never sent"]) {
        t.equal(lines.filter((other) => other === line).length, 1, line);
      }
      t.ok(isRead);
      t.same(load.failed, []);
    }
  },
);

t.test(
  "a session closed while its node was away: what may have acted ends as unknown, and never acts twice",
  async (t) => {
    const cluster = await clusterOf(3, SMALL);
    const away = aFollower(cluster);
    const others = cluster.nodes.filter((node) => node !== away);
    const acted = away.propose("acted while away");
    cluster.filter = (_from, to, messages) => (to === away.id ? [] : messages);
    cluster.time.advance(1);
    cluster.filter = (_from, _to, messages) => messages;
    setApart(cluster, away, true);
    const sentTooLate = away.propose("sent under a session that was closed");
    const load = new Load(cluster);
    load.run(others, 50);
    cluster.changed({ kind: "remove", nodeId: away.id });
    load.run(others, 200);
    const { id: nodeId, storeId, address } = away;
    cluster.changed({ kind: "add", nodeId, storeId, address });
    setApart(cluster, away, false);
    cluster.time.until(() => [acted, sentTooLate].every(({ failure }) => failure === "OUTCOME_UNKNOWN"));
    cluster.time.until(() => away.isReady);
    const after = away.propose("under the next session");
    cluster.time.until(() => after.result !== undefined);
    const lines = cluster.settledLines();
    t.equal(lines.filter((line) => line === "acted while away").length, 1);
    t.notOk(lines.includes("sent under a session that was closed"));
    t.equal(fetched(away), 1);
  },
);

t.test(
  "whenever a node dies while it installs a snapshot, it comes back with the old state or the new one",
  async (t) => {
    let diedInstalled = 0;
    let diedBefore = 0;
    for (let moment = 0; moment < 40; moment++) {
      const cluster = await clusterOf(3, SMALL);
      const away = aFollower(cluster);
      const others = cluster.nodes.filter((node) => node !== away);
      const load = new Load(cluster);
      await away.crash();
      load.run(others, 200);
      load.untilAnswered();
      await away.start();
      const appliedBefore = away.replica?.appliedIndex ?? 0;
      cluster.time.until(() => isFetching(away));
      cluster.time.advance(moment * 0.15);
      await away.crash(moment % 2 === 0 ? "durable" : "lost");
      await away.start();
      const appliedAfter = away.replica?.appliedIndex ?? 0;
      if (appliedAfter > appliedBefore) diedInstalled++;
      else {
        diedBefore++;
        t.equal(appliedAfter, appliedBefore, "the old state, as it was");
      }
      cluster.untilReady();
      load.run(cluster.nodes, 10);
      load.untilAnswered();
      t.equal(load.violation(), undefined);
      t.equal(away.stateDisks.generations.length, 1, "nothing is left over");
    }
    t.ok(diedInstalled > 5 && diedBefore > 5, `${diedBefore} died before the switch, ${diedInstalled} after`);
  },
);

t.test("a node that is told to stop while a snapshot is put in force stops with the new state", async (t) => {
  const cluster = await clusterOf(3, SMALL);
  const load = new Load(cluster);
  const away = aFollower(cluster);
  const others = cluster.nodes.filter((node) => node !== away);
  await away.crash();
  load.run(others, 300);
  load.untilAnswered();
  await away.start();
  const core = () => away.replica?.core;
  cluster.time.until(() => (core()?.baseIndex ?? 0) > (core()?.durableIndex ?? 0), 5000);
  let hasStopped = false;
  void away.replica?.stop().then(() => {
    hasStopped = true;
  });
  cluster.time.advance(50);
  await new Promise(setImmediate);
  t.ok(hasStopped);
  await away.crash();
  await away.start();
  t.ok((away.replica?.appliedIndex ?? 0) >= 200);
  cluster.untilReady();
  t.equal(load.violation(), undefined);
});
