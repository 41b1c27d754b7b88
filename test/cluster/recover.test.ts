import { join } from "node:path";
import t from "tap";
import { LocalCluster } from "../../cluster/launcher.js";
import { folio } from "../cli/command-line.js";
import { faultsOf, startLoad } from "./load.js";
import { ADMIN_KEY, realClusterIn } from "./real-cluster.js";
import { errorsOf } from "./waiting.js";

t.test("after the loss of two of three nodes, the third goes on alone and grows again", async (t) => {
  const { cluster, dataDir, ports } = await realClusterIn(t);
  const load = startLoad(cluster, { prefix: "SG", clients: 16, nodes: cluster.ids, draws: 2000 });
  await load.ended;
  const drawn = load.attempts.length;
  await Promise.all(cluster.ids.map((id) => cluster.kill(id, "SIGKILL")));
  const place = ["--data-dir", join(dataDir, "node-2"), "--node-id", "2"];
  const recovered = await folio(["recover", "--new-cluster", ...place, "--safety-distance", "5000", "--yes"]);
  t.equal(recovered.code, 0, recovered.stderr);
  t.match(recovered.stderr, /What the others committed after entry \d+/);
  t.match(recovered.stderr, /Members 1 \(127\.0\.0\.1:\d+\), 3 \(127\.0\.0\.1:\d+\) are out for good/);

  const alone = new LocalCluster({
    nodes: 3,
    members: { ids: [2], joined: [] },
    dataDir,
    ports,
    env: { ADMIN_API_KEYS: ADMIN_KEY },
    readyMs: 60_000,
  });
  t.teardown(() => alone.stop());
  await alone.start();
  for (const expected of [1, 3]) t.equal(await alone.addNode(), expected);
  const after = startLoad(alone, { prefix: "SG", clients: 6, nodes: alone.ids, draws: 300 });
  await after.ended;
  t.same(errorsOf(after.attempts), []);
  const first = Math.min(...after.attempts.map(({ counter = 0 }) => counter));
  t.ok(first > drawn, "no number comes twice");
  t.ok(first >= 5001);
  t.same(faultsOf(after.attempts, first), []);
});
