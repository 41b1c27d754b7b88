import type { LocalCluster } from "../../cluster/launcher.js";
import { agreedLeader, change, clusterOf, until } from "./asking.js";
import { type Callers, faultsOf, startCallers } from "./callers.js";
import { Answers, type Stretch } from "./pauses.js";
import { compareStates } from "./same-state.js";
import type { Findings, Scenario } from "./scenario.js";

const DRAWS_BETWEEN = 300;

interface Step extends Stretch {
  readonly what: string;
}

/** One step, and draws behind it. */
async function step(steps: Step[], callers: Callers, run: () => Promise<string>): Promise<void> {
  const from = performance.now();
  const what = await run();
  const before = callers.drawn;
  steps.push({ what, from, to: performance.now() });
  await until("draws go on", () => callers.drawn >= before + DRAWS_BETWEEN);
}

async function grow(cluster: LocalCluster, callers: Callers, clients: number): Promise<string> {
  const id = await cluster.addNode();
  callers.join(
    [id, ...cluster.ids.filter((other) => other !== id)].map((other) => cluster.grpc(other)),
    clients,
  );
  return `a node joins ${cluster.ids.length - 1}`;
}

/** The leader's seat goes while it leads; then its process is stopped. */
async function removeLeader(cluster: LocalCluster): Promise<string> {
  const leader = await agreedLeader(cluster);
  const asked = cluster.ids.find((id) => id !== leader) ?? leader;
  await change("DELETE", `${cluster.rest(asked)}/api/v1/cluster/members/${leader}`);
  await cluster.removeNode(leader);
  return `the leader's seat is taken away, ${cluster.ids.length} stay`;
}

async function stopAndRemove(cluster: LocalCluster, which: "leader" | "follower"): Promise<string> {
  const leader = await agreedLeader(cluster);
  const id = which === "leader" ? leader : cluster.ids.find((other) => other !== leader);
  await cluster.removeNode(id ?? leader);
  return `a ${which} is stopped and removed, ${cluster.ids.length} stay`;
}

export const growth: Scenario = {
  name: "growth",
  about: "three nodes become five and three again, under load, the leader removed, too: no call fails, all is judged",
  defaults: { rounds: 3 },
  async run({ parameters, say, cluster: startCluster }): Promise<Findings> {
    const cluster = await startCluster({ nodes: 3, nodesMax: 5 });
    const addresses = cluster.ids.map((id) => cluster.grpc(id));
    const callers = startCallers("SG", addresses, parameters.clients);
    const steps: Step[] = [];
    await until("the callers draw", () => callers.drawn > 200);
    for (let round = 0; round < parameters.rounds; round++) {
      await step(steps, callers, () => grow(cluster, callers, 2));
      await step(steps, callers, () => grow(cluster, callers, 2));
      await step(steps, callers, () => removeLeader(cluster));
      // In turn: who is left is not always who founded the cluster.
      await step(steps, callers, () => stopAndRemove(cluster, round % 2 === 0 ? "follower" : "leader"));
      say(
        `${round + 1} of ${parameters.rounds} times from three to five and back; the members are ${cluster.ids.join(", ")}`,
      );
    }
    await callers.stop();
    const states = await compareStates(cluster);
    const faults = [...faultsOf(callers.draws, 1), ...states.faults];
    const { nodes } = await clusterOf(cluster, cluster.ids[0] ?? 0);
    const seats = nodes.map(({ id, kind }) => `${id} ${kind}`).join(", ");
    const wanted = cluster.ids.map((id) => `${id} voter`).join(", ");
    if (seats !== wanted) faults.push(`the members are ${seats}, not ${wanted}`);
    const answers = new Answers(callers.draws);
    return {
      tables: [
        {
          title: `${callers.drawn} draws`,
          head: ["step", "s", "draws/s", "longest pause of a caller ms"],
          rows: steps.map((done) => [
            done.what,
            ((done.to - done.from) / 1000).toFixed(1),
            answers.perSecond(done).toFixed(0),
            answers.longestPauseMs(done).toFixed(0),
          ]),
        },
      ],
      faults,
      misses: [],
    };
  },
};
