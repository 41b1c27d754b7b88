import type { NodeId, RaftMessage } from "../../src/raft/types.js";
import { CoreCluster, type Read } from "../raft/core-cluster.js";
import type { CoreDisk, CoreNode } from "../raft/core-node.js";
import { type Setup, setupLine } from "./setup.js";

/** What one sentence does, given the words it was recognised by. */
export type Step = (stage: Stage, words: RegExpMatchArray) => void;

/** What a story's lines act upon. */
export class Stage {
  readonly #setup: Setup = {
    voters: 0,
    learners: 0,
    spares: 0,
    founded: true,
    entriesPerRequest: 4,
    disks: new Map<NodeId, Partial<CoreDisk>>(),
  };
  readonly reads = new Map<string, Read>();
  readonly kept = new Map<string, readonly RaftMessage[]>();
  readonly stuck = new Set<NodeId>();
  /** The only links that carry anything, as "1-2", lesser id first; undefined: all do. */
  links: ReadonlySet<string> | undefined;
  #cluster: CoreCluster | undefined;

  setUp(line: string): boolean {
    return this.#cluster === undefined && setupLine(this.#setup, line);
  }

  get cluster(): CoreCluster {
    const { voters, learners, spares, founded, entriesPerRequest, disks } = this.#setup;
    this.#cluster ??= new CoreCluster({
      voters,
      learners,
      spares,
      seed: 1,
      disks,
      core: { appendEntriesMax: entriesPerRequest },
      ...(founded ? { clusterId: "c" } : {}),
    });
    return this.#cluster;
  }

  node(id: string | undefined) {
    return this.cluster.node(Number(id));
  }

  #carries({ from, to }: RaftMessage, ids: readonly NodeId[]): boolean {
    const link = `${Math.min(from, to)}-${Math.max(from, to)}`;
    return ids.includes(from) && ids.includes(to) && (this.links === undefined || this.links.has(link));
  }

  /** Who may fetch a snapshot now: a disk that is stuck builds none either. */
  #fetching(ids: readonly NodeId[]): CoreNode[] {
    return this.cluster.nodes.filter(
      ({ id, fetch }) => fetch !== undefined && ids.includes(id) && ids.includes(fetch.from) && !this.stuck.has(id),
    );
  }

  /** Disks that are not stuck write, snapshots are fetched and messages arrive until nothing is left to happen but time. */
  settle(ids: readonly NodeId[]): void {
    const { cluster } = this;
    const isAmong = (message: RaftMessage) => this.#carries(message, ids);
    for (let round = 0; round < 1000; round++) {
      const writing = cluster.nodes.filter(({ id, write }) => ids.includes(id) && write && !this.stuck.has(id));
      const arriving = cluster.mail.filter(isAmong);
      const fetching = this.#fetching(ids);
      if (writing.length === 0 && arriving.length === 0 && fetching.length === 0) return;
      cluster.mail = cluster.mail.filter((message) => !isAmong(message));
      for (const node of writing) cluster.completeWrite(node);
      for (const node of fetching) if (cluster.beginFetch(node)) cluster.endFetch(node);
      for (const message of arriving) cluster.deliver(message);
    }
    throw new Error("the cluster chatters without end");
  }

  /** Time passes in steps of 1 ms; who is due looks at the clock; messages take 1 ms; disks that are not stuck write. */
  run(ms: number, ids: readonly NodeId[]): void {
    const { cluster } = this;
    for (let passed = 0; passed < ms; passed++) {
      cluster.now++;
      const arriving = cluster.mail.filter((message) => this.#carries(message, ids));
      // What a broken link does not carry is lost.
      cluster.mail = [];
      for (const message of arriving) cluster.deliver(message);
      for (const node of cluster.nodes) {
        if (!node.isUp || !ids.includes(node.id)) continue;
        if (!this.stuck.has(node.id)) cluster.completeWrite(node);
        if (this.#fetching(ids).includes(node) && cluster.beginFetch(node)) cluster.endFetch(node);
        if (node.core.nextDeadline <= cluster.now) cluster.tick(node);
      }
    }
  }

  get everybody(): NodeId[] {
    return this.cluster.nodes.map(({ id }) => id);
  }
}

export function numbers(list: string | undefined): number[] {
  return (list ?? "")
    .split(/[\s,]+/)
    .filter(Boolean)
    .map(Number);
}

export function equal(actual: unknown, expected: unknown, what: string): void {
  if (actual !== expected) throw new Error(`${what}: expected ${String(expected)}, found ${String(actual)}`);
}
