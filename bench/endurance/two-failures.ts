import { setTimeout as pause } from "node:timers/promises";
import { agreedLeader, until } from "./asking.js";
import { type Callers, faultsOf, startCallers } from "./callers.js";
import { Answers, largest, median, type Stretch } from "./pauses.js";
import { compareStates } from "./same-state.js";
import type { Findings, Scenario } from "./scenario.js";

const DRAWS_BETWEEN = 300;

/** All pairs of the ids, each once. */
function pairsOf(ids: readonly number[]): (readonly [number, number])[] {
  return ids.flatMap((one, place) => ids.slice(place + 1).map((other) => [one, other] as const));
}

async function moreDraws(callers: Callers): Promise<void> {
  const before = callers.drawn;
  await until("draws go on", () => callers.drawn >= before + DRAWS_BETWEEN);
}

export const twoFailures: Scenario = {
  name: "two-failures",
  about: "of five nodes, each pair in turn is killed and started again under load: no call fails, all is judged",
  defaults: { rounds: 1, count: 10 },
  async run({ parameters, say, cluster: startCluster }): Promise<Findings> {
    const cluster = await startCluster({ nodes: 5 });
    const addresses = cluster.ids.map((id) => cluster.grpc(id));
    const callers = startCallers("SG", addresses, parameters.clients);
    await moreDraws(callers);
    const losses: (Stretch & { readonly withLeader: boolean })[] = [];
    const returns: number[] = [];
    for (let round = 0; round < parameters.rounds; round++) {
      for (const pair of pairsOf(cluster.ids).slice(0, parameters.count)) {
        const leader = await agreedLeader(cluster);
        const from = performance.now();
        await Promise.all(pair.map((id) => cluster.kill(id, "SIGKILL")));
        await moreDraws(callers);
        await pause(500);
        losses.push({ from, to: performance.now(), withLeader: pair.includes(leader) });
        const started = performance.now();
        await Promise.all(pair.map((id) => cluster.restart(id)));
        returns.push(performance.now() - started);
        await moreDraws(callers);
        say(
          `nodes ${pair.join(" and ")} were killed${pair.includes(leader) ? ", the leader among them," : ""} and are back`,
        );
      }
    }
    await callers.stop();
    const states = await compareStates(cluster);
    const answers = new Answers(callers.draws);
    const row = (name: string, withLeader: boolean) => {
      const pauses = losses
        .filter((loss) => loss.withLeader === withLeader)
        .map((loss) => answers.longestPauseMs(loss));
      return [name, pauses.length, median(pauses).toFixed(0), largest(pauses).toFixed(0)];
    };
    return {
      tables: [
        {
          title:
            `${losses.length} pairs killed, ${parameters.clients} callers, ${callers.drawn} draws; ` +
            `both back in ${median(returns).toFixed(0)} ms (median)`,
          head: ["killed", "times", "longest pause of a caller ms, median", "max"],
          rows: [row("leader and a follower", true), row("two followers", false)],
        },
      ],
      faults: [...faultsOf(callers.draws, 1), ...states.faults],
      misses: [],
    };
  },
};
