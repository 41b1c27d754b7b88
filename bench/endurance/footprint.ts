import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { LocalCluster } from "../../cluster/launcher.js";
import { readMetrics } from "../metrics.js";
import { clusterOf } from "./asking.js";

/** What a node takes of its machine, and how much it holds. */
export interface Footprint {
  readonly node: number;
  /** Resident memory of its process without mapped files, which the kernel takes back as it likes; NaN where there is no /proc. */
  readonly ownBytes: number;
  readonly logBytes: number;
  readonly stateBytes: number;
  /** In the log. */
  readonly entries: number;
}

/** @param dataDir the cluster's. The node has cut its log since it was founded, and has fetched no snapshot. */
export async function footprintOf(cluster: LocalCluster, id: number, dataDir: string): Promise<Footprint> {
  const { nodes } = await clusterOf(cluster, id);
  const metrics = await readMetrics(cluster.rest(id));
  const last = nodes.find((node) => node.id === id)?.last_index ?? 0;
  const folder = join(dataDir, `node-${id}`);
  return {
    node: id,
    ownBytes: ownBytesOf(cluster.pid(id)),
    logBytes: bytesIn(join(folder, "log")),
    stateBytes: bytesIn(join(folder, "state")),
    entries: last - (metrics.get("storage_log_entries_cut_total") ?? 0),
  };
}

function ownBytesOf(pid: number | undefined): number {
  try {
    const kibibytes = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return Number(kibibytes) * 1024;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return Number.NaN;
  }
}

/** LevelDB removes files while they are counted: those count nothing. */
function bytesIn(folder: string): number {
  let sum = 0;
  for (const name of readdirSync(folder)) sum += statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0;
  return sum;
}
