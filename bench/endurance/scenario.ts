import type { LocalCluster } from "../../cluster/launcher.js";
import type { NodePorts } from "../../cluster/ports.js";

/** What a scenario can be told; each has defaults of its own. */
export interface Parameters {
  /** Callers drawing at once. */
  readonly clients: number;
  /** How many numbers the cluster holds before it begins. */
  readonly draws: number;
  readonly rounds: number;
  /** How long the load lasts. */
  readonly seconds: number;
  /** flips: damages; two-failures: pairs of nodes; bounded: entries that a log may hold. */
  readonly count: number;
  readonly seed: number;
}

export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

export interface Findings {
  readonly tables: readonly Table[];
  /** What must never be, in sentences: a failed call, a number twice, nodes that differ, a log that grows. */
  readonly faults: readonly string[];
  /** Targets of time that were missed: on a busy machine it may be the machine. */
  readonly misses: readonly string[];
}

export interface ClusterShape {
  readonly nodes: number;
  /** How many it may grow to. */
  readonly nodesMax?: number;
  readonly env?: NodeJS.ProcessEnv | ((id: number) => NodeJS.ProcessEnv);
  /** Holds node-1, node-2 and so on; default: a folder of its own. */
  readonly dataDir?: string;
  readonly ports?: (id: number) => NodePorts;
}

/** What a scenario works with; everything in it ends when the scenario has ended. */
export interface Workshop {
  readonly parameters: Parameters;
  /** Progress, for whoever watches. */
  readonly say: (text: string) => void;
  /** An empty folder. */
  readonly folder: string;
  /** Ports that nobody uses, for nodes 1 to this. */
  ports(nodes: number): Promise<(id: number) => NodePorts>;
  /** Real processes, serving; a node that ends by itself is a fault. */
  cluster(shape: ClusterShape): Promise<LocalCluster>;
}

export interface Scenario {
  readonly name: string;
  /** What it shows, in one line. */
  readonly about: string;
  readonly defaults: Partial<Parameters>;
  run(workshop: Workshop): Promise<Findings>;
}
