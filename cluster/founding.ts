import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LaunchError } from "./launcher.js";

/** With what a local cluster was founded: its members and their addresses are in its log since then. */
export interface Founding {
  readonly nodes: number;
  readonly portOffset: number;
}

const fileName = "cluster.json";

function readFounding(path: string): Founding | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const { nodes, portOffset } = (JSON.parse(text) ?? {}) as Partial<Founding>;
    if (Number.isInteger(nodes) && Number.isInteger(portOffset)) return { nodes, portOffset } as Founding;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new LaunchError(`${path} is damaged: it should say how many nodes the cluster has and its port offset`);
}

/**
 * Notes with what the cluster in `dataDir` is founded, or compares with what was noted.
 *
 * @throws LaunchError if the folder holds a cluster of another shape: its nodes would not find each other
 */
export function agreeWithFounding(dataDir: string, wanted: Founding): void {
  const path = join(dataDir, fileName);
  const founded = readFounding(path);
  if (founded === undefined) {
    mkdirSync(dataDir, { recursive: true });
    writeFileSync(path, `${JSON.stringify(wanted)}\n`);
    return;
  }
  if (founded.nodes === wanted.nodes && founded.portOffset === wanted.portOffset) return;
  throw new LaunchError(
    `${dataDir} holds a cluster of ${founded.nodes} nodes with port offset ${founded.portOffset}: ` +
      `start it with --nodes ${founded.nodes} --port-offset ${founded.portOffset}, or choose another --data-dir`,
  );
}
