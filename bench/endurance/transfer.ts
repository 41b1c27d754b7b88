import { setTimeout as pause } from "node:timers/promises";
import type { LocalCluster } from "../../cluster/launcher.js";
import { agreedLeader, change, until } from "./asking.js";
import { type Draw, faultsOf, startCallers } from "./callers.js";
import { Answers, largest, median, type Stretch, stalledMs } from "./pauses.js";
import type { Findings, Scenario, Workshop } from "./scenario.js";
import { watchStalls } from "./stalls.js";

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

/** @param observed.stalls when the machine stood still: what it takes away is no pause of Folio's */
export function figuresOf(observed: {
  readonly handOvers: readonly HandOver[];
  readonly draws: readonly Draw[];
  readonly stalls: readonly Stretch[];
  readonly clients: number;
}): Pick<Findings, "tables" | "misses"> {
  const { handOvers, draws, stalls, clients } = observed;
  const answers = new Answers(draws);
  const rows = handOvers.map(({ quiet, during, callMs }) => {
    const usual = answers.typicalGapMs(quiet);
    return {
      pause: answers.longestPauseMs(during, stalls) - usual,
      longest: answers.longestPauseMs(during),
      quiet: answers.longestPauseMs(quiet),
      usual,
      callMs,
      stalled: stalledMs(during, stalls),
    };
  });
  const figure = (name: string, value: (row: (typeof rows)[number]) => number) => {
    const values = rows.map(value);
    return [name, median(values).toFixed(1), largest(values).toFixed(1)];
  };
  const stalled = rows.filter((row) => row.stalled > 0).length;
  const drawn = draws.filter(({ counter }) => counter !== undefined).length;
  const worst = largest(rows.map(({ pause: pauseMs }) => pauseMs));
  return {
    tables: [
      {
        title:
          `${rows.length} hand-overs, ${clients} callers, ${drawn} draws; ` +
          `the machine stood still in ${stalled} of them, which is not counted`,
        head: ["ms", "median", "max"],
        rows: [
          figure("pause: the longest gap between two answers of a caller, less the usual one", (row) => row.pause),
          figure("longest gap, as it is", (row) => row.longest),
          figure("longest gap in the second before", (row) => row.quiet),
          figure("usual gap", (row) => row.usual),
          figure("POST /cluster/leader", (row) => row.callMs),
          figure("the machine stood still", (row) => row.stalled),
        ],
      },
    ],
    misses:
      worst <= PAUSE_TARGET_MS
        ? []
        : [`the longest pause is ${worst.toFixed(1)} ms, and should be ${PAUSE_TARGET_MS} ms at most`],
  };
}

async function handOvers(cluster: LocalCluster, rounds: number, say: Workshop["say"]): Promise<readonly HandOver[]> {
  const done: HandOver[] = [];
  for (let round = 0; round < rounds; round++) {
    done.push(await handOver(cluster, round));
    if (round % 10 === 9) say(`${round + 1} of ${rounds} hand-overs`);
  }
  return done;
}

export const transfer: Scenario = {
  name: "transfer",
  about: "leadership handed over again and again under load: how long a caller waits, and that none fails",
  defaults: { rounds: 30 },
  async run({ parameters: { clients, rounds }, say, cluster: startCluster }): Promise<Findings> {
    const cluster = await startCluster({ nodes: 3 });
    const addresses = cluster.ids.map((id) => cluster.grpc(id));
    const callers = startCallers("SG", addresses, clients);
    const watch = watchStalls();
    try {
      await until("the callers draw", () => callers.drawn > 200);
      const done = await handOvers(cluster, rounds, say);
      await callers.stop();
      const { draws } = callers;
      return {
        ...figuresOf({ handOvers: done, draws, stalls: await watch.stop(), clients }),
        faults: faultsOf(draws, 1),
      };
    } finally {
      await watch.stop();
    }
  },
};
