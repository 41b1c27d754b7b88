import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { LocalCluster } from "../../cluster/launcher.js";
import { compareTally, drawFor, NOTHING, type Tally } from "./fill.js";
import { type Footprint, footprintOf } from "./footprint.js";
import { largest } from "./pauses.js";
import { compareStates } from "./same-state.js";
import type { Findings, Scenario } from "./scenario.js";

const MEBIBYTE = 1_048_576;
const LOG_LIMIT_BYTES = 4 * MEBIBYTE;
/** Beside its limit a log holds what arrives until the next checkpoint has been written: on a busy machine, seconds. */
const ENTRIES_BESIDE_MAX = 2000;
/**
 * LevelDB keeps what was deleted until it compacts: at most twelve tables of 4 MiB in level 0 (then it stops writers),
 * 10 MiB in level 1, two write buffers, and what a compaction under way writes anew.
 */
const LOG_BYTES_MAX = LOG_LIMIT_BYTES + 80 * MEBIBYTE;
/** Of the last third of the run, against the middle third: the first one warms up. */
const MEMORY_GROWTH_MAX = 1.25;
const MEMORY_SLACK_BYTES = 48 * MEBIBYTE;
const PREFIX = "SG";
const SLICE_SECONDS = 10;

/** Of all nodes at one moment. */
type Sample = readonly Footprint[];

async function sampled(cluster: LocalCluster, dataDir: string, endsAt: number, everyMs: number): Promise<Sample[]> {
  const samples: Sample[] = [];
  while (performance.now() < endsAt) {
    samples.push(await Promise.all(cluster.ids.map((id) => footprintOf(cluster, id, dataDir))));
    await pause(everyMs);
  }
  return samples;
}

async function drawUntil(cluster: LocalCluster, endsAt: number, say: (text: string) => void): Promise<Tally> {
  let tally = NOTHING;
  while (performance.now() < endsAt) {
    const left = Math.max(1, Math.round((endsAt - performance.now()) / 1000));
    tally = await drawFor(cluster, PREFIX, Math.min(SLICE_SECONDS, left), tally);
    say(`${tally.acknowledged} numbers drawn, ${left} s were left`);
  }
  return tally;
}

/** The largest of a figure over all nodes, in a third of the run. */
function largestIn(samples: readonly Sample[], third: 0 | 1 | 2, figure: (node: Footprint) => number): number {
  const size = samples.length / 3;
  const own = samples.slice(Math.floor(third * size), Math.floor((third + 1) * size));
  return largest(own.flatMap((nodes) => nodes.map(figure)));
}

function faultsIn(samples: readonly Sample[], { limit, index }: { limit: number; index: number }): string[] {
  const faults: string[] = [];
  const most = (figure: (node: Footprint) => number) => largest(samples.flatMap((nodes) => nodes.map(figure)));
  const entries = most((node) => node.entries);
  const logBytes = most((node) => node.logBytes);
  if (index < 2 * limit) faults.push(`the run was too short: its ${index} entries filled no log`);
  if (entries > limit + ENTRIES_BESIDE_MAX)
    faults.push(`a log grew to ${entries} entries, with LOG_ENTRIES_MAX=${limit}`);
  if (logBytes > LOG_BYTES_MAX) faults.push(`a log's folder grew to ${inMb(logBytes)} MB`);
  const memory = (third: 1 | 2) => largestIn(samples, third, (node) => node.ownBytes);
  if (memory(2) > memory(1) * MEMORY_GROWTH_MAX + MEMORY_SLACK_BYTES) {
    faults.push(`a node's memory grew from ${inMb(memory(1))} to ${inMb(memory(2))} MB in the last third of the run`);
  }
  return faults;
}

function inMb(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

export const bounded: Scenario = {
  name: "bounded",
  about: "a long run with a small limit of the log: its entries and files stay bounded, and so does memory",
  defaults: { seconds: 300, count: 1000 },
  async run({ parameters, say, folder, cluster: startCluster }): Promise<Findings> {
    const dataDir = join(folder, "bounded");
    const limit = parameters.count;
    const env = {
      LOG_ENTRIES_MAX: String(limit),
      LOG_BYTES_MAX: String(LOG_LIMIT_BYTES),
      LOG_TAIL_ENTRIES: String(Math.floor(limit / 5)),
    };
    const cluster = await startCluster({ nodes: 3, dataDir, env });
    const endsAt = performance.now() + parameters.seconds * 1000;
    const [samples, tally] = await Promise.all([
      sampled(cluster, dataDir, endsAt, Math.min(1000, parameters.seconds * 20)),
      drawUntil(cluster, endsAt, say),
    ]);
    const { total, faults } = await compareTally(cluster, PREFIX, tally);
    const states = await compareStates(cluster);
    const figure = (name: string, value: (node: Footprint) => number, text: (value: number) => string) => [
      name,
      ...([0, 1, 2] as const).map((third) => text(largestIn(samples, third, value))),
    ];
    return {
      tables: [
        {
          title:
            `${total} numbers drawn singly in ${states.index} entries within ${parameters.seconds} s; ` +
            `LOG_ENTRIES_MAX=${limit}, LOG_BYTES_MAX=${LOG_LIMIT_BYTES}; ${samples.length} samples`,
          head: ["the most of any node", "first third", "second", "last"],
          rows: [
            figure("entries in the log", (node) => node.entries, String),
            figure("files of the log, MB", (node) => node.logBytes, inMb),
            figure("files of the state, MB", (node) => node.stateBytes, inMb),
            figure("memory of its own, MB", (node) => node.ownBytes, inMb),
          ],
        },
      ],
      faults: [...faults, ...faultsIn(samples, { limit, index: states.index }), ...states.faults],
      misses: [],
    };
  },
};
