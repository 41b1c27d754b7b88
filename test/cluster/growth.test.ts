import t from "tap";
import { startClientLoad } from "./client-load.js";
import { faultsOf } from "./load.js";
import { agreedLeader, getJson, realCluster, statusOf } from "./real-cluster.js";
import { errorsOf, until } from "./waiting.js";

interface Cluster {
  readonly nodes: readonly { readonly id: number; readonly kind: string; readonly reachable: boolean }[];
}

t.test(
  "three nodes grow to five and shrink to three under load: no call fails, no number twice or missing",
  async (t) => {
    const cluster = await realCluster(t, { nodesMax: 5 });
    const load = startClientLoad(
      "SG",
      cluster.ids.map((id) => cluster.grpc(id)),
    );
    await until(() => load.drawn > 300);
    for (const expected of [4, 5]) {
      const id = await cluster.addNode();
      t.equal(id, expected);
      load.join(
        cluster.grpc(id),
        cluster.ids.map((other) => cluster.grpc(other)),
      );
      const before = load.drawn;
      await until(() => load.drawn > before + 300);
    }
    const grown = await getJson<Cluster>(`${cluster.rest(5)}/api/v1/cluster`);
    t.same(
      grown.nodes.map(({ id, kind }) => [id, kind]),
      [1, 2, 3, 4, 5].map((id) => [id, "voter"]),
    );

    const leader = await agreedLeader(cluster);
    const other = cluster.ids.find((id) => id !== leader) ?? 0;
    for (const id of [leader, other]) {
      await cluster.removeNode(id);
      const before = load.drawn;
      await until(() => load.drawn > before + 300);
    }
    await load.stop();
    t.same(errorsOf(load.attempts), []);
    t.same(faultsOf(load.attempts, 1), []);
    t.comment(`${load.drawn} draws, the slowest took ${Math.round(load.longestMs)} ms`);
    const statuses = await Promise.all(cluster.ids.map((id) => statusOf(cluster, id, "SG")));
    for (const status of statuses) t.equal(status.total_generated, load.drawn, "nothing was drawn that nobody got");
    const shrunk = await getJson<Cluster>(`${cluster.rest(cluster.ids[0] ?? 0)}/api/v1/cluster`);
    t.same(
      shrunk.nodes.map(({ id }) => id),
      cluster.ids,
    );
  },
);
