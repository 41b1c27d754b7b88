import t from "tap";
import { startClientLoad } from "./client-load.js";
import { faultsOf } from "./load.js";
import { ADMIN_KEY, agreedLeader, realCluster } from "./real-cluster.js";
import { errorsOf, until } from "./waiting.js";

t.test("leadership is handed over under load, to whom it was meant for: nobody sees an error", async (t) => {
  const cluster = await realCluster(t);
  const load = startClientLoad(
    "SG",
    cluster.ids.map((id) => cluster.grpc(id)),
  );
  await until(() => load.drawn > 300);
  for (let round = 0; round < 3; round++) {
    const leader = await agreedLeader(cluster);
    const [asked, target] = cluster.ids.filter((id) => id !== leader);
    if (asked === undefined || target === undefined) throw new Error("three nodes have two followers");
    const response = await fetch(`${cluster.rest(asked)}/api/v1/cluster/leader`, {
      method: "POST",
      headers: { "x-api-key": ADMIN_KEY, "content-type": "application/json" },
      body: JSON.stringify({ id: target }),
    });
    t.match(await response.json(), { leader_id: target, message: `node ${target} leads` });
    t.equal(await agreedLeader(cluster), target);
    const before = load.drawn;
    await until(() => load.drawn > before + 300);
  }
  await load.stop();
  t.same(errorsOf(load.attempts), []);
  t.same(faultsOf(load.attempts, 1), []);
  t.comment(`the slowest draw took ${Math.round(load.longestMs)} ms`);
});
