import { rmSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { localPorts } from "../../cluster/ports.js";
import { folio } from "../cli/command-line.js";
import { damageLog } from "./damaged-log.js";
import { folioCluster, freeOffset, host, next } from "./folio-cluster.js";

t.test("after `folio recover` the founders that are out are said and left out, and another can join", async (t) => {
  const offset = await freeOffset(3);
  const dataDir = join(t.testdir(), "cluster");
  const place = ["--data-dir", dataDir, "--port-offset", String(offset)];
  const one = `http://${host}:${localPorts(1, offset).rest}`;
  const before = folioCluster(t, ...place);
  await before.shows("Try:");
  t.equal(await next(one, "SG"), "SG000001");
  before.child.kill("SIGINT");
  t.equal(await before.exited, 0, before.output());
  for (const id of [2, 3]) rmSync(join(dataDir, `node-${id}`), { recursive: true });
  const node = ["--data-dir", join(dataDir, "node-1"), "--node-id", "1", "--safety-distance", "10", "--yes"];
  const recovered = await folio(["recover", "--new-cluster", ...node]);
  t.equal(recovered.code, 0, recovered.stderr);

  const after = folioCluster(t, ...place);
  await after.shows("Try:");
  for (const id of [2, 3]) t.match(after.output(), `Node ${id} is no member of the cluster any more`);
  t.match(after.output(), "Folio is up: 1 node, one cluster");
  t.equal(await next(one, "SG"), "SG000012");
  const added = folioCluster(t, "add", "--data-dir", dataDir);
  t.equal(await added.exited, 0, added.output());
  t.match(added.output(), "Node 2 has joined and is a voter");
  after.child.kill("SIGINT");
  t.equal(await after.exited, 0, after.output());
});

t.test("after `folio recover` the cluster starts beside founders whose data are damaged", async (t) => {
  const offset = await freeOffset(3);
  const dataDir = join(t.testdir(), "cluster");
  const place = ["--data-dir", dataDir, "--port-offset", String(offset)];
  const before = folioCluster(t, ...place);
  await before.shows("Try:");
  before.child.kill("SIGINT");
  t.equal(await before.exited, 0, before.output());
  for (const id of [1, 3]) damageLog(join(dataDir, `node-${id}`));
  const stuck = folioCluster(t, ...place);
  t.equal(await stuck.exited, 1);
  t.match(stuck.output(), "recover --new-cluster", "the advice that is followed now");
  const node = ["--data-dir", join(dataDir, "node-2"), "--node-id", "2", "--safety-distance", "10", "--yes"];
  const recovered = await folio(["recover", "--new-cluster", ...node]);
  t.equal(recovered.code, 0, recovered.stderr);

  const after = folioCluster(t, ...place);
  await after.shows("Try:");
  for (const id of [1, 3]) t.match(after.output(), `Node ${id} is no member of the cluster any more`);
  t.match(after.output(), "Folio is up: 1 node, one cluster");
  t.equal(await next(`http://${host}:${localPorts(2, offset).rest}`, "SG"), "SG000011");
  after.child.kill("SIGINT");
  t.equal(await after.exited, 0, after.output());
  const again = folioCluster(t, ...place);
  await again.shows("Try:");
  t.match(again.output(), "Starting 1 node,", "who is out is remembered");
  again.child.kill("SIGINT");
  t.equal(await again.exited, 0, again.output());
});
