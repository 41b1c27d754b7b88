import { type KnownDraw, type KnownReset, opensEpoch } from "./collapse.js";
import type { LinearizableRead } from "./history.js";

/** Something that happened at a known place: it moved the current value from `from` to `to`. */
export interface Tile {
  readonly what: string;
  readonly from: number;
  readonly to: number;
  readonly invoked: number;
  readonly returned: number;
}

export interface Epoch {
  /** The reset that began it; undefined for epoch 0, and where only an unknown one can have. */
  readonly opener: KnownReset | undefined;
  /** In the only order that their values allow; points (reads) of one value beside each other. */
  readonly tiles: readonly Tile[];
}

/** Everything known, by epoch. Undefined if two known resets began one epoch. */
export function layTiles(known: {
  readonly draws: readonly KnownDraw[];
  readonly resets: readonly KnownReset[];
  readonly reads: readonly LinearizableRead[];
}): Epoch[] | undefined {
  const tiles: Tile[][] = [];
  const openers: (KnownReset | undefined)[] = [];
  const at = (epoch: number): Tile[] => {
    while (tiles.length <= epoch) tiles.push([]);
    return tiles[epoch] as Tile[];
  };
  for (const { id, epoch, first, last, step, invoked, returned } of known.draws) {
    at(epoch).push({ what: `draw ${id}`, from: first - step, to: last, invoked, returned });
  }
  for (const reset of known.resets) {
    const { epoch, oldValue } = reset.outcome;
    const of = at(epoch);
    if (opensEpoch(reset)) {
      if (openers[epoch] !== undefined) return undefined;
      openers[epoch] = reset;
    } else {
      const { id, newValue, invoked, returned } = reset;
      of.push({ what: `reset ${id}`, from: oldValue, to: newValue, invoked, returned });
    }
  }
  for (const { id, epoch, current, invoked, returned } of known.reads) {
    at(epoch).push({ what: `read ${id}`, from: current, to: current, invoked, returned });
  }
  return tiles.map((of, epoch) => ({ opener: openers[epoch], tiles: of.sort(byPlace) }));
}

/** By where it ends; what only looks comes after what moved there. */
function byPlace(one: Tile, other: Tile): number {
  if (one.to !== other.to) return one.to - other.to;
  return Number(isPoint(one)) - Number(isPoint(other));
}

export function isPoint({ from, to }: Tile): boolean {
  return from === to;
}
