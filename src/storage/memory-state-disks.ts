import { invariant } from "../assert.js";
import type { NodeId } from "../raft/types.js";
import type { Disk } from "./disk.js";
import type { StorageFailure } from "./log-store.js";
import { claimMemoryDisk } from "./memory-claim.js";
import type { AttachedMemoryDisk, Defer } from "./memory-disk.js";
import { MemoryDisk } from "./memory-disk.js";
import type { StateGenerations } from "./state-generations.js";

/**
 * The generations of one node's state, in memory: what a data directory is to the real store. They
 * outlive the stores on them; after a crash what was there is there, leftovers of a build included.
 */
export class MemoryStateDisks {
  readonly #place: string;
  readonly #disks = new Map<number, MemoryDisk>();
  #opened: OpenedStateDisks | undefined;
  #writeError: Error | undefined;
  #fateOfFailedWrites: "durable" | "lost" = "lost";

  constructor(place = "memory") {
    this.#place = place;
  }

  /** With a disk that exists already as generation 0. */
  static over(disk: MemoryDisk): MemoryStateDisks {
    const disks = new MemoryStateDisks(disk.place);
    disks.#disks.set(0, disk);
    return disks;
  }

  /** Those that exist, ascending. */
  get generations(): readonly number[] {
    return [...this.#disks.keys()].sort((a, b) => a - b);
  }

  disk(generation: number): MemoryDisk | undefined {
    return this.#disks.get(generation);
  }

  /** Makes a disk, in the place of one that may be there. */
  replace(generation: number): MemoryDisk {
    const disk = new MemoryDisk(generation === 0 ? this.#place : `${this.#place}-${generation}`);
    disk.failWrites(this.#writeError, this.#fateOfFailedWrites);
    this.#disks.set(generation, disk);
    return disk;
  }

  remove(generation: number): void {
    this.#disks.delete(generation);
  }

  /** For one process; the one before has closed its store, or crashed. */
  open(owner: { readonly nodeId: NodeId; readonly storeId: string; readonly defer: Defer }): OpenedStateDisks {
    this.#opened = new OpenedStateDisks(this, owner);
    return this.#opened;
  }

  /** The process died: as `MemoryDisk.crash`, for the state in force and one that is being built. */
  crash(inFlight: "durable" | "lost"): void {
    this.#opened?.abandon();
    this.#opened = undefined;
    for (const disk of this.#disks.values()) disk.crash(inFlight);
  }

  /** As `MemoryDisk.failWrites`, for every generation, those to come included. */
  failWrites(error: Error | undefined, fate: "durable" | "lost" = "lost"): void {
    this.#writeError = error;
    this.#fateOfFailedWrites = fate;
    for (const disk of this.#disks.values()) disk.failWrites(error, fate);
  }
}

/** The generations as one process has them open. */
export class OpenedStateDisks implements StateGenerations {
  readonly #disks: MemoryStateDisks;
  readonly #owner: { readonly nodeId: NodeId; readonly storeId: string; readonly defer: Defer };
  #isAbandoned = false;

  constructor(disks: MemoryStateDisks, owner: { nodeId: NodeId; storeId: string; defer: Defer }) {
    this.#disks = disks;
    this.#owner = owner;
  }

  /** A crash before `done` leaves an empty disk without an identity. */
  create(generation: number, done: (failure: StorageFailure | undefined, disk: Disk | undefined) => void): void {
    const disk = this.#disks.replace(generation);
    this.#later(() => done(undefined, this.claimed(disk)));
  }

  /** A crash before `done` leaves the disk as it was. */
  remove(generation: number, done: () => void): void {
    this.#later(() => {
      this.#disks.remove(generation);
      done();
    });
  }

  claimed(disk: MemoryDisk): AttachedMemoryDisk {
    const { nodeId, storeId, defer } = this.#owner;
    claimMemoryDisk(disk, { kind: "state", nodeId, storeId }, () => storeId);
    return disk.attach(defer);
  }

  abandon(): void {
    this.#isAbandoned = true;
  }

  #later(callback: () => void): void {
    invariant(!this.#isAbandoned, "a process that died does nothing");
    this.#owner.defer(() => {
      if (!this.#isAbandoned) callback();
    });
  }
}
