import t from "tap";
import { faultsOf, startLoad } from "./load.js";
import { agreedLeader, realCluster, statusOf } from "./real-cluster.js";
import { errorsOf, until } from "./waiting.js";

t.test(
  "kill -9 of the leader under load: clients of the survivors see no error and no number twice or missing",
  async (t) => {
    const cluster = await realCluster(t);
    const leader = await agreedLeader(cluster);
    const survivors = cluster.ids.filter((id) => id !== leader);
    const surviving = startLoad(cluster, { prefix: "SG", clients: 48, nodes: survivors, draws: 1_000_000 });
    const dying = startLoad(cluster, { prefix: "SG", clients: 16, nodes: [leader], draws: 1_000_000 });
    await until(() => surviving.drawn > 3000 && dying.drawn > 500);
    await cluster.kill(leader, "SIGKILL");
    dying.stop();
    const drawnBefore = surviving.drawn;
    await until(() => surviving.drawn > drawnBefore + 3000);
    await cluster.restart(leader);
    const drawnAtRestart = surviving.drawn;
    await until(() => surviving.drawn > drawnAtRestart + 1000);
    surviving.stop();
    await Promise.all([surviving.ended, dying.ended]);
    t.same(errorsOf(surviving.attempts), [], "clients of the survivors only waited");
    t.same(faultsOf([...surviving.attempts, ...dying.attempts], 1), []);
    const statuses = await Promise.all(cluster.ids.map((id) => statusOf(cluster, id, "SG")));
    t.equal(new Set(statuses.map((status) => status.current_counter)).size, 1, "the killed node has caught up");
  },
);

t.test("kill -9 of all nodes under load: every acknowledged number is there, and the next one follows", async (t) => {
  const cluster = await realCluster(t);
  const load = startLoad(cluster, { prefix: "SG", clients: 48, nodes: cluster.ids, draws: 1_000_000 });
  await until(() => load.drawn > 3000);
  const killed = Promise.all(cluster.ids.map((id) => cluster.kill(id, "SIGKILL")));
  load.stop();
  await Promise.all([killed, load.ended]);
  await Promise.all(cluster.ids.map((id) => cluster.restart(id)));
  const after = startLoad(cluster, { prefix: "SG", clients: 3, nodes: cluster.ids, draws: 300 });
  await after.ended;
  t.same(errorsOf(after.attempts), []);
  t.same(faultsOf([...load.attempts, ...after.attempts], 1), []);
  const largest = (attempts: typeof load.attempts) => Math.max(...attempts.map(({ counter = 0 }) => counter));
  t.ok(largest(after.attempts) >= largest(load.attempts) + 300, "numbers go on behind the largest acknowledged one");
});
