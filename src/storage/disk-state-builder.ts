import { invariant } from "../assert.js";
import { CheckpointTrail } from "./checkpoint-trail.js";
import type { Disk, DiskOperation } from "./disk.js";
import { StorageFailure } from "./log-store.js";
import { seal, unsealedRow } from "./sealed-row.js";
import { completionOf } from "./state-generations.js";
import { isStateKey } from "./state-key.js";
import type { StateBuilder, StateRow } from "./state-store.js";

/** Rows gather up to here: a synced write each, so that none can be lost from the middle. */
const BATCH_BYTES = 1024 * 1024;

type Phase = "filling" | "finished" | "failed" | "gone";

/**
 * A state that is being built on a disk of its own. Every batch is synced: after a power loss a
 * LevelDB write-ahead log can lose unsynced batches from its middle and keep its end, so that a
 * last synced write would prove nothing about those before it. And every batch carries a marker of
 * the checkpoint trail, so that one that is lost later leaves a hole in the numbers.
 */
export class DiskStateBuilder implements StateBuilder {
  readonly generation: number;
  readonly disk: Disk;
  readonly trail: CheckpointTrail;
  readonly #abandoned: (done: () => void) => void;
  #phase: Phase = "filling";
  #isBusy = false;
  #gathered: DiskOperation[] = [];
  #gatheredBytes = 0;
  #lastKey = "";
  #rows = 0;

  /** @param abandoned removes the disk when nothing is under way any more, and lets the next build begin. */
  constructor(disk: Disk, { generation, abandoned }: { generation: number; abandoned: (done: () => void) => void }) {
    this.disk = disk;
    this.generation = generation;
    this.trail = CheckpointTrail.resume([], disk.place);
    this.#abandoned = abandoned;
  }

  get isFinished(): boolean {
    return this.#phase === "finished";
  }

  add(rows: readonly StateRow[], done: (failure: StorageFailure | undefined) => void): void {
    this.#begin();
    for (const { key, value } of rows) {
      invariant(isStateKey(key), () => `the state's key ${JSON.stringify(key)} is printable ASCII`);
      invariant(key > this.#lastKey, () => `rows come in the order of their keys (${key} after ${this.#lastKey})`);
      this.#lastKey = key;
      this.#rows += 1;
      this.#gathered.push({ type: "put", key, value: seal(key, unsealedRow(value)) });
      this.#gatheredBytes += key.length + value.length;
    }
    if (this.#gatheredBytes >= BATCH_BYTES) this.#flush(done);
    else this.disk.defer(() => this.#end(undefined, done));
  }

  finish(done: (failure: StorageFailure | undefined) => void): void {
    this.#begin();
    this.#gathered.push(completionOf(this.generation, this.#rows));
    this.#flush((failure) => {
      if (failure === undefined && this.#phase === "filling") this.#phase = "finished";
      done(failure);
    });
  }

  abandon(done: () => void): void {
    invariant(this.#phase !== "gone", "a state that is built is abandoned once, and never after it was adopted");
    this.#phase = "gone";
    this.#abandoned(done);
  }

  /** Its disk and trail are another's from now on. */
  handOver(): void {
    invariant(this.#phase === "finished" && !this.#isBusy, "only a state that was built whole is adopted");
    this.#phase = "gone";
  }

  /** The process ends in good order: the disk is let go as it is, to be removed by the next open. */
  async close(): Promise<void> {
    if (this.#phase === "gone") return;
    this.#phase = "gone";
    await this.disk.close();
  }

  #begin(): void {
    invariant(
      this.#phase === "filling" && !this.#isBusy,
      "a state is built by one call at a time, until it is finished",
    );
    this.#isBusy = true;
  }

  #flush(done: (failure: StorageFailure | undefined) => void): void {
    const operations = [...this.trail.advance(this.#gatheredBytes), ...this.#gathered];
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.disk.write(operations, (error) => this.#end(error, done));
  }

  #end(error: Error | undefined, done: (failure: StorageFailure | undefined) => void): void {
    this.#isBusy = false;
    if (error === undefined) {
      done(undefined);
      return;
    }
    if (this.#phase === "filling") this.#phase = "failed";
    const message = `The state that is being built in ${this.disk.place} could not be written: ${error.message}`;
    done(new StorageFailure("WRITE_FAILED", message, { cause: error }));
  }
}
