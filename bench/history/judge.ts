import { collapseDraws, isKnownReset, type UnknownDraw } from "./collapse.js";
import {
  broken,
  LINEARIZABLE,
  type LinearizableRead,
  type Operation,
  type ResetAttempt,
  type SeriesHistory,
  type Verdict,
} from "./history.js";
import { fillHoles, type Hole } from "./holes.js";
import { judgeLocalReads } from "./local-reads.js";
import { type Epoch, isPoint, layTiles, type Tile } from "./tiles.js";

/**
 * Whether the history of one series can be explained by one order of its operations that respects
 * real time. The values fix the order of everything known, so that no search is needed except for
 * who filled the holes: O(n log n).
 */
export function judge(history: SeriesHistory): Verdict {
  const { step, operations } = history;
  const { known, unknown, contradiction } = collapseDraws(operations, step);
  if (contradiction !== undefined) return broken("one key, one answer", contradiction);
  for (const { id, first, last, step: drawnStep } of known) {
    if (last < first || (last - first) % drawnStep !== 0)
      return broken("no number twice", `draw ${id} has no proper range`);
  }
  const resets = operations.filter(isKnownReset);
  const reads = operations.filter((operation): operation is LinearizableRead => operation.kind === "read");
  const epochs = layTiles({ draws: known, resets, reads });
  if (epochs === undefined) return broken("resets explained", "two resets began one epoch");
  const realTime = judgeRealTime(epochs);
  if (realTime !== undefined) return realTime;
  return judgeHoles(history, epochs, unknown) ?? judgeLocalReads(operations) ?? LINEARIZABLE;
}

/** Whatever is missing between the tiles must be what a call of unknown fate did. */
function judgeHoles(
  { start, step, otherSteps = [], operations }: SeriesHistory,
  epochs: readonly Epoch[],
  draws: readonly UnknownDraw[],
): Verdict | undefined {
  const steps = [...new Set([step, ...otherSteps])];
  const unknownResets = operations.filter(isUnknownReset);
  const deadlines = deadlinesOf(epochs);
  const openers = chooseOpeners(
    epochs,
    deadlines,
    unknownResets.filter(({ force }) => force),
  );
  if (openers === undefined)
    return broken("resets explained", "an epoch began without, or before, any reset that could have begun it");
  const holes: Hole[] = [];
  for (const [epoch, { tiles }] of epochs.entries()) {
    const base = epoch === 0 ? start - step : (openers[epoch] ?? 0);
    const end = epochs[epoch + 1]?.opener?.outcome.oldValue;
    const fault = findHoles({ epoch, base, tiles, end, deadlines, steps }, holes);
    if (fault !== undefined) return fault;
    const next = openers[epoch + 1];
    const reached = tiles.at(-1)?.to ?? base;
    if (end === undefined && next !== undefined && reached <= next) {
      const deadline = deadlines.ofEpoch[epoch + 1] ?? 0;
      holes.push({ epoch, isAtLeast: true, from: next, to: next + step, deadline });
    }
  }
  const filling = fillHoles(holes, steps, { draws, jumps: unknownResets.filter(({ force }) => !force) });
  if (filling === "undecided") return broken("undecided", "too many ways to fill the holes");
  return filling === "open" ? broken("no unexplained gap", `nobody can have drawn ${describe(holes)}`) : undefined;
}

function isUnknownReset(operation: Operation): operation is ResetAttempt {
  return operation.kind === "reset" && operation.outcome.kind === "unknown";
}

/** The newest thing invoked so far, walking up the values. */
interface Newest {
  readonly invoked: number;
  readonly what: string;
}

/** Walking up the values: whatever returned before something earlier was invoked is out of order. */
function judgeRealTime(epochs: readonly Epoch[]): Verdict | undefined {
  let newest: Newest = { invoked: Number.NEGATIVE_INFINITY, what: "" };
  for (const { opener, tiles } of epochs) {
    if (opener !== undefined) {
      const { invoked, returned } = opener;
      const what = `reset ${opener.id}`;
      if (returned < newest.invoked) return outOfOrder(what, newest.what);
      if (invoked > newest.invoked) newest = { invoked, what };
    }
    const walked = walkTiles(tiles, newest);
    if ("kind" in walked) return walked;
    newest = walked;
  }
  return undefined;
}

function walkTiles(tiles: readonly Tile[], from: Newest): Newest | Verdict {
  // Points of one value may come in any order among themselves.
  let newest = from;
  let before = from;
  let value = Number.NaN;
  for (const tile of tiles) {
    if (!isPoint(tile) || tile.to !== value) before = newest;
    value = isPoint(tile) ? tile.to : Number.NaN;
    if (tile.returned < before.invoked) return outOfOrder(tile.what, before.what);
    if (tile.invoked > newest.invoked) newest = tile;
  }
  return newest;
}

function outOfOrder(later: string, earlier: string): Verdict {
  return broken("real time", `${later} returned before ${earlier} was invoked, but comes after it by its value`);
}

/** The earliest return of a tile and everything behind it: of every tile, and of every whole epoch. */
interface Deadlines {
  readonly ofTile: ReadonlyMap<Tile, number>;
  /** From the opener on; and one more, for what ends the last epoch. */
  readonly ofEpoch: readonly number[];
}

function deadlinesOf(epochs: readonly Epoch[]): Deadlines {
  const ofTile = new Map<Tile, number>();
  const ofEpoch = new Array<number>(epochs.length + 1).fill(Number.POSITIVE_INFINITY);
  let earliest = Number.POSITIVE_INFINITY;
  for (let epoch = epochs.length - 1; epoch >= 0; epoch--) {
    const { opener, tiles } = epochs[epoch] as Epoch;
    for (let place = tiles.length - 1; place >= 0; place--) {
      const tile = tiles[place] as Tile;
      earliest = Math.min(earliest, tile.returned);
      ofTile.set(tile, earliest);
    }
    earliest = Math.min(earliest, opener?.returned ?? Number.POSITIVE_INFINITY);
    ofEpoch[epoch] = earliest;
  }
  return { ofTile, ofEpoch };
}

/** The value that each epoch began at; undefined if there is nobody who can have begun one of them. */
function chooseOpeners(
  epochs: readonly Epoch[],
  { ofEpoch }: Deadlines,
  candidates: readonly ResetAttempt[],
): (number | undefined)[] | undefined {
  const free = [...candidates];
  const bases: (number | undefined)[] = [];
  for (const [epoch, { opener, tiles }] of epochs.entries()) {
    if (epoch === 0 || opener !== undefined) {
      bases.push(opener?.newValue);
      continue;
    }
    // Deadlines grow from epoch to epoch: whoever may begin this one may begin every later one.
    const lowest = tiles[0]?.from ?? Number.POSITIVE_INFINITY;
    const fitting = free
      .filter(({ invoked, newValue }) => invoked <= (ofEpoch[epoch] ?? 0) && newValue <= lowest)
      .sort((a, b) => b.newValue - a.newValue)[0];
    if (fitting === undefined) return undefined;
    free.splice(free.indexOf(fitting), 1);
    bases.push(fitting.newValue);
  }
  return bases;
}

/** Walks over one epoch: what overlaps is a fault, what is missing a hole. */
function findHoles(
  epoch: {
    readonly epoch: number;
    readonly base: number;
    readonly tiles: readonly Tile[];
    /** What the reset that ended the epoch found; undefined if no known one did. */
    readonly end: number | undefined;
    readonly deadlines: Deadlines;
    readonly steps: readonly number[];
  },
  holes: Hole[],
): Verdict | undefined {
  const { base, tiles, end, deadlines, steps } = epoch;
  const [onlyStep, ...others] = steps;
  let current = base;
  let last = `the beginning of epoch ${epoch.epoch}`;
  const reach = (from: number, what: string, deadline: number): Verdict | undefined => {
    if (from < current) return broken("no number twice", `${what} lies below ${current}, where ${last} ended`);
    // Which slots there are under several steps, filling the hole will show.
    const isOffSlot = others.length === 0 && (from - current) % (onlyStep ?? 1) !== 0;
    if (isOffSlot) return broken("no unexplained gap", `${what} is on no slot`);
    if (from > current) holes.push({ epoch: epoch.epoch, isAtLeast: false, from: current, to: from, deadline });
    return undefined;
  };
  for (const tile of tiles) {
    const fault = reach(tile.from, tile.what, deadlines.ofTile.get(tile) ?? 0);
    if (fault !== undefined) return fault;
    current = tile.to;
    last = tile.what;
  }
  return end === undefined
    ? undefined
    : reach(end, `the end of epoch ${epoch.epoch}`, deadlines.ofEpoch[epoch.epoch + 1] ?? 0);
}

function describe(holes: readonly Hole[]): string {
  const texts = holes.slice(0, 5).map(({ epoch, from, to }) => `${epoch}:(${from}, ${to}]`);
  return `${texts.join(", ")}${holes.length > 5 ? ` and ${holes.length - 5} more` : ""}`;
}
