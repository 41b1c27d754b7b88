import { rm } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { NodeId } from "../raft/types.js";
import { asError } from "./damage.js";
import type { Disk } from "./disk.js";
import { claimLevelDisk } from "./level-claim.js";
import { LevelDisk, namesIn } from "./level-disk.js";
import { StorageFailure } from "./log-store.js";
import type { StateGenerations } from "./state-generations.js";

const WRITE_BUFFER_BYTES = 16 * 1024 * 1024;
const CACHE_BYTES = 64 * 1024 * 1024;

export interface StateDirectories {
  /** Of generation 0; the others live beside it (`stateDirectory`). */
  readonly directory: string;
  readonly nodeId: NodeId;
  readonly storeId: string;
  /** Something an operator should read, in a sentence. */
  readonly notice: (message: string) => void;
}

/** @param directory of generation 0. */
export function stateDirectory(directory: string, generation: number): string {
  return generation === 0 ? directory : `${directory}-${generation}`;
}

/**
 * The generations that have a directory, ascending.
 * @param directory of generation 0.
 */
export async function generationsAt(directory: string): Promise<number[]> {
  const name = basename(directory);
  const found: number[] = [];
  for (const entry of await namesIn(dirname(directory))) {
    if (entry !== name && !entry.startsWith(`${name}-`)) continue;
    const digits = entry.slice(name.length + 1);
    if (entry === name || /^[1-9]\d*$/.test(digits)) found.push(Number(digits));
  }
  return found.sort((a, b) => a - b);
}

/** A LevelDB directory per generation. */
export class LevelStateGenerations implements StateGenerations {
  readonly #options: StateDirectories;

  constructor(options: StateDirectories) {
    this.#options = options;
  }

  directoryOf(generation: number): string {
    return stateDirectory(this.#options.directory, generation);
  }

  /** @throws StorageFailure OPEN_FAILED, FOREIGN or DAMAGED */
  async open(generation: number): Promise<LevelDisk> {
    const { nodeId, storeId } = this.#options;
    const disk = await LevelDisk.open({
      directory: this.directoryOf(generation),
      writeBufferBytes: WRITE_BUFFER_BYTES,
      cacheBytes: CACHE_BYTES,
    });
    try {
      await claimLevelDisk(disk, { kind: "state", nodeId, storeId }, () => storeId);
    } catch (error) {
      await disk.close();
      throw error;
    }
    return disk;
  }

  create(generation: number, done: (failure: StorageFailure | undefined, disk: Disk | undefined) => void): void {
    this.#create(generation).then(
      (disk) => done(undefined, disk),
      (reason) => done(asStorageFailure(reason, this.directoryOf(generation)), undefined),
    );
  }

  remove(generation: number, done: () => void): void {
    // As with a disk's `defer`: what `done` throws ends the process.
    void this.#remove(generation).then(done);
  }

  /** Those that are there, whole or not. */
  async others(inForce: number): Promise<number[]> {
    const all = await generationsAt(this.#options.directory);
    return all.filter((generation) => generation !== inForce);
  }

  async removeOthers(inForce: number): Promise<void> {
    for (const generation of await this.others(inForce)) await this.#remove(generation);
  }

  async #create(generation: number): Promise<LevelDisk> {
    await rm(this.directoryOf(generation), { recursive: true, force: true });
    return this.open(generation);
  }

  async #remove(generation: number): Promise<void> {
    const directory = this.directoryOf(generation);
    try {
      await rm(directory, { recursive: true, force: true });
    } catch (error) {
      const why = asError(error).message;
      this.#options.notice(`${directory}, a state that is not in use any more, could not be removed: ${why}`);
    }
  }
}

function asStorageFailure(reason: unknown, directory: string): StorageFailure {
  if (reason instanceof StorageFailure) return reason;
  const error = asError(reason);
  return new StorageFailure("OPEN_FAILED", `${directory} cannot be made: ${error.message}`, { cause: error });
}
