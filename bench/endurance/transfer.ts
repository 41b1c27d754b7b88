import { setTimeout as pause } from "node:timers/promises";
import type { LocalCluster } from "../../cluster/launcher.js";
import { agreedLeader, change, until } from "./asking.js";
import { faultsOf, startCallers } from "./callers.js";
import { Answers, largest, median, type Stretch } from "./pauses.js";
import type { Findings, Scenario } from "./scenario.js";

const PAUSE_TARGET_MS = 100;
/** What a hand-over may disturb, and as long a stretch before it, for comparison. */
const STRETCH_MS = 1000;

interface HandOver {
  readonly quiet: Stretch;
  readonly during: Stretch;
  readonly callMs: number;
}

async function handOver(cluster: LocalCluster, round: number): Promise<HandOver> {
  const leader = await agreedLeader(cluster);
  const others = cluster.ids.filter((id) => id !== leader);
  const target = others[round % others.length];
  // Every node takes the call, whoever leads.
  const asked = cluster.ids[round % cluster.ids.length] ?? leader;
  const quietFrom = performance.now();
  await pause(STRETCH_MS);
  const from = performance.now();
  await change("POST", `${cluster.rest(asked)}/api/v1/cluster/leader`, { id: target });
  const callMs = performance.now() - from;
  await pause(Math.max(0, STRETCH_MS - callMs));
  const to = performance.now();
  if ((await agreedLeader(cluster)) !== target) throw new Error(`node ${target} was to lead, and does not`);
  return { quiet: { from: quietFrom, to: from }, during: { from, to }, callMs };
}

export const transfer: Scenario = {
  name: "transfer",
  about: "leadership handed over again and again under load: how long a caller waits, and that none fails",
  defaults: { rounds: 30 },
  async run({ parameters, say, cluster: startCluster }): Promise<Findings> {
    const cluster = await startCluster({ nodes: 3 });
    const addresses = cluster.ids.map((id) => cluster.grpc(id));
    const callers = startCallers("SG", addresses, parameters.clients);
    await until("the callers draw", () => callers.drawn > 200);
    const handOvers: HandOver[] = [];
    for (let round = 0; round < parameters.rounds; round++) {
      handOvers.push(await handOver(cluster, round));
      if (round % 10 === 9) say(`${round + 1} of ${parameters.rounds} hand-overs`);
    }
    await callers.stop();
    const answers = new Answers(callers.draws);
    const rows = handOvers.map(({ quiet, during, callMs }) => {
      const longest = answers.longestPauseMs(during);
      const usual = answers.typicalGapMs(quiet);
      return { pause: longest - usual, longest, quiet: answers.longestPauseMs(quiet), usual, callMs };
    });
    const figure = (name: string, value: (row: (typeof rows)[number]) => number) => {
      const values = rows.map(value);
      return [name, median(values).toFixed(1), largest(values).toFixed(1)];
    };
    const middle = median(rows.map((row) => row.pause));
    return {
      tables: [
        {
          title: `${rows.length} hand-overs, ${parameters.clients} callers, ${callers.drawn} draws`,
          head: ["ms", "median", "max"],
          rows: [
            figure("pause: the longest gap between two answers of a caller, less the usual one", (row) => row.pause),
            figure("longest gap, as it is", (row) => row.longest),
            figure("longest gap in the second before", (row) => row.quiet),
            figure("usual gap", (row) => row.usual),
            figure("POST /cluster/leader", (row) => row.callMs),
          ],
        },
      ],
      faults: faultsOf(callers.draws, 1),
      misses: middle <= PAUSE_TARGET_MS ? [] : [`the median pause is ${middle.toFixed(1)} ms, not ${PAUSE_TARGET_MS}`],
    };
  },
};
