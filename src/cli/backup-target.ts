import { randomBytes } from "node:crypto";
import { rmSync, type Stats } from "node:fs";
import { type FileHandle, link, lstat, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { syncDirectory } from "../storage/durable-directory.js";
import { CommandFailure } from "./command-failure.js";
import { exitCode } from "./exit-code.js";

/** Whoever stops the command wants to find nothing of it. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** A file system without hard links. */
const NO_LINKS: readonly unknown[] = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"];

/**
 * A file that gets its name only when it is whole. Until then it has one that no other run can have: two runs into one
 * file would else write into each other's, and either would call it good.
 */
export class BackupTarget {
  readonly file: FileHandle;
  readonly #path: string;
  readonly #partial: string;
  readonly #replaces: boolean;
  readonly #signalled = (signal: NodeJS.Signals): void => {
    rmSync(this.#partial, { force: true });
    this.#forgetSignals();
    process.kill(process.pid, signal);
  };

  private constructor(file: FileHandle, at: { path: string; partial: string; replaces: boolean }) {
    this.file = file;
    this.#path = at.path;
    this.#partial = at.partial;
    this.#replaces = at.replaces;
    for (const signal of SIGNALS) process.on(signal, this.#signalled);
  }

  /**
   * Finds out what stands against it before anything is asked of a node.
   *
   * @param replaces whether a file that is there may be
   * @throws CommandFailure
   */
  static async open(path: string, replaces: boolean): Promise<BackupTarget> {
    await requireFree(path, replaces);
    const partial = `${path}.${randomBytes(6).toString("hex")}.partial`;
    const file = await open(partial, "wx", 0o600).catch((error: NodeJS.ErrnoException) => {
      throw new CommandFailure(exitCode.usage, `${path} cannot be written: ${error.message}`);
    });
    return new BackupTarget(file, { path, partial, replaces });
  }

  /** Durably, under its name. @throws CommandFailure if another file has it by now, which stays */
  async keep(): Promise<void> {
    await this.file.sync();
    await this.file.close();
    if (this.#replaces) await rename(this.#partial, this.#path);
    else await this.#takeName();
    this.#forgetSignals();
    await syncDirectory(dirname(this.#path));
  }

  /** Leaves nothing behind. */
  async discard(): Promise<void> {
    await this.file.close().catch(() => undefined);
    await rm(this.#partial, { force: true });
    this.#forgetSignals();
  }

  /** A rename would replace what somebody made meanwhile. */
  async #takeName(): Promise<void> {
    try {
      await link(this.#partial, this.#path).catch(async (error: NodeJS.ErrnoException) => {
        if (!NO_LINKS.includes(error.code)) throw error;
        // The name is taken by an empty file, which nobody else has made, and that one is replaced.
        await (await open(this.#path, "wx", 0o600)).close();
        await rename(this.#partial, this.#path);
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") throw exists(this.#path);
      throw error;
    }
    await rm(this.#partial, { force: true });
  }

  #forgetSignals(): void {
    for (const signal of SIGNALS) process.off(signal, this.#signalled);
  }
}

async function requireFree(path: string, replaces: boolean): Promise<void> {
  if (path === "") throw unusable("the name of the file is empty: say where the backup goes");
  const target = await found(stat(path));
  if (target?.isDirectory() === true || path.endsWith("/")) throw unusable(`${path} is a folder, not a file`);
  const folder = dirname(path);
  const above = await found(stat(folder));
  if (above?.isDirectory() !== true) throw unusable(`there is no folder ${folder}: ${path} cannot be written`);
  if ((await found(lstat(path))) === undefined) return;
  if (!replaces) throw exists(path);
  if (target?.isFile() === false) throw unusable(`${path} is no file that could be replaced`);
}

/** undefined: there is nothing of that name. */
function found(looking: Promise<Stats>): Promise<Stats | undefined> {
  return looking.catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  });
}

function unusable(sentence: string): CommandFailure {
  return new CommandFailure(exitCode.usage, sentence);
}

function exists(path: string): CommandFailure {
  return new CommandFailure(exitCode.conflict, `${path} exists: choose another name, or replace it with --force`);
}
