import type { NodeId } from "../raft/types.js";
import { DiskLogStore } from "./disk-log-store.js";
import { RECORD_RANGE } from "./log-record.js";
import { LogScan } from "./log-scan.js";
import type { LogStore } from "./log-store.js";
import { claimMemoryDisk } from "./memory-claim.js";
import type { Defer, MemoryDisk } from "./memory-disk.js";

export interface MemoryLogStoreOptions {
  readonly disk: MemoryDisk;
  readonly nodeId: NodeId;
  /** 128 random bits as 32 hexadecimal digits: the store's id, if it is created now. */
  readonly randomId: () => string;
  readonly defer?: Defer;
}

/**
 * Opens the log on a disk in memory, at once; the same records and the same checks as on LevelDB.
 * @throws StorageFailure FOREIGN or DAMAGED
 */
export function openMemoryLogStore({ disk, nodeId, randomId, defer = setImmediate }: MemoryLogStoreOptions): LogStore {
  const storeId = claimMemoryDisk(disk, { kind: "log", nodeId, storeId: undefined }, randomId);
  const attached = disk.attach(defer);
  try {
    const scan = new LogScan(attached);
    scan.take(disk.rows(RECORD_RANGE));
    return new DiskLogStore(attached, storeId, scan.finish());
  } catch (error) {
    disk.detach();
    throw error;
  }
}
