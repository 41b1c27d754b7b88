import { setTimeout as pause } from "node:timers/promises";
import type { LocalCluster } from "../../cluster/launcher.js";
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
  readonly faults: readonly FaultName[];
  readonly random: () => number;
  readonly say: (text: string) => void;
}

/** One fault after the other, each over before the next begins, until the signal aborts. */
export async function runFaults(run: FaultRun, signal: AbortSignal): Promise<number> {
  const { cluster, faults, random } = run;
  const pick = <Value>(values: readonly Value[]) => values[Math.floor(random() * values.length)] as Value;
  let count = 0;
  while (!signal.aborted) {
    await pause(500 + random() * 1500);
    const fault = pick(faults);
    // With five nodes, two may fail at once.
    const width = cluster.ids.length === 5 && random() < 0.5 ? 2 : 1;
    const first = pick(cluster.ids);
    const nodes = width === 1 ? [first] : [first, (first % cluster.ids.length) + 1];
    await inflict(run, fault, nodes, 300 + random() * 2500);
    count++;
  }
  return count;
}

async function inflict(
  { cluster, say }: FaultRun,
  fault: FaultName,
  nodes: readonly number[],
  lastsMs: number,
): Promise<void> {
  const struck = fault === "kill-all" ? cluster.ids : nodes;
  say(`${fault} of node ${struck.join(" and ")} for ${Math.round(lastsMs)} ms`);
  if (fault === "stop") {
    await Promise.all(struck.map((id) => cluster.kill(id, "SIGSTOP")));
    await pause(lastsMs);
    await Promise.all(struck.map((id) => cluster.kill(id, "SIGCONT")));
    return;
  }
  await Promise.all(struck.map((id) => cluster.kill(id, fault === "term" ? "SIGTERM" : "SIGKILL")));
  await pause(lastsMs);
  await Promise.all(struck.map((id) => cluster.restart(id)));
}
