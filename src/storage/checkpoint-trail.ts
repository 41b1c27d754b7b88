import { damaged } from "./damage.js";
import type { DiskOperation, DiskRow } from "./disk.js";
import { isSealed, seal, unsealedRow } from "./sealed-row.js";

/** All markers, and nothing else. */
export const MARKER_RANGE = { gte: "!checkpoint/", lt: "!checkpoint0" } as const;

/**
 * LevelDB's write-ahead log spans at most two write buffers; a batch is in a table, and out of the
 * reach of a damaged write-ahead log, long before this much has been written behind it.
 */
export const TRAIL_BYTES = 64 * 1024 * 1024;

const MILESTONE_BYTES = 1024 * 1024;
/** What a checkpoint costs beyond its rows: its marker, and LevelDB's framing. */
const MARKER_BYTES = 64;
const REMOVED_PER_CHECKPOINT_MAX = 64;
const NUMBER_DIGITS = 16;

/**
 * Numbered markers, one in the batch of every checkpoint. LevelDB drops the damaged part of a
 * write-ahead log silently and goes on behind it; a checkpoint lost that way leaves a hole in the
 * numbers, which `resume` finds. Markers that no such loss can reach any more are removed.
 */
export class CheckpointTrail {
  /** Markers oldest to newest exist; none if newest is 0. */
  #oldest: number;
  #newest: number;
  /** Markers below may be removed. */
  #removableBelow: number;
  #writtenBytes = 0;
  readonly #milestones: { readonly number: number; readonly bytes: number }[] = [];

  private constructor(oldest: number, newest: number) {
    this.#oldest = oldest;
    this.#newest = newest;
    // Opening LevelDB moved its whole write-ahead log into tables.
    this.#removableBelow = newest;
  }

  /**
   * @param rows every row of MARKER_RANGE, ascending.
   * @throws StorageFailure DAMAGED if a checkpoint is missing.
   */
  static resume(rows: readonly DiskRow[], place: string): CheckpointTrail {
    const first = rows[0];
    if (first === undefined) return new CheckpointTrail(1, 0);
    const oldest = numberOf(first[0]);
    let expected = oldest;
    for (const [key, row] of rows) {
      if (key !== markerKey(expected)) {
        throw damaged(place, `State checkpoint ${expected} was lost, though checkpoint ${numberOf(key)} is there`);
      }
      if (!isSealed(key, row)) throw damaged(place, `The marker of state checkpoint ${expected} fails its checksum`);
      expected += 1;
    }
    return new CheckpointTrail(oldest, expected - 1);
  }

  /** What the next checkpoint writes besides its `bytes` of rows. */
  advance(bytes: number): DiskOperation[] {
    this.#newest += 1;
    this.#writtenBytes += bytes + MARKER_BYTES;
    this.#passMilestones();
    const key = markerKey(this.#newest);
    const operations: DiskOperation[] = [{ type: "put", key, value: seal(key, unsealedRow(NOTHING)) }];
    const end = Math.min(this.#removableBelow, this.#oldest + REMOVED_PER_CHECKPOINT_MAX);
    for (; this.#oldest < end; this.#oldest++) {
      operations.push({ type: "delete", key: markerKey(this.#oldest) });
    }
    return operations;
  }

  #passMilestones(): void {
    const newest = this.#milestones.at(-1);
    if (newest === undefined || this.#writtenBytes - newest.bytes >= MILESTONE_BYTES) {
      this.#milestones.push({ number: this.#newest, bytes: this.#writtenBytes });
    }
    const oldest = this.#milestones[0];
    if (oldest !== undefined && this.#writtenBytes - oldest.bytes >= TRAIL_BYTES) {
      this.#removableBelow = oldest.number;
      this.#milestones.shift();
    }
  }
}

function markerKey(number: number): string {
  return MARKER_RANGE.gte + String(number).padStart(NUMBER_DIGITS, "0");
}

function numberOf(key: string): number {
  return Number(key.slice(MARKER_RANGE.gte.length));
}

const NOTHING = new Uint8Array(0);
