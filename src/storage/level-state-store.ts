import type { NodeId } from "../raft/types.js";
import { CheckpointTrail, MARKER_RANGE } from "./checkpoint-trail.js";
import type { DiskRow } from "./disk.js";
import { isMade } from "./level-disk.js";
import { LevelStateGenerations } from "./level-state-generations.js";
import { OverlayStateStore } from "./overlay-state-store.js";
import { assertBuilt, missingGeneration } from "./state-generations.js";
import type { StateStore } from "./state-store.js";

export interface LevelStateStoreOptions {
  /**
   * Of this store alone, generation 0; made if it is missing. Generation n lives beside it, as
   * `<directory>-<n>`.
   */
  readonly directory: string;
  /** The one that the log goes by (`LogRecovery.stateGeneration`); every other one is removed. */
  readonly generation: number;
  readonly nodeId: NodeId;
  /** Of the log store beside it: a new state store adopts it, and never opens for another. */
  readonly storeId: string;
  /** Something an operator should read, in a sentence: a directory that could not be removed. */
  readonly notice: (message: string) => void;
}

/**
 * Opens the state as of its last durable checkpoint, or creates it.
 * @throws StorageFailure OPEN_FAILED, FOREIGN or DAMAGED
 */
export async function openLevelStateStore(options: LevelStateStoreOptions): Promise<StateStore> {
  const { generation } = options;
  const generations = new LevelStateGenerations(options);
  const directory = generations.directoryOf(generation);
  // Only the first generation comes into being by opening it, before there is another; the others were built.
  const mayBeMade = generation === 0 && (await generations.others(generation)).length === 0;
  if (!mayBeMade && !(await isMade(directory))) throw missingGeneration(directory, generation);
  const disk = await generations.open(generation);
  try {
    assertBuilt(disk, generation);
    const markers: DiskRow[] = [];
    for await (const rows of disk.chunks(MARKER_RANGE)) for (const row of rows) markers.push(row);
    const trail = CheckpointTrail.resume(markers, disk.place);
    await generations.removeOthers(generation);
    return new OverlayStateStore(generations, { disk, trail, generation });
  } catch (error) {
    await disk.close();
    throw error;
  }
}
