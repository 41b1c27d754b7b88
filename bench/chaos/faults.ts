import { setTimeout as pause } from "node:timers/promises";
import type { LocalCluster } from "../../cluster/launcher.js";
import type { FaultyPort, Passage } from "./faulty-port.js";
import type { FaultName } from "./options.js";

/** Uniform in [0, 1), the same sequence for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

export interface FaultRun {
  readonly cluster: LocalCluster;
  /** By node: what stands before its peer port. Who has the higher id of two nodes calls the other there. */
  readonly peerPorts: ReadonlyMap<number, FaultyPort>;
  readonly faults: readonly FaultName[];
  readonly random: () => number;
  readonly say: (text: string) => void;
}

interface Strike {
  readonly nodes: readonly number[];
  readonly lastsMs: number;
  /** Uniform in [0, 1). */
  readonly chance: number;
}

/** One fault after the other, each over before the next begins, until the signal aborts. */
export async function runFaults(run: FaultRun, signal: AbortSignal): Promise<number> {
  const { cluster, faults, random, say } = run;
  const pick = <Value>(values: readonly Value[]) => values[Math.floor(random() * values.length)] as Value;
  let count = 0;
  while (!signal.aborted) {
    await pause(500 + random() * 1500);
    const fault = pick(faults);
    // Nobody calls the node with the highest id.
    const ids = linkFaults.has(fault) ? cluster.ids.slice(0, -1) : cluster.ids;
    // With five nodes, two may fail at once.
    const width = cluster.ids.length === 5 && random() < 0.5 ? 2 : 1;
    const lastsMs = 300 + random() * 2500;
    const first = pick(ids);
    const some = width === 1 ? [first] : [first, (first % ids.length) + 1];
    const nodes = fault === "kill-all" ? ids : some;
    say(
      `${fault} of ${linkFaults.has(fault) ? "calls to " : ""}node ${nodes.join(" and ")} for ${Math.round(lastsMs)} ms`,
    );
    await inflictions[fault](run, { nodes, lastsMs, chance: random() });
    count++;
  }
  return count;
}

const linkFaults: ReadonlySet<FaultName> = new Set(["cut", "hold", "one-way", "slow"]);

const inflictions: Readonly<Record<FaultName, (run: FaultRun, strike: Strike) => Promise<void>>> = {
  kill: (run, strike) => downFor(run, strike, "SIGKILL"),
  term: (run, strike) => downFor(run, strike, "SIGTERM"),
  "kill-all": (run, strike) => downFor(run, strike, "SIGKILL"),
  stop: async ({ cluster }, { nodes, lastsMs }) => {
    await Promise.all(nodes.map((id) => cluster.kill(id, "SIGSTOP")));
    await pause(lastsMs);
    await Promise.all(nodes.map((id) => cluster.kill(id, "SIGCONT")));
  },
  cut: (run, strike) => disturb(run, strike, "cut"),
  hold: (run, strike) => disturb(run, strike, "held"),
  "one-way": (run, strike) => disturb(run, strike, strike.chance < 0.5 ? "deaf" : "mute"),
  slow: (run, strike) => disturb(run, strike, "slow"),
};

async function downFor({ cluster }: FaultRun, { nodes, lastsMs }: Strike, signal: NodeJS.Signals): Promise<void> {
  await Promise.all(nodes.map((id) => cluster.kill(id, signal)));
  await pause(lastsMs);
  await Promise.all(nodes.map((id) => cluster.restart(id)));
}

async function disturb({ peerPorts }: FaultRun, { nodes, lastsMs }: Strike, passage: Passage): Promise<void> {
  for (const id of nodes) peerPorts.get(id)?.become(passage);
  await pause(lastsMs);
  for (const id of nodes) peerPorts.get(id)?.become("open");
}
