import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Test } from "tap";
import { freePorts } from "../../cluster/free-ports.js";
import { LocalCluster } from "../../cluster/launcher.js";
import type { NodeExit } from "../../cluster/node-process.js";

const HOST = "127.0.0.1";
export const ADMIN_KEY = "test-admin";

/**
 * A running cluster of real processes in a directory of its own; both end with the test.
 * @param options nodesMax: how many it may grow to
 */
export async function realCluster(t: Test, options: RealClusterOptions = {}): Promise<LocalCluster> {
  return (await realClusterIn(t, options)).cluster;
}

interface RealClusterOptions {
  readonly nodes?: number;
  readonly nodesMax?: number;
  readonly env?: NodeJS.ProcessEnv;
  /** Where a node is meant to end by itself. */
  readonly onUnexpectedExit?: (exit: NodeExit) => void;
}

/** The same, for tests that look into its folder or come by its ports. */
export async function realClusterIn(t: Test, options: RealClusterOptions = {}) {
  const nodes = options.nodes ?? 3;
  const dataDir = await mkdtemp(join(tmpdir(), "folio-test-"));
  const ports = await freePorts(options.nodesMax ?? nodes, HOST);
  const cluster = new LocalCluster({
    nodes,
    dataDir,
    ports,
    env: { ADMIN_API_KEYS: ADMIN_KEY, LOG_LEVEL: "info", ...options.env },
    onUnexpectedExit: options.onUnexpectedExit ?? ((exit) => t.fail(`node ${exit.id} ended by itself`, { exit })),
    readyMs: 60_000,
    lateMs: 500,
  });
  t.teardown(async () => {
    await cluster.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
  await cluster.start();
  return { cluster, dataDir, ports };
}

export async function getJson<Body>(url: string): Promise<Body> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as Body;
}

/** The leader that all given nodes agree on; waits until they do. */
export async function agreedLeader(cluster: LocalCluster, among: readonly number[] = cluster.ids): Promise<number> {
  for (;;) {
    const views = await Promise.all(
      among.map((id) => getJson<{ leader_id: number | null }>(`${cluster.rest(id)}/api/v1/cluster`)),
    );
    const leaders = new Set(views.map((view) => view.leader_id));
    const [leader] = leaders;
    if (leaders.size === 1 && leader !== null && leader !== undefined && among.includes(leader)) return leader;
  }
}

export interface StatusBody {
  readonly current_counter: number;
  readonly total_generated: number;
  readonly applied_index: number;
}

export function statusOf(cluster: LocalCluster, id: number, prefix: string): Promise<StatusBody> {
  return getJson<StatusBody>(`${cluster.rest(id)}/api/v1/status/${prefix}`);
}
