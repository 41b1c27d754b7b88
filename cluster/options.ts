import type { Members } from "./founding.js";
import type { NodeExit } from "./node-process.js";
import type { NodePorts } from "./ports.js";

export interface LocalClusterOptions {
  /** How many founding nodes; their ids are 1 to this. */
  readonly nodes: number;
  /** Who belongs to the cluster, if some have come or gone since it was founded. */
  readonly members?: Members;
  /** Node i keeps its data in `node-i` below it and writes what it prints to `node-i.log`. */
  readonly dataDir: string;
  readonly ports: (id: number) => NodePorts;
  /** Configuration for all nodes, or for each by its id; wins over what the launcher sets. */
  readonly env?: NodeJS.ProcessEnv | ((id: number) => NodeJS.ProcessEnv);
  /** Called whenever somebody comes or goes, early enough that a later start with them goes on where this one was. */
  readonly onMembers?: (members: Members) => void;
  /** Called when a node does not run any more that was started, and that the cluster does not count as a member. */
  readonly onLeftOut?: (id: number) => void;
  /** Called now and then while a node that was started does not serve yet; `why` is its own answer. */
  readonly onWaiting?: (id: number, why: string) => void;
  /** Called when a node ends that nobody told to; nothing restarts it. */
  readonly onUnexpectedExit?: (exit: NodeExit) => void;
  /** How long a node may take until it serves. Default 30 000. */
  readonly readyMs?: number;
  /** How long a node may take to serve once a majority does, where that is enough. Default 10 000. */
  readonly lateMs?: number;
  /** How long a node may take to stop before it is killed. Default 25 000: longer than a node gives itself. */
  readonly graceMs?: number;
  /** How long the others may take to free the seat of a node that goes. Default 20 000. */
  readonly removalMs?: number;
  /** Program and parameters that run a node; the default is `folio node` as compiled beside this file. */
  readonly command?: readonly string[];
}
