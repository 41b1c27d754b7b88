import type { MemoryDisk } from "./memory-disk.js";
import { creationOf, type ExpectedIdentity, readStoreId, refuseUnclaimed } from "./store-identity.js";

/**
 * Checks whose disk it is; a new one is given the identity.
 * @throws StorageFailure FOREIGN or DAMAGED
 */
export function claimMemoryDisk(disk: MemoryDisk, expected: ExpectedIdentity, freshId: () => string): string {
  const known = readStoreId(disk, expected);
  if (known !== undefined) return known;
  refuseUnclaimed(disk, disk.size === 0);
  const storeId = freshId();
  disk.apply([creationOf({ ...expected, storeId })]);
  return storeId;
}
