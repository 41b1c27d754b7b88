import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import t, { type Test } from "tap";
import type { Members } from "../../cluster/founding.js";
import { freePorts } from "../../cluster/free-ports.js";
import { LocalCluster } from "../../cluster/launcher.js";
import type { LocalClusterOptions } from "../../cluster/options.js";
import { folio } from "../cli/command-line.js";
import { next } from "./folio-cluster.js";
import { ADMIN_KEY, realCluster } from "./real-cluster.js";
import { until } from "./waiting.js";

/** Three nodes that may grow by one; they and their folder end with the test. */
async function ownCluster(t: Test, options: Partial<LocalClusterOptions>): Promise<LocalCluster> {
  const dataDir = await mkdtemp(join(tmpdir(), "folio-test-"));
  const cluster = new LocalCluster({ nodes: 3, dataDir, ports: await freePorts(4, "127.0.0.1"), ...options });
  t.teardown(async () => {
    await cluster.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
  await cluster.start();
  return cluster;
}

t.test(
  "a node whose removal would leave too few voters runs on; a dead one goes, and then it may go, too",
  async (t) => {
    const cluster = await realCluster(t);
    const pid = cluster.pid(1);
    await cluster.kill(3);
    const sentence = /^node 1 runs on, and keeps its seat: 1 of the 2 voters that would be left answers.*start node 3/;
    await t.rejects(cluster.removeNode(1), { name: "LaunchError", message: sentence });
    t.equal(cluster.pid(1), pid, "nobody stopped it");
    t.equal(await next(cluster.rest(1), "SG"), "SG000001", "and there is a quorum still");
    t.same(await cluster.removeNode(3), [1, 2]);
    t.same(await cluster.removeNode(1), [2], "of two voters, too: its seat goes first");
    t.equal(await next(cluster.rest(2), "SG"), "SG000002");
  },
);

t.test("a node whose seat the others do not free after all is started again", async (t) => {
  const cluster = await ownCluster(t, { removalMs: 3000 });
  const pid = cluster.pid(1);
  const refused = t.rejects(cluster.removeNode(1), {
    name: "LaunchError",
    message: /^the others do not free the seat of node 1: .* It runs again$/,
  });
  // All was well when it was stopped; then, and before anybody can be asked, the others die.
  while (cluster.pid(1) !== undefined) await nextTurn();
  await Promise.all([cluster.kill(2), cluster.kill(3)]);
  await until(() => cluster.pid(1) !== undefined);
  t.not(cluster.pid(1), pid);
  await Promise.all([cluster.restart(2), cluster.restart(3)]);
  await refused;
  t.same(cluster.ids, [1, 2, 3]);
  t.equal(await next(cluster.rest(1), "SG"), "SG000001");
});

t.test("without a quorum no node is added, and that is said at once", async (t) => {
  const cluster = await realCluster(t, { nodesMax: 4 });
  for (const id of [2, 3]) await cluster.kill(id);
  await t.rejects(cluster.addNode(), { name: "LaunchError", message: /^no node can be added now: no / });
  t.notOk(existsSync(cluster.logPath(4)), "nothing was started");
  t.same(cluster.members, { ids: [1, 2, 3], joined: [] });
});

t.test("a node that is not let in any more is stopped and counts for nothing at the next start", async (t) => {
  let noted: Members | undefined;
  let killed: Promise<unknown> | undefined;
  const cluster = await ownCluster(t, {
    readyMs: 12_000,
    onMembers: (members) => {
      noted = members;
      // The quorum is lost the moment it has begun.
      killed ??= Promise.all([cluster.kill(2), cluster.kill(3)]);
    },
  });
  await t.rejects(cluster.addNode(), {
    name: "LaunchError",
    message: /^node 4 does not serve.*Node 4 was stopped.*whether it has a seat is not known.*folio members remove 4/s,
  });
  t.equal(cluster.pid(4), undefined);
  t.same(noted, { ids: [1, 2, 3], joined: [] });
  await killed;
});

t.test("a cluster whose client calls need a key grows and shrinks as well", async (t) => {
  const cluster = await realCluster(t, { nodesMax: 4, env: { API_KEYS: "a-client" } });
  t.equal(await cluster.addNode(), 4);
  const byHand = await folio(["members", "remove", "2", "--server", cluster.rest(1), "--api-key", ADMIN_KEY]);
  t.equal(byHand.code, 0, byHand.stderr);
  t.same(await cluster.removeNode(4), [1, 3], "members are told, and not the processes that there are");
  t.same(cluster.ids, [1, 2, 3]);
});
