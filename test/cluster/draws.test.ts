import t from "tap";
import { faultsOf, startLoad } from "./load.js";
import { agreedLeader, getJson, realCluster, statusOf } from "./real-cluster.js";
import { errorsOf, until } from "./waiting.js";

t.test(
  "64 clients over all nodes: no number twice, none missing, in real-time order, all of it in the journal",
  async (t) => {
    const cluster = await realCluster(t);
    const draws = 100_000;
    const load = startLoad(cluster, { prefix: "SG", clients: 64, nodes: cluster.ids, draws });
    await load.ended;
    t.equal(load.drawn, draws, "every call was answered with a number");
    t.same(faultsOf(load.attempts, 1), []);
    for (const id of cluster.ids) {
      const status = await statusOf(cluster, id, "SG");
      t.equal(status.current_counter, draws, `status at node ${id}`);
      t.equal(status.total_generated, draws);
    }
    t.equal(await journalled(cluster.rest(1), "SG"), draws, "every number is in the journal");
  },
);

t.test("a follower stopped for five seconds changes no leader; only its own clients wait", async (t) => {
  const cluster = await realCluster(t);
  const leader = await agreedLeader(cluster);
  const [paused, awake] = cluster.ids.filter((id) => id !== leader);
  if (paused === undefined || awake === undefined) throw new Error("three nodes have two followers");
  const others = startLoad(cluster, { prefix: "SG", clients: 16, nodes: [leader, awake], draws: 1_000_000 });
  const own = startLoad(cluster, { prefix: "SG", clients: 4, nodes: [paused], draws: 1_000_000 });
  await until(() => others.drawn > 500 && own.drawn > 50);
  await cluster.kill(paused, "SIGSTOP");
  await new Promise((resolve) => setTimeout(resolve, 5000));
  const drawnByOthers = others.drawn;
  const drawnByOwn = own.drawn;
  await cluster.kill(paused, "SIGCONT");
  await until(() => own.drawn > drawnByOwn + 50 && others.drawn > drawnByOthers + 500);
  others.stop();
  own.stop();
  await Promise.all([others.ended, own.ended]);
  t.same(errorsOf(others.attempts), [], "nobody else saw an error");
  t.same(errorsOf(own.attempts), [], "its own clients waited, and were answered");
  t.equal(await agreedLeader(cluster), leader);
  t.same(faultsOf([...others.attempts, ...own.attempts], 1), []);
});

async function journalled(origin: string, prefix: string): Promise<number> {
  let count = 0;
  let after: string | null = null;
  do {
    const query: string = after === null ? "" : `&after=${after}`;
    const page: { records: { kind: string; count?: number }[]; next: string | null } = await getJson(
      `${origin}/api/v1/audit/${prefix}?limit=1000${query}`,
    );
    for (const record of page.records) if (record.kind === "drawn") count += record.count ?? 0;
    after = page.next;
  } while (after !== null);
  return count;
}
