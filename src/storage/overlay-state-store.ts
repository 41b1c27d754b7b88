import { invariant } from "../assert.js";
import type { CheckpointTrail } from "./checkpoint-trail.js";
import { CheckpointView } from "./checkpoint-view.js";
import { damaged, unreadable } from "./damage.js";
import type { Disk, DiskOperation, DiskRow } from "./disk.js";
import { DiskStateBuilder } from "./disk-state-builder.js";
import { StorageFailure } from "./log-store.js";
import { type Change, Overlay } from "./overlay.js";
import { mergePage } from "./page.js";
import { isSealed, seal, valueIn } from "./sealed-row.js";
import type { StateGenerations } from "./state-generations.js";
import { isStateKey, STATE_KEYS } from "./state-key.js";
import type { StateBuilder, StateRange, StateRow, StateStore, StateView } from "./state-store.js";

/** The state store over any disk: an overlay in memory over what the last checkpoint left there. */
export class OverlayStateStore implements StateStore {
  readonly #generations: StateGenerations;
  /** Replaced as a whole when a state that was built aside is adopted. */
  #disk: Disk;
  #trail: CheckpointTrail;
  #generation: number;
  #active = new Overlay();
  /** What the checkpoint in flight is writing; still the truth until it is durable. */
  #frozen: Overlay | undefined;
  #checkpointing = false;
  readonly #views = new Set<CheckpointView>();
  /** A state is being built aside; the builder is there once its disk is. */
  #isBuilding = false;
  #builder: DiskStateBuilder | undefined;
  /** Disks that are being made or removed. */
  readonly #pending = new Set<Promise<void>>();
  #closed = false;
  #failure: StorageFailure | undefined;

  constructor(generations: StateGenerations, inForce: { disk: Disk; trail: CheckpointTrail; generation: number }) {
    this.#generations = generations;
    this.#disk = inForce.disk;
    this.#trail = inForce.trail;
    this.#generation = inForce.generation;
  }

  get generation(): number {
    return this.#generation;
  }

  get overlayBytes(): number {
    return this.#active.bytes;
  }

  get checkpointing(): boolean {
    return this.#checkpointing;
  }

  /** @throws StorageFailure DAMAGED. What it returns must not be changed. */
  get(key: string): Uint8Array | undefined {
    invariant(!this.#closed, "a closed state is not read");
    const change = this.#active.get(key) ?? this.#frozen?.get(key);
    if (change !== undefined) return change === "deleted" ? undefined : valueIn(change);
    const row = this.#disk.get(key);
    return row === undefined ? undefined : this.#checkedValue(key, row);
  }

  put(key: string, value: Uint8Array): void {
    this.#checkChange(key);
    this.#active.put(key, value);
  }

  delete(key: string): void {
    this.#checkChange(key);
    this.#active.delete(key);
  }

  checkpoint(done: (failure: StorageFailure | undefined) => void): void {
    invariant(!this.#closed, "a closed state is not written");
    invariant(!this.#checkpointing, "at most one checkpoint is in flight");
    this.#checkpointing = true;
    const settle = (error: Error | undefined) => {
      this.#checkpointing = false;
      if (error === undefined && this.#failure === undefined) this.#frozen = undefined;
      else this.#failure ??= this.#writeFailure(error);
      done(this.#failure);
    };
    if (this.#failure !== undefined) {
      this.#disk.defer(() => settle(undefined));
      return;
    }
    const frozen = this.#active;
    this.#frozen = frozen;
    this.#active = new Overlay();
    if (frozen.isEmpty) this.#disk.defer(() => settle(undefined));
    else this.#disk.write(this.#operations(frozen), settle);
  }

  scan(range: StateRange, done: (failure: StorageFailure | undefined, rows: StateRow[]) => void): void {
    invariant(!this.#closed, "a closed state is not read");
    invariant(Number.isSafeInteger(range.limit) && range.limit > 0, "a page has a positive limit of rows");
    const reverse = range.reverse ?? false;
    let { gte } = range;
    if (gte < STATE_KEYS.gte) gte = STATE_KEYS.gte;
    const bounds = { gte, lt: range.lt };
    const changes = new Map<string, Change>();
    this.#frozen?.collect(bounds, changes);
    this.#active.collect(bounds, changes);
    // A row on disk may turn out to be deleted; one that was only replaced still fills its place.
    let deletions = 0;
    for (const change of changes.values()) if (change === "deleted") deletions += 1;
    this.#disk.scan({ ...bounds, limit: range.limit + deletions, reverse }, (error, rows) => {
      if (error !== undefined) {
        done(unreadable(this.#disk.place, `The state between ${gte} and ${range.lt} cannot be read`, error), []);
        return;
      }
      this.#deliver(rows, changes, { limit: range.limit, reverse }, done);
    });
  }

  openView(range: Pick<StateRange, "gte" | "lt"> = STATE_KEYS): StateView {
    invariant(!this.#closed, "a closed state is not read");
    invariant(!this.#checkpointing, "a view is of a checkpoint that is durable, with none in flight");
    const view = new CheckpointView(this.#disk, range, (closed) => this.#views.delete(closed));
    this.#views.add(view);
    return view;
  }

  build(
    generation: number,
    done: (failure: StorageFailure | undefined, builder: StateBuilder | undefined) => void,
  ): void {
    invariant(!this.#closed, "a closed state is not written");
    invariant(!this.#isBuilding, "one state is built at a time");
    invariant(generation > this.#generation, () => `generation ${generation} comes after ${this.#generation}`);
    this.#isBuilding = true;
    const creation = new Promise<void>((resolve) => {
      this.#generations.create(generation, (failure, disk) => {
        if (disk === undefined) this.#isBuilding = false;
        else this.#builder = this.#builderOn(disk, generation);
        resolve();
        done(failure, this.#builder);
      });
    });
    this.#follow(creation);
  }

  adopt(builder: StateBuilder): void {
    invariant(!this.#closed, "a closed state is not written");
    invariant(!this.#checkpointing, "no checkpoint is in flight when another state is adopted");
    const adopted = this.#builder;
    invariant(adopted !== undefined && adopted === builder, "a state adopts what was built beside it");
    adopted.handOver();
    const [disk, generation] = [this.#disk, this.#generation];
    this.#disk = adopted.disk;
    this.#trail = adopted.trail;
    this.#generation = adopted.generation;
    this.#active = new Overlay();
    this.#frozen = undefined;
    this.#builder = undefined;
    this.#isBuilding = false;
    this.#discard(disk, generation, () => {});
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const view of this.#views) view.end();
    await Promise.all(this.#pending);
    await this.#builder?.close();
    await this.#disk.close();
  }

  #builderOn(disk: Disk, generation: number): DiskStateBuilder {
    const abandoned = (done: () => void) =>
      this.#discard(disk, generation, () => {
        this.#builder = undefined;
        this.#isBuilding = false;
        done();
      });
    return new DiskStateBuilder(disk, { generation, abandoned });
  }

  /** Removes a disk as soon as what is under way on it, pages and views, has ended. */
  #discard(disk: Disk, generation: number, done: () => void): void {
    const removal = new Promise<void>((resolve) => {
      disk.retire(() =>
        this.#generations.remove(generation, () => {
          resolve();
          done();
        }),
      );
    });
    this.#follow(removal);
  }

  #follow(work: Promise<void>): void {
    this.#pending.add(work);
    void work.then(() => this.#pending.delete(work));
  }

  #deliver(
    rows: readonly DiskRow[],
    changes: ReadonlyMap<string, Change>,
    order: { readonly limit: number; readonly reverse: boolean },
    done: (failure: StorageFailure | undefined, rows: StateRow[]) => void,
  ): void {
    const broken = rows.find(([key, row]) => !isSealed(key, row));
    if (broken === undefined) done(undefined, mergePage(rows, changes, order));
    else done(this.#brokenSeal(broken[0]), []);
  }

  /** Taken one by one while the disk is ready for more: `frozen` does not change any more. */
  *#operations(frozen: Overlay): Generator<DiskOperation> {
    yield* this.#trail.advance(frozen.bytes);
    for (const [key, change] of frozen) {
      yield change === "deleted" ? { type: "delete", key } : { type: "put", key, value: seal(key, change) };
    }
  }

  #checkChange(key: string): void {
    invariant(!this.#closed, "a closed state is not changed");
    invariant(isStateKey(key), () => `the state's key ${JSON.stringify(key)} is printable ASCII`);
  }

  #checkedValue(key: string, row: Buffer): Buffer {
    if (!isSealed(key, row)) throw this.#brokenSeal(key);
    return valueIn(row);
  }

  #brokenSeal(key: string): StorageFailure {
    return damaged(this.#disk.place, `The state's record ${key} fails its checksum`);
  }

  #writeFailure(error: Error | undefined): StorageFailure {
    const message = `The state in ${this.#disk.place} could not be written: ${error?.message}`;
    return new StorageFailure("WRITE_FAILED", message, { cause: error });
  }
}
