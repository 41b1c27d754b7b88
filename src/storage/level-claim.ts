import type { LevelDisk } from "./level-disk.js";
import { StorageFailure } from "./log-store.js";
import { creationOf, type ExpectedIdentity, readStoreId, refuseUnclaimed } from "./store-identity.js";

/**
 * Checks whose disk it is; a new one is given the identity, durably.
 * @param freshId the store id for a new disk.
 * @throws StorageFailure FOREIGN, DAMAGED or OPEN_FAILED
 */
export async function claimLevelDisk(
  disk: LevelDisk,
  expected: ExpectedIdentity,
  freshId: () => string,
): Promise<string> {
  const known = readStoreId(disk, expected);
  if (known !== undefined) return known;
  refuseUnclaimed(disk, await disk.isEmpty());
  const storeId = freshId();
  await new Promise<void>((resolve, reject) => {
    disk.write([creationOf({ ...expected, storeId })], (error) => {
      if (error === undefined) resolve();
      else
        reject(
          new StorageFailure("OPEN_FAILED", `${disk.place} cannot be written: ${error.message}`, { cause: error }),
        );
    });
  });
  return storeId;
}
