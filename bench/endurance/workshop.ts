import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "../../cluster/free-ports.js";
import { LocalCluster } from "../../cluster/launcher.js";
import { describeExit } from "../../cluster/node-process.js";
import { localPorts, type NodePorts } from "../../cluster/ports.js";
import type { Findings, Parameters, Scenario, Workshop } from "./scenario.js";

const HOST = "127.0.0.1";
/** A node with a large state may take its time on a busy machine; how long it took is measured, not limited. */
const READY_MS = 120_000;
/** A cluster has at most so many nodes: the ports of the next one begin behind them. */
const PORTS_PER_CLUSTER = 20;

export const ADMIN_KEY = "endurance-admin";

/** @returns ports for nodes 1 to `nodes` of one more cluster */
export type PortSource = (nodes: number) => Promise<(id: number) => NodePorts>;

/** Ports below those that outgoing connections are given: a node that is down finds its own free when it comes back. */
export function portsFrom(offset: number): PortSource {
  let next = offset;
  return async () => {
    const own = next;
    next += PORTS_PER_CLUSTER;
    return (id) => localPorts(id, own);
  };
}

/** Whatever nobody uses now: for short runs beside others. */
export const anyPorts: PortSource = (nodes) => freePorts(nodes, HOST);

export interface RunOptions {
  readonly parameters: Partial<Parameters>;
  readonly ports: PortSource;
  readonly say: (text: string) => void;
}

const PRESETS: Parameters = { clients: 16, draws: 0, rounds: 1, seconds: 30, count: 1, seed: 1 };

/** Runs a scenario from an empty folder to its end. If anything is wrong, the nodes' logs and data stay. */
export async function runScenario(scenario: Scenario, { parameters, ports, say }: RunOptions): Promise<Findings> {
  const folder = mkdtempSync(join(tmpdir(), `folio-${scenario.name}-`));
  const clusters: LocalCluster[] = [];
  const deaths: string[] = [];
  const workshop: Workshop = {
    parameters: { ...PRESETS, ...scenario.defaults, ...parameters },
    say,
    folder,
    ports,
    cluster: async (shape) => {
      const cluster = new LocalCluster({
        nodes: shape.nodes,
        dataDir: shape.dataDir ?? join(folder, `cluster-${clusters.length + 1}`),
        ports: shape.ports ?? (await ports(shape.nodesMax ?? shape.nodes)),
        env: (id) => ({
          ADMIN_API_KEYS: ADMIN_KEY,
          ...(typeof shape.env === "function" ? shape.env(id) : shape.env),
        }),
        onUnexpectedExit: (exit) => deaths.push(describeExit(exit)),
        readyMs: READY_MS,
      });
      clusters.push(cluster);
      await cluster.start();
      return cluster;
    },
  };
  let isClean = false;
  try {
    const findings = await scenario.run(workshop);
    isClean = findings.faults.length + deaths.length === 0;
    return { ...findings, faults: [...findings.faults, ...deaths] };
  } finally {
    await Promise.all(clusters.map((cluster) => cluster.stop()));
    if (isClean) rmSync(folder, { recursive: true, force: true });
    else say(`The nodes' logs and data stay in ${folder}.`);
  }
}
