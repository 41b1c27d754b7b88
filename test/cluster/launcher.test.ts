import { mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";
import type { Members } from "../../cluster/founding.js";
import { freePorts } from "../../cluster/free-ports.js";
import { LaunchError } from "../../cluster/launch-error.js";
import { LocalCluster } from "../../cluster/launcher.js";
import type { NodeExit } from "../../cluster/node-process.js";
import type { LocalClusterOptions } from "../../cluster/options.js";

const fakeNode = fileURLToPath(new URL("fake-node.js", import.meta.url));
const host = "127.0.0.1";

async function fakeCluster(
  t: Test,
  { behaviour = "", ...options }: Partial<LocalClusterOptions> & { behaviour?: string } = {},
): Promise<LocalCluster> {
  const cluster = new LocalCluster({
    nodes: 3,
    dataDir: t.testdir(),
    ports: await freePorts(3, host),
    command: [fakeNode],
    env: { FAKE_NODE: behaviour },
    ...options,
  });
  t.teardown(() => cluster.killAll());
  return cluster;
}

/** Whether a process with this id exists. */
function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

t.test("start resolves when every node serves, and stop ends all of them in order", async (t) => {
  const cluster = await fakeCluster(t);
  await cluster.start();
  t.strictSame(cluster.ids, [1, 2, 3]);
  const pids = cluster.ids.map((id) => cluster.pid(id) ?? 0);
  for (const id of cluster.ids) t.equal((await fetch(`${cluster.rest(id)}/ready`)).status, 200);
  await cluster.stop();
  for (const pid of pids) t.notOk(exists(pid), "no process is left");
  for (const id of cluster.ids) {
    t.equal(cluster.pid(id), undefined);
    t.match(readFileSync(cluster.logPath(id), "utf8"), /stopping in order/);
  }
});

t.test("each node learns its id, its folder and all founding members", async (t) => {
  const ports = await freePorts(3, host);
  const cluster = await fakeCluster(t, { ports });
  await cluster.start();
  const peers = [1, 2, 3].map((id) => `${id}=${host}:${ports(id).peer}`).join(",");
  for (const id of cluster.ids) {
    const first = readFileSync(cluster.logPath(id), "utf8").split("\n")[0] ?? "";
    t.match(JSON.parse(first), { id: String(id), peers, folder: new RegExp(`node-${id}$`) });
    t.equal(cluster.grpc(id), `${host}:${ports(id).grpc}`);
  }
  await cluster.stop();
});

t.test("what the test's own environment says of Folio does not leak into the nodes, its options do", async (t) => {
  const before = process.env["NODE_ID"];
  process.env["NODE_ID"] = "77";
  t.teardown(() => {
    if (before === undefined) delete process.env["NODE_ID"];
    else process.env["NODE_ID"] = before;
  });
  const cluster = await fakeCluster(t, { env: (id) => ({ PEERS: `only for ${id}` }) });
  await cluster.start();
  t.match(readFileSync(cluster.logPath(2), "utf8"), /^\{"id":"2","peers":"only for 2"/);
  await cluster.stop();
});

t.test("a killed node is gone at once and comes back by restart, under another process id", async (t) => {
  const surprises: NodeExit[] = [];
  const cluster = await fakeCluster(t, { onUnexpectedExit: (exit) => surprises.push(exit) });
  await cluster.start();
  const pid = cluster.pid(2) ?? 0;
  await cluster.kill(2);
  t.notOk(exists(pid));
  t.equal(cluster.pid(2), undefined);
  await cluster.restart(2);
  t.not(cluster.pid(2), pid);
  t.equal((await fetch(`${cluster.rest(2)}/ready`)).status, 200);
  await t.rejects(cluster.restart(2), new LaunchError("node 2 is running already"));
  t.strictSame(surprises, [], "a node that was told to end is no surprise");
  await cluster.stop();
});

t.test("a paused node keeps its process, and stop ends even that one", async (t) => {
  const cluster = await fakeCluster(t);
  await cluster.start();
  await cluster.kill(3, "SIGSTOP");
  const pid = cluster.pid(3) ?? 0;
  t.ok(exists(pid));
  await cluster.stop();
  t.notOk(exists(pid));
});

t.test("a node that does not stop within the grace is killed", async (t) => {
  const cluster = await fakeCluster(t, { behaviour: "stubborn", graceMs: 50 });
  await cluster.start();
  const pids = cluster.ids.map((id) => cluster.pid(id) ?? 0);
  await cluster.stop();
  for (const pid of pids) t.notOk(exists(pid));
});

t.test("a node that ends by itself is reported with its last lines", async (t) => {
  let report: (exit: NodeExit) => void = () => undefined;
  const reported = new Promise<NodeExit>((resolve) => {
    report = resolve;
  });
  const cluster = await fakeCluster(t, { onUnexpectedExit: (exit) => report(exit) });
  await cluster.start();
  process.kill(cluster.pid(1) ?? 0, "SIGKILL");
  t.match(await reported, { id: 1, code: null, signal: "SIGKILL", lastLines: [/"id":"1"/] });
  await cluster.stop();
});

t.test("a node that dies while starting fails the start with its last lines, and the others are stopped", async (t) => {
  const cluster = await fakeCluster(t, { env: (id) => ({ FAKE_NODE: id === 2 ? "dies" : "" }) });
  await t.rejects(cluster.start(), {
    name: "LaunchError",
    message: /^node 2 ended with code 3.*\n.*\nthe disk is made/s,
  });
  for (const id of cluster.ids) t.equal(cluster.pid(id), undefined);
});

t.test("a node that never serves fails the start with the reason", async (t) => {
  const cluster = await fakeCluster(t, { behaviour: "never ready", readyMs: 300 });
  await t.rejects(cluster.start(), { name: "LaunchError", message: /^node \d does not serve: / });
});

t.test("a majority goes on without a node that dies or is late, if all were there before", async (t) => {
  const failing = async (behaviours: Readonly<Record<number, string>>, folders: readonly string[] = ["node-1"]) => {
    const cluster = await fakeCluster(t, { lateMs: 50, env: (id) => ({ FAKE_NODE: behaviours[id] ?? "" }) });
    for (const folder of folders) mkdirSync(join(t.testdirName, folder));
    return cluster;
  };
  const dead = await failing({ 2: "dies" });
  t.match(await dead.startMajority(), [{ id: 2, why: /^node 2 ended with code 3.*the disk is made/s }]);
  t.strictSame(
    [1, 2, 3].map((id) => dead.pid(id) !== undefined),
    [true, false, true],
  );
  await dead.stop();
  // On a busy machine it might not even listen when the others serve: they wait for that.
  const ports = await freePorts(3, host);
  const late = await fakeCluster(t, {
    ports,
    lateMs: 1000,
    env: (id) => (id === 3 ? { FAKE_NODE: "never ready" } : { FAKE_WAITS_FOR: String(ports(3).rest) }),
  });
  mkdirSync(join(t.testdirName, "node-1"));
  t.match(await late.startMajority(), [{ id: 3, why: /^node 3 does not serve: 503 no leader yet/ }]);
  t.ok(late.pid(3), "it may still come");
  await late.stop();
  const tooFew = await failing({ 1: "dies", 2: "dies" });
  await t.rejects(tooFew.startMajority(), {
    name: "LaunchError",
    message: /node 1 ended(.*\n)*node 2|node 2 ended(.*\n)*node 1/,
  });
  t.equal(tooFew.pid(3), undefined, "as ever");
  const founding = await failing({ 2: "dies" }, []);
  await t.rejects(founding.startMajority(), { name: "LaunchError", message: /^node 2 ended with code 3/ });
});

t.test(
  "founders that end are left out once a node that serves does not count them, and that is remembered",
  async (t) => {
    const leftOut: number[] = [];
    const remembered: Members[] = [];
    const cluster = await fakeCluster(t, {
      env: (id) => (id === 2 ? { FAKE_MEMBERS: "2" } : { FAKE_NODE: "dies" }),
      onLeftOut: (id) => leftOut.push(id),
      onMembers: (members) => remembered.push(members),
    });
    for (const folder of ["node-1", "node-2", "node-3"]) mkdirSync(join(t.testdirName, folder));
    t.strictSame(await cluster.startMajority(), []);
    t.strictSame(cluster.ids, [2]);
    t.strictSame(leftOut.sort(), [1, 3]);
    t.strictSame(remembered.at(-1), { ids: [2], joined: [] });
    t.strictSame(
      [1, 2, 3].map((id) => cluster.pid(id) !== undefined),
      [false, true, false],
    );
    await cluster.stop();
  },
);

t.test("a node that is late and that nobody counts is left out as well, and does not run on", async (t) => {
  const leftOut: number[] = [];
  const cluster = await fakeCluster(t, {
    lateMs: 50,
    env: (id) => ({ FAKE_MEMBERS: "1,2", FAKE_NODE: id === 3 ? "never ready" : "" }),
    onLeftOut: (id) => leftOut.push(id),
  });
  mkdirSync(join(t.testdirName, "node-2"));
  t.strictSame(await cluster.startMajority(), []);
  t.strictSame(leftOut, [3]);
  t.strictSame(cluster.ids, [1, 2]);
  t.equal(cluster.pid(3), undefined);
  await cluster.stop();
});

t.test("nobody is waited for where the node that is left counts those that ended", async (t) => {
  const leftOut: number[] = [];
  const cluster = await fakeCluster(t, {
    // Longer than this test may take.
    readyMs: 600_000,
    env: (id) => (id === 2 ? { FAKE_MEMBERS: "1,2,3", FAKE_NODE: "never ready" } : { FAKE_NODE: "dies" }),
    onLeftOut: (id) => leftOut.push(id),
  });
  mkdirSync(join(t.testdirName, "node-2"));
  await t.rejects(cluster.startMajority(), { name: "LaunchError", message: /node 1 ended|node 3 ended/ });
  t.strictSame(leftOut, []);
  t.strictSame(cluster.ids, [1, 2, 3]);
});

t.test("a port in use is named with the node that wanted it, before anything is started", async (t) => {
  const ports = await freePorts(3, host);
  const squatter = createServer();
  await new Promise<void>((resolve) => {
    squatter.listen(ports(2).grpc, host, resolve);
  });
  t.teardown(() => squatter.close());
  const cluster = await fakeCluster(t, { ports });
  await t.rejects(cluster.start(), new LaunchError(`port ${ports(2).grpc}, for gRPC of node 2, is in use already`));
  t.equal(cluster.pid(1), undefined);
});

t.test("stopping while nodes are starting leaves no process behind", async (t) => {
  const cluster = await fakeCluster(t, { behaviour: "never ready" });
  const started = cluster.start();
  await Promise.all([t.rejects(started, { name: "LaunchError" }), cluster.stop().then(() => cluster.stop())]);
  for (const id of cluster.ids) t.equal(cluster.pid(id), undefined);
});
