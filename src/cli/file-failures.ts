import { RecoveryRefused } from "../recovery/stores.js";
import { FolderFailure } from "../storage/durable-directory.js";
import { StorageFailure } from "../storage/log-store.js";
import { SnapshotDamaged } from "../storage/snapshot-damaged.js";
import { CommandFailure } from "./command-failure.js";
import { exitCode } from "./exit-code.js";

/** What was wrong with a file that the command was given: its name, and what was found or what the system said. */
export function aboutFile(path: string, error: unknown): unknown {
  if (error instanceof SnapshotDamaged) {
    const finding = `${error.message.charAt(0).toLowerCase()}${error.message.slice(1)}`;
    return new CommandFailure(exitCode.usage, `${path} is not a sound backup: ${finding}`);
  }
  const { code } = Object(error) as NodeJS.ErrnoException;
  if (code === "ENOENT") return new CommandFailure(exitCode.usage, `there is no file ${path}`);
  if (code === "EISDIR") return new CommandFailure(exitCode.usage, `${path} is a folder, not a file`);
  return error;
}

/** What the stores, a backup or the file system said, as a failure of the command; anything else as it is. */
export function asCommandFailure(error: unknown): unknown {
  if (error instanceof RecoveryRefused) return new CommandFailure(exitCode.conflict, error.message);
  if (error instanceof FolderFailure) return new CommandFailure(exitCode.usage, error.message);
  if (error instanceof StorageFailure && error.code === "FOREIGN") {
    return new CommandFailure(exitCode.conflict, error.message);
  }
  if (error instanceof StorageFailure || error instanceof SnapshotDamaged) {
    return new CommandFailure(exitCode.unexpected, error.message);
  }
  if (!(error instanceof Error)) return error;
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  // What the system says already names the call and the file.
  return code !== undefined && syscall !== undefined ? new CommandFailure(exitCode.unexpected, message) : error;
}
