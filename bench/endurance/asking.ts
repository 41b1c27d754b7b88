import { setTimeout as pause } from "node:timers/promises";
import type { LocalCluster } from "../../cluster/launcher.js";
import { ADMIN_KEY } from "./workshop.js";

const POLL_MS = 20;
const ASK_MS = 30_000;

/** @throws Error if the answer is no success */
export async function getJson<Body>(url: string): Promise<Body> {
  const response = await fetch(url, { signal: AbortSignal.timeout(ASK_MS) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text}`);
  return JSON.parse(text) as Body;
}

/** As an administrator. @throws Error if the answer is no success */
export async function change(method: "POST" | "DELETE", url: string, body?: unknown): Promise<void> {
  const response = await fetch(url, {
    method,
    headers: { "x-api-key": ADMIN_KEY, ...(body === undefined ? {} : { "content-type": "application/json" }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(ASK_MS),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url} answered ${response.status}: ${text}`);
}

/** @throws Error naming what did not come about in time */
export async function until(what: string, holds: () => boolean | Promise<boolean>, seconds = 120): Promise<void> {
  const endsAt = performance.now() + seconds * 1000;
  while (!(await holds())) {
    if (performance.now() > endsAt) throw new Error(`after ${seconds} s it still is not so that ${what}`);
    await pause(POLL_MS);
  }
}

export interface ClusterBody {
  readonly leader_id: number | null;
  readonly applied_index: number;
  readonly nodes: readonly { readonly id: number; readonly kind: string; readonly last_index: number | null }[];
}

export function clusterOf(cluster: LocalCluster, id: number): Promise<ClusterBody> {
  return getJson<ClusterBody>(`${cluster.rest(id)}/api/v1/cluster`);
}

/** Whom all these nodes take for the leader; waits until they agree. */
export async function agreedLeader(cluster: LocalCluster, among: readonly number[] = cluster.ids): Promise<number> {
  let agreed: number | undefined;
  await until("the nodes agree on a leader", async () => {
    const leaders = new Set(
      (await Promise.all(among.map((id) => clusterOf(cluster, id)))).map((body) => body.leader_id),
    );
    const [leader] = leaders;
    agreed = leaders.size === 1 && typeof leader === "number" && among.includes(leader) ? leader : undefined;
    return agreed !== undefined;
  });
  if (agreed === undefined) throw new Error("they agreed on nobody");
  return agreed;
}

export interface StatusBody {
  readonly current_counter: number;
  readonly total_generated: number;
  readonly applied_index: number;
}

/** Linearizable, from the given node. */
export function statusOf(cluster: LocalCluster, id: number, prefix: string): Promise<StatusBody> {
  return getJson<StatusBody>(`${cluster.rest(id)}/api/v1/status/${prefix}`);
}
