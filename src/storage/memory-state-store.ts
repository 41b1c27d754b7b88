import type { NodeId } from "../raft/types.js";
import { CheckpointTrail, MARKER_RANGE } from "./checkpoint-trail.js";
import type { Defer, MemoryDisk } from "./memory-disk.js";
import { MemoryStateDisks } from "./memory-state-disks.js";
import { OverlayStateStore } from "./overlay-state-store.js";
import { assertBuilt, missingGeneration } from "./state-generations.js";
import type { StateStore } from "./state-store.js";

export interface MemoryStateStoreOptions {
  /** All generations; or a single disk, which is generation 0 then. */
  readonly disk: MemoryStateDisks | MemoryDisk;
  /** The one that the log goes by; 0 if it is absent. */
  readonly generation?: number;
  readonly nodeId: NodeId;
  /** Of the log store beside it. */
  readonly storeId: string;
  readonly defer?: Defer;
}

/**
 * Opens the state on disks in memory, at once, and removes every generation but the one in force.
 * @throws StorageFailure FOREIGN or DAMAGED
 */
export function openMemoryStateStore({
  disk: medium,
  generation = 0,
  nodeId,
  storeId,
  defer = setImmediate,
}: MemoryStateStoreOptions): StateStore {
  const disks = medium instanceof MemoryStateDisks ? medium : MemoryStateDisks.over(medium);
  const mayBeMade = generation === 0 && disks.generations.length === 0;
  const disk = disks.disk(generation) ?? (mayBeMade ? disks.replace(0) : undefined);
  if (disk === undefined) throw missingGeneration("memory", generation);
  const opened = disks.open({ nodeId, storeId, defer });
  const attached = opened.claimed(disk);
  try {
    assertBuilt(disk, generation);
    const trail = CheckpointTrail.resume(disk.rows(MARKER_RANGE), disk.place);
    for (const other of disks.generations) if (other !== generation) disks.remove(other);
    return new OverlayStateStore(opened, { disk: attached, trail, generation });
  } catch (error) {
    disk.detach();
    throw error;
  }
}
