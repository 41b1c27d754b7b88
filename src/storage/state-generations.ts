import { damaged } from "./damage.js";
import type { Disk, DiskOperation } from "./disk.js";
import type { StorageFailure } from "./log-store.js";
import { isSealed, seal, unsealedRow, valueIn } from "./sealed-row.js";

/**
 * Where the generations of one state live, a disk each. The log's base says which one is in force:
 * that one write is the switch, and everything here only prepares it or tidies up behind it.
 */
export interface StateGenerations {
  /**
   * A new disk that carries the store's identity and nothing else; what was there is removed
   * first. Calls `done` once, never synchronously.
   */
  create(generation: number, done: (failure: StorageFailure | undefined, disk: Disk | undefined) => void): void;
  /**
   * Removes a generation whose disk is closed. What cannot be removed is told as a notice and tried
   * again when the state is opened the next time. Calls `done` once, never synchronously.
   */
  remove(generation: number, done: () => void): void;
}

const BUILT_KEY = "!built";
const BUILT_TEXT = /^generation=(\d+) rows=(\d+)$/;

/** The last row of a state that was built aside: without it the state is not whole. */
export function completionOf(generation: number, rows: number): DiskOperation {
  const text = Buffer.from(`generation=${generation} rows=${rows}`, "latin1");
  return { type: "put", key: BUILT_KEY, value: seal(BUILT_KEY, unsealedRow(text)) };
}

/**
 * What is said before the log switches to a generation is asked again when it is opened.
 * @throws StorageFailure DAMAGED if it was never finished, or is another generation.
 */
export function assertBuilt(disk: Pick<Disk, "place" | "get">, generation: number): void {
  const row = disk.get(BUILT_KEY);
  if (row === undefined) {
    if (generation === 0) return;
    throw damaged(disk.place, `The state of generation ${generation}, which the log goes by, was never finished`);
  }
  const match = isSealed(BUILT_KEY, row) ? BUILT_TEXT.exec(valueIn(row).toString("latin1")) : null;
  if (match === null) throw damaged(disk.place, "The record that the state was built whole is damaged");
  if (Number(match[1]) !== generation) {
    throw damaged(disk.place, `The state is of generation ${match[1]}, though the log goes by ${generation}`);
  }
}

/** The log names a generation that is not there. */
export function missingGeneration(place: string, generation: number): StorageFailure {
  return damaged(place, `The state of generation ${generation}, which the log goes by, is missing`);
}
