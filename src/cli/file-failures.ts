import { RecoveryRefused } from "../recovery/stores.js";
import { StorageFailure } from "../storage/log-store.js";
import { SnapshotDamaged } from "../storage/snapshot-damaged.js";
import { CommandFailure } from "./command-failure.js";
import { exitCode } from "./exit-code.js";

/** What the stores, a backup or the file system said, as a failure of the command; anything else as it is. */
export function asCommandFailure(error: unknown): unknown {
  if (error instanceof RecoveryRefused) return new CommandFailure(exitCode.conflict, error.message);
  if (error instanceof StorageFailure || error instanceof SnapshotDamaged) {
    return new CommandFailure(exitCode.unexpected, error.message);
  }
  if (!(error instanceof Error)) return error;
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  // What the system says already names the call and the file.
  return code !== undefined && syscall !== undefined ? new CommandFailure(exitCode.unexpected, message) : error;
}
