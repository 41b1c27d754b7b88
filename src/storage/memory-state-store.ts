import type { NodeId } from "../raft/types.js";
import { CheckpointTrail, MARKER_RANGE } from "./checkpoint-trail.js";
import { claimMemoryDisk } from "./memory-claim.js";
import type { Defer, MemoryDisk } from "./memory-disk.js";
import { OverlayStateStore } from "./overlay-state-store.js";
import type { StateStore } from "./state-store.js";

export interface MemoryStateStoreOptions {
  readonly disk: MemoryDisk;
  readonly nodeId: NodeId;
  /** Of the log store beside it. */
  readonly storeId: string;
  readonly defer?: Defer;
}

/**
 * Opens the state on a disk in memory, at once.
 * @throws StorageFailure FOREIGN or DAMAGED
 */
export function openMemoryStateStore({
  disk,
  nodeId,
  storeId,
  defer = setImmediate,
}: MemoryStateStoreOptions): StateStore {
  claimMemoryDisk(disk, { kind: "state", nodeId, storeId }, () => storeId);
  const trail = CheckpointTrail.resume(disk.rows(MARKER_RANGE), disk.place);
  return new OverlayStateStore(disk.attach(defer), trail);
}
