import type { NodeId } from "../raft/types.js";
import { CheckpointTrail, MARKER_RANGE } from "./checkpoint-trail.js";
import type { DiskRow } from "./disk.js";
import { claimLevelDisk } from "./level-claim.js";
import { LevelDisk } from "./level-disk.js";
import { OverlayStateStore } from "./overlay-state-store.js";
import type { StateStore } from "./state-store.js";

export interface LevelStateStoreOptions {
  /** Of this store alone; made if it is missing. */
  readonly directory: string;
  readonly nodeId: NodeId;
  /** Of the log store beside it: a new state store adopts it, and never opens for another. */
  readonly storeId: string;
}

const WRITE_BUFFER_BYTES = 16 * 1024 * 1024;
const CACHE_BYTES = 64 * 1024 * 1024;

/**
 * Opens the state as of its last durable checkpoint, or creates it.
 * @throws StorageFailure OPEN_FAILED, FOREIGN or DAMAGED
 */
export async function openLevelStateStore({ directory, nodeId, storeId }: LevelStateStoreOptions): Promise<StateStore> {
  const disk = await LevelDisk.open({ directory, writeBufferBytes: WRITE_BUFFER_BYTES, cacheBytes: CACHE_BYTES });
  try {
    await claimLevelDisk(disk, { kind: "state", nodeId, storeId }, () => storeId);
    const markers: DiskRow[] = [];
    for await (const rows of disk.chunks(MARKER_RANGE)) for (const row of rows) markers.push(row);
    return new OverlayStateStore(disk, CheckpointTrail.resume(markers, disk.place));
  } catch (error) {
    await disk.close();
    throw error;
  }
}
