import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { freePorts } from "../../cluster/free-ports.js";
import { LocalCluster } from "../../cluster/launcher.js";
import { folio } from "../cli/command-line.js";
import { startClientLoad } from "./client-load.js";
import { faultsOf, startLoad } from "./load.js";
import { ADMIN_KEY, realCluster, statusOf } from "./real-cluster.js";
import { errorsOf, until } from "./waiting.js";

const HOST = "127.0.0.1";

/** A cluster of one node, whose folder is there already; it may grow. */
async function clusterOf(t: Test, dataDir: string, ports: Awaited<ReturnType<typeof freePorts>>) {
  const env = { ADMIN_API_KEYS: ADMIN_KEY };
  const cluster = new LocalCluster({ nodes: 1, dataDir, ports, env, readyMs: 60_000 });
  t.teardown(() => cluster.stop());
  await cluster.start();
  return cluster;
}

t.test("a backup taken under load, restored elsewhere, goes on behind every number that it has seen", async (t) => {
  const cluster = await realCluster(t);
  const folder = await mkdtemp(join(tmpdir(), "folio-backup-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "folio.backup");
  const load = startClientLoad(
    "SG",
    cluster.ids.map((id) => cluster.grpc(id)),
  );
  await until(() => load.drawn > 500);
  const drawnBefore = load.attempts.reduce((largest, { counter = 0 }) => Math.max(largest, counter), 0);
  const servers = cluster.ids.map((id) => cluster.rest(id)).join(",");
  const taken = await folio(["backup", file, "--server", servers, "--api-key", ADMIN_KEY]);
  t.equal(taken.code, 0, taken.stderr);
  const drawnDuring = load.drawn;
  await until(() => load.drawn > drawnDuring + 100);
  await load.stop();
  t.same(errorsOf(load.attempts), [], "draws went on");
  t.same(faultsOf(load.attempts, 1), []);
  const drawnAfter = load.attempts.reduce((largest, { counter = 0 }) => Math.max(largest, counter), 0);
  await cluster.stop();

  const ports = await freePorts(2, HOST);
  const address = `${HOST}:${ports(1).peer}`;
  const restore = (dataDir: string, ...more: string[]) =>
    folio(["restore", file, "--data-dir", dataDir, "--node-id", "1", "--address", address, ...more]);
  const exact = await restore(join(folder, "exact", "node-1"));
  t.equal(exact.code, 0, exact.stderr);
  const restored = await clusterOf(t, join(folder, "exact"), ports);
  const { current_counter: reached } = await statusOf(restored, 1, "SG");
  t.ok(reached >= drawnBefore, "what was drawn before the backup is in it");
  t.ok(reached < drawnAfter, "what was drawn after it is not");
  t.equal(await restored.addNode(), 2, "others join the restored cluster");
  const again = startLoad(restored, { prefix: "SG", clients: 4, nodes: [1, 2], draws: 100 });
  await again.ended;
  t.same(errorsOf(again.attempts), []);
  t.same(faultsOf(again.attempts, reached + 1), []);
  await restored.stop();

  const safe = await restore(join(folder, "safe", "node-1"), "--safety-distance", "100000");
  t.equal(safe.code, 0, safe.stderr);
  const ahead = await clusterOf(t, join(folder, "safe"), ports);
  const last = startLoad(ahead, { prefix: "SG", clients: 1, nodes: [1], draws: 1 });
  await last.ended;
  const [attempt] = last.attempts;
  t.equal(attempt?.counter, reached + 100_001, "with a safety distance, behind what was drawn later, too");
});
