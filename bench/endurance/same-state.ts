import { createHash } from "node:crypto";
import type { LocalCluster } from "../../cluster/launcher.js";
import { FolioRestClient } from "../../src/client/rest-client.js";
import { readSnapshotFile } from "../../src/storage/snapshot-file.js";
import { readMetrics } from "../metrics.js";
import { until } from "./asking.js";
import { ADMIN_KEY } from "./workshop.js";

export interface Comparison {
  readonly faults: readonly string[];
  readonly rows: number;
  readonly bytes: number;
  readonly index: number;
}

interface StateOfNode {
  readonly index: number;
  readonly hash: string;
  readonly rows: number;
  readonly bytes: number;
}

/**
 * Compares the whole state of all nodes, row by row, as a backup of each holds it. Nobody may draw meanwhile, and the
 * cluster must be younger than its idempotency keys last: what has expired, nodes delete at times of their own.
 */
export async function compareStates(cluster: LocalCluster): Promise<Comparison> {
  let states: readonly StateOfNode[] = [];
  // Nodes append entries of their own now and then, such as one that makes a session.
  await until("all nodes show their state at the same entry", async () => {
    states = await Promise.all(cluster.ids.map((id) => stateOf(cluster, id)));
    return new Set(states.map(({ index }) => index)).size === 1;
  });
  const [first = { index: 0, rows: 0, bytes: 0, hash: "" }] = states;
  const faults: string[] = [];
  for (const [place, id] of cluster.ids.entries()) {
    if (states[place]?.hash !== first.hash)
      faults.push(`the state of node ${id} is not that of node ${cluster.ids[0]}`);
    const diverged = (await readMetrics(cluster.rest(id))).get("raft_state_divergence_total");
    if (diverged !== 0) faults.push(`node ${id} reports ${diverged} divergences of the state`);
  }
  const { index, rows, bytes } = first;
  return { faults, index, rows, bytes };
}

async function stateOf(cluster: LocalCluster, id: number): Promise<StateOfNode> {
  const client = new FolioRestClient({ servers: [cluster.rest(id)], apiKey: ADMIN_KEY });
  const { chunks } = await client.download("/cluster/backup");
  const hash = createHash("sha256");
  let state = { index: 0, rows: 0, bytes: 0 };
  for await (const part of readSnapshotFile(chunks)) {
    if (part.kind === "header") state = { ...state, index: part.header.position.index };
    if (part.kind === "end") state = { ...state, rows: part.rows, bytes: part.bytes };
    if (part.kind !== "rows") continue;
    for (const { key, value } of part.rows) {
      hash.update(`${key}\n${value.length}\n`).update(value);
    }
  }
  return { ...state, hash: hash.digest("hex") };
}
