import { VirtualCluster, type VirtualNode } from "./virtual-cluster.js";

/** A log of a few dozen entries. */
export const SMALL = { logEntriesMax: 60, logTailEntries: 10 };
/** With lines of 2 kB, a state of a few hundred of them takes a second or so. */
export const SLOW = { logEntriesMax: 200, logTailEntries: 10, snapshotBytesPerSecond: 2_000_000 };
export const LARGE_LINES = { lineBytes: 2000 };

export async function clusterOf(size: number, options: VirtualCluster["options"], seed = 1): Promise<VirtualCluster> {
  const cluster = new VirtualCluster(size, seed);
  cluster.options = options;
  await cluster.start();
  cluster.untilReady();
  return cluster;
}

export function aFollower(cluster: VirtualCluster): VirtualNode {
  const [follower] = cluster.followers;
  if (follower === undefined) throw new Error("there is no follower");
  return follower;
}

export function fetched(node: VirtualNode): number {
  return node.snapshots.filter(({ direction, failure }) => direction === "fetched" && failure === undefined).length;
}

export function isFetching(node: VirtualNode): boolean {
  return /fetches a snapshot/.test(node.replica?.view().reason ?? "");
}

/** Cuts a node off from all others, or lets it back. */
export function setApart(cluster: VirtualCluster, node: VirtualNode, isApart: boolean): void {
  for (const other of cluster.nodes) {
    if (other === node) continue;
    if (isApart) cluster.network.cut(node.id, other.id);
    else cluster.network.heal(node.id, other.id);
  }
}
