import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolders } from "../src/storage/durable-directory.js";
import { LaunchError } from "./launch-error.js";

/** With what a local cluster was founded: its founders and their addresses are in its log since then. */
export interface Founding {
  readonly nodes: number;
  readonly portOffset: number;
}

/** Who belongs to a local cluster now. */
export interface Members {
  readonly ids: readonly number[];
  /** Those of them that joined while it ran; the others founded it. */
  readonly joined: readonly number[];
}

const fileName = "cluster.json";

function readShape(path: string): (Founding & Members) | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const shape = (JSON.parse(text) ?? {}) as Partial<Founding & Members>;
    const { nodes, portOffset } = shape;
    if (Number.isInteger(nodes) && Number.isInteger(portOffset)) {
      // Nobody has come or gone as long as nothing is noted about it.
      const { ids = foundersOf(nodes as number), joined = [] } = shape;
      if (isListOfIds(ids) && isListOfIds(joined)) return { nodes, portOffset, ids, joined } as Founding & Members;
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new LaunchError(`${path} is damaged: it should say how many nodes the cluster has and its port offset`);
}

function isListOfIds(ids: unknown): boolean {
  return Array.isArray(ids) && ids.every((id) => Number.isInteger(id) && id > 0);
}

export function foundersOf(nodes: number): readonly number[] {
  return Array.from({ length: nodes }, (_, place) => place + 1);
}

/** Atomically: whoever stops this process finds the old or the new shape. */
function writeShape(dataDir: string, shape: Founding & Partial<Members>): void {
  const path = join(dataDir, fileName);
  writeFileSync(`${path}.partial`, `${JSON.stringify(shape)}\n`);
  renameSync(`${path}.partial`, path);
}

/**
 * Notes with what the cluster in `dataDir` is founded, or compares with what was noted.
 *
 * @returns who belongs to it
 * @throws FolderFailure if the folder cannot be made, LaunchError if it holds a cluster of another shape: its nodes would not find each other
 */
export function agreeWithFounding(dataDir: string, { nodes, portOffset }: Founding): Members {
  const founded = readShape(join(dataDir, fileName));
  if (founded === undefined) {
    makeFolders(dataDir);
    writeShape(dataDir, { nodes, portOffset });
    return { ids: foundersOf(nodes), joined: [] };
  }
  if (founded.nodes === nodes && founded.portOffset === portOffset) return founded;
  throw new LaunchError(
    `${dataDir} holds a cluster of ${founded.nodes} nodes with port offset ${founded.portOffset}: ` +
      `start it with --nodes ${founded.nodes} --port-offset ${founded.portOffset}, or choose another --data-dir`,
  );
}

/** Notes who belongs to it from now on: the next start starts them. */
export function noteMembers(dataDir: string, { nodes, portOffset }: Founding, { ids, joined }: Members): void {
  writeShape(dataDir, { nodes, portOffset, ids, joined });
}
