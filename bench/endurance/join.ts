import { setTimeout as pause } from "node:timers/promises";
import type { LocalCluster } from "../../cluster/launcher.js";
import { serves } from "../../cluster/readiness.js";
import { seeded } from "../chaos/faults.js";
import { getJson, until } from "./asking.js";
import { faultsOf, startCallers } from "./callers.js";
import { fill } from "./fill.js";
import { Answers, type Stretch } from "./pauses.js";
import { compareStates } from "./same-state.js";
import type { Findings, Scenario } from "./scenario.js";

/** The callers draw from a sequence of their own beside the large one: its history is judged from its first number. */
const LARGE_PREFIX = "LARGE";
const PREFIX = "SG";
const PAGES = 20;

async function joins(
  cluster: LocalCluster,
  id: number,
): Promise<{ readonly readyMs: number; readonly voterMs: number }> {
  const started = performance.now();
  const added = cluster.addNode();
  let readyMs = Number.NaN;
  await Promise.all([
    added,
    until(`node ${id} serves`, async () => {
      readyMs = performance.now() - started;
      return (await serves(cluster.rest(id))()) === undefined;
    }),
  ]);
  return { readyMs, voterMs: performance.now() - started };
}

/** The same pages of the audit from both nodes, taken from anywhere in it. */
async function differingPages(
  cluster: LocalCluster,
  ids: readonly [number, number],
  entries: number,
): Promise<string[]> {
  const random = seeded(entries);
  const faults: string[] = [];
  for (let page = 0; page < PAGES; page++) {
    const after = `${Math.floor(random() * entries)}-0`;
    const [one, other] = await Promise.all(
      ids.map((id) => getJson<unknown>(`${cluster.rest(id)}/api/v1/audit/${LARGE_PREFIX}?after=${after}&limit=200`)),
    );
    if (JSON.stringify(one) !== JSON.stringify(other)) faults.push(`the audit after ${after} differs`);
  }
  return faults;
}

export const join: Scenario = {
  name: "join",
  about: "an empty node joins a cluster of a million numbers under load, and becomes a voter with the very same state",
  defaults: { draws: 1_000_000, seconds: 5 },
  async run({ parameters, say, cluster: startCluster }): Promise<Findings> {
    const cluster = await startCluster({ nodes: 3, nodesMax: 4 });
    const filled = await fill(cluster, LARGE_PREFIX, parameters.draws, say);
    const addresses = cluster.ids.map((id) => cluster.grpc(id));
    const callers = startCallers(PREFIX, addresses, parameters.clients);
    await until("the callers draw", () => callers.drawn > 200);
    const quiet = await stretchOf(() => pause(parameters.seconds * 1000));
    say("a node joins");
    let joined = { readyMs: Number.NaN, voterMs: Number.NaN };
    const during = await stretchOf(async () => {
      joined = await joins(cluster, 4);
    });
    const after = await stretchOf(() => pause(parameters.seconds * 1000));
    await callers.stop();
    const answers = new Answers(callers.draws);
    const states = await compareStates(cluster);
    const faults = [
      ...filled.faults,
      ...faultsOf(callers.draws, 1),
      ...states.faults,
      ...(await differingPages(cluster, [1, 4], filled.entries)),
    ];
    const row = (name: string, stretch: Stretch) => [
      name,
      ((stretch.to - stretch.from) / 1000).toFixed(1),
      answers.perSecond(stretch).toFixed(0),
      answers.typicalGapMs(stretch).toFixed(1),
      answers.longestPauseMs(stretch).toFixed(0),
    ];
    const size = `${states.rows} rows, ${(states.bytes / 1e6).toFixed(0)} MB of state`;
    return {
      tables: [
        {
          title:
            `${filled.total} numbers in ${filled.entries} entries, ${size}; from the spawn to ready ` +
            `${joined.readyMs.toFixed(0)} ms, to voter ${joined.voterMs.toFixed(0)} ms; ${parameters.clients} callers`,
          head: ["", "s", "draws/s", "usual gap ms", "longest pause ms"],
          rows: [row("before", quiet), row("while it joins", during), row("after", after)],
        },
      ],
      faults,
      misses: [],
    };
  },
};

async function stretchOf(run: () => Promise<void>): Promise<Stretch> {
  const from = performance.now();
  await run();
  return { from, to: performance.now() };
}
