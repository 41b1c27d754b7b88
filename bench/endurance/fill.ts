import type { LocalCluster } from "../../cluster/launcher.js";
import { autocannonLoad } from "../autocannon-load.js";
import { isInstalled } from "../child.js";
import { disagreement } from "../measure.js";
import { wrkLoad } from "../wrk-load.js";
import { agreedLeader, statusOf } from "./asking.js";

const IN_FLIGHT = 64;
const SLICE_SECONDS = 10;

/** What a sequence should have handed out, by what the load generators saw. */
export interface Tally {
  readonly acknowledged: number;
  /** Of how many nobody knows: under way when a slice ended, they may be drawn during the next one. */
  readonly unknownMax: number;
  readonly failed: number;
}

export const NOTHING: Tally = { acknowledged: 0, unknownMax: 0, failed: 0 };

export interface Filled {
  readonly total: number;
  /** Log entries that hold them. */
  readonly entries: number;
  readonly seconds: number;
  readonly faults: readonly string[];
}

/** Draws at least so many numbers singly from a new sequence, each with a key, many requests at once, at the leader. */
export async function fill(
  cluster: LocalCluster,
  prefix: string,
  draws: number,
  say: (text: string) => void,
): Promise<Filled> {
  const begun = performance.now();
  let tally = NOTHING;
  while (tally.acknowledged < draws) {
    // The last slice should not overshoot much.
    const rate = tally.acknowledged / ((performance.now() - begun) / 1000);
    const needed = rate === 0 ? 1 : Math.ceil((draws - tally.acknowledged) / rate);
    tally = await drawFor(cluster, prefix, Math.min(SLICE_SECONDS, needed), tally);
    say(`${tally.acknowledged} of ${draws} numbers drawn`);
  }
  const seconds = (performance.now() - begun) / 1000;
  return { ...(await compareTally(cluster, prefix, tally)), seconds };
}

/** Draws for so long. @returns the tally of before, continued */
export async function drawFor(cluster: LocalCluster, prefix: string, seconds: number, before: Tally): Promise<Tally> {
  const generator = isInstalled("wrk") ? wrkLoad : autocannonLoad;
  const leader = await agreedLeader(cluster);
  const { hostname: host, port } = new URL(cluster.rest(leader));
  const outcome = await generator.run({
    host,
    port: Number(port),
    prefix,
    inFlight: IN_FLIGHT,
    seconds,
    isKeyed: true,
  });
  return {
    acknowledged: before.acknowledged + outcome.acknowledged,
    unknownMax: before.unknownMax + outcome.unknownMax,
    failed: before.failed + outcome.failed,
  };
}

export async function compareTally(
  cluster: LocalCluster,
  prefix: string,
  { acknowledged, unknownMax, failed }: Tally,
): Promise<Omit<Filled, "seconds">> {
  const leader = await agreedLeader(cluster);
  const { total_generated: total, applied_index: entries } = await statusOf(cluster, leader, prefix);
  const faults: string[] = [];
  const wrong = disagreement(total, { acknowledged, unknownMax });
  if (wrong !== "") faults.push(`${prefix}: ${wrong}`);
  if (failed > 0) faults.push(`${prefix}: ${failed} draws failed while nothing was wrong`);
  return { total, entries, faults };
}
