import type { NodeId } from "../raft/types.js";
import { damaged } from "./damage.js";
import { DiskLogStore } from "./disk-log-store.js";
import { claimLevelDisk } from "./level-claim.js";
import { isMade, LevelDisk } from "./level-disk.js";
import { RECORD_RANGE } from "./log-record.js";
import { LogScan } from "./log-scan.js";
import type { LogStore } from "./log-store.js";

export interface LevelLogStoreOptions {
  /** Of this store alone; made if it is missing. */
  readonly directory: string;
  readonly nodeId: NodeId;
  /** 128 random bits as 32 hexadecimal digits: the store's id, if it is created now. */
  readonly randomId: () => string;
  /** What is found when there is no log though one was made before; undefined: it may be made now. */
  readonly ifMissing?: string | undefined;
}

const WRITE_BUFFER_BYTES = 16 * 1024 * 1024;
const CACHE_BYTES = 8 * 1024 * 1024;

/**
 * Opens the log, or creates it, and checks all of it.
 * @throws StorageFailure OPEN_FAILED, FOREIGN or DAMAGED
 */
export async function openLevelLogStore(options: LevelLogStoreOptions): Promise<LogStore> {
  const { directory, nodeId, randomId, ifMissing } = options;
  // Before LevelDB makes one: the directory stays as it was found.
  if (ifMissing !== undefined && !(await isMade(directory))) throw damaged(directory, ifMissing);
  const disk = await LevelDisk.open({ directory, writeBufferBytes: WRITE_BUFFER_BYTES, cacheBytes: CACHE_BYTES });
  try {
    const storeId = await claimLevelDisk(disk, { kind: "log", nodeId, storeId: undefined }, () => {
      if (ifMissing !== undefined) throw damaged(directory, ifMissing);
      return randomId();
    });
    const scan = new LogScan(disk);
    for await (const rows of disk.chunks(RECORD_RANGE)) scan.take(rows);
    return new DiskLogStore(disk, storeId, scan.finish());
  } catch (error) {
    await disk.close();
    throw error;
  }
}
