import type { UnknownDraw } from "./collapse.js";

/**
 * Numbers that nobody admits to have drawn: below some that somebody did, or, where `isAtLeast`, one
 * or more above all that are known, without which a reset could not have begun the next epoch.
 */
export interface Hole {
  readonly epoch: number;
  readonly isAtLeast: boolean;
  /** Exclusive and inclusive. */
  readonly from: number;
  readonly to: number;
  /** The earliest return after the hole: whatever filled it was invoked by then. */
  readonly deadline: number;
}

/** A reset forward that may have happened. */
export interface UnknownJump {
  readonly newValue: number;
  readonly invoked: number;
}

const SEARCH_STEPS_MAX = 200_000;

export type Filling = "filled" | "open" | "undecided";

/**
 * Whether the unknown draws and jumps can explain all holes at once. What never returned is only
 * bound by its invocation, and with holes in the order of their deadlines, whoever may fill one may
 * fill every later one: only how many of each size are used matters, so that the search is exact.
 * With one size and one step it never branches.
 * @param steps any of them may have been in force when a draw had its effect
 */
export function fillHoles(
  holes: readonly Hole[],
  steps: readonly number[],
  unknown: { readonly draws: readonly UnknownDraw[]; readonly jumps: readonly UnknownJump[] },
): Filling {
  const ordered = [...holes].sort((a, b) => a.deadline - b.deadline);
  const filling = new HoleSearch(ordered, steps, unknown).run();
  if (filling !== "undecided") return filling;
  // Long draws that went into early holes are missing where nothing else fits: those holes first, more and more
  // of them. What that finds is a filling like any other; where it finds none, there may still be one.
  const lengths = [...new Set(ordered.map(({ from, to }) => to - from))].sort((a, b) => b - a);
  for (const least of lengths) {
    const { left, draws } = matchExactly(ordered, steps, { draws: unknown.draws, least });
    if (new HoleSearch(left, steps, { ...unknown, draws }).run() === "filled") return "filled";
  }
  return "undecided";
}

/** Gives each hole of at least that length, from the last on, a draw of just its size; returns what is left of both. */
function matchExactly(
  holes: readonly Hole[],
  steps: readonly number[],
  unknown: { readonly draws: readonly UnknownDraw[]; readonly least: number },
): { readonly left: Hole[]; readonly draws: UnknownDraw[] } {
  // Whoever was invoked late fits the fewest holes.
  const draws = [...unknown.draws].sort((a, b) => b.invoked - a.invoked);
  const left: Hole[] = [];
  for (const hole of [...holes].reverse()) {
    const length = hole.to - hole.from;
    const fits = ({ count, invoked }: UnknownDraw) =>
      invoked <= hole.deadline && steps.some((step) => count * step === length);
    const place = hole.isAtLeast || length < unknown.least ? -1 : draws.findIndex(fits);
    if (place >= 0) draws.splice(place, 1);
    else left.unshift(hole);
  }
  return { left, draws };
}

/** A draw of that size, under one of the steps, moves the series on by so much. */
interface Stride {
  readonly sizePlace: number;
  readonly length: number;
}

class HoleSearch {
  readonly #holes: readonly Hole[];
  readonly #jumps: readonly UnknownJump[];
  /** Longest first. */
  readonly #strides: readonly Stride[];
  /** Invocations of the draws of each size, ascending. */
  readonly #invoked: readonly (readonly number[])[];
  readonly #used: number[];
  readonly #jumpUsed: boolean[];
  readonly #failed = new Set<string>();
  #steps = 0;

  constructor(
    holes: readonly Hole[],
    steps: readonly number[],
    { draws, jumps }: { readonly draws: readonly UnknownDraw[]; readonly jumps: readonly UnknownJump[] },
  ) {
    this.#holes = holes;
    this.#jumps = jumps;
    const bySize = new Map<number, number[]>();
    for (const { count, invoked } of draws) {
      const list = bySize.get(count);
      if (list === undefined) bySize.set(count, [invoked]);
      else list.push(invoked);
    }
    const sizes = [...bySize.keys()].sort((a, b) => b - a);
    this.#strides = sizes
      .flatMap((size, sizePlace) => steps.map((step) => ({ sizePlace, length: size * step })))
      .sort((a, b) => b.length - a.length);
    this.#invoked = sizes.map((size) => (bySize.get(size) ?? []).sort((a, b) => a - b));
    this.#used = sizes.map(() => 0);
    this.#jumpUsed = jumps.map(() => false);
  }

  run(): Filling {
    const filled = this.#fillFrom(0);
    if (filled) return "filled";
    return this.#steps > SEARCH_STEPS_MAX ? "undecided" : "open";
  }

  #fillFrom(first: number): boolean {
    const hole = this.#holes[first];
    if (hole === undefined) return true;
    const state = `${first}:${this.#used.join()}:${this.#jumpUsed.join()}`;
    if (this.#failed.has(state) || this.#steps > SEARCH_STEPS_MAX) return false;
    if (hole.isAtLeast) {
      if (this.#chooseAny(hole, first)) return true;
    } else if (this.#choose(hole, hole.to - hole.from, 0, () => this.#fillFrom(first + 1))) return true;
    if (this.#jumpInto(hole, first)) return true;
    this.#failed.add(state);
    return false;
  }

  /** A jump to somewhere in the hole explains everything below. */
  #jumpInto(hole: Hole, place: number): boolean {
    for (const [which, { newValue, invoked }] of this.#jumps.entries()) {
      if (this.#jumpUsed[which] === true || invoked > hole.deadline) continue;
      if (newValue <= hole.from || (!hole.isAtLeast && newValue > hole.to)) continue;
      this.#jumpUsed[which] = true;
      const left = hole.isAtLeast ? 0 : hole.to - newValue;
      if (this.#choose(hole, left, 0, () => this.#fillFrom(place + 1))) return true;
      this.#jumpUsed[which] = false;
    }
    return false;
  }

  /** One draw of any size will do. */
  #chooseAny(hole: Hole, place: number): boolean {
    for (const [sizePlace, invoked] of this.#invoked.entries()) {
      const used = this.#used[sizePlace] ?? 0;
      if (countUpTo(invoked, hole.deadline) <= used) continue;
      this.#used[sizePlace] = used + 1;
      if (this.#fillFrom(place + 1)) return true;
      this.#used[sizePlace] = used;
    }
    return false;
  }

  /** Makes up `left` from the strides from `place` on, then goes on. */
  #choose(hole: Hole, left: number, place: number, goOn: () => boolean): boolean {
    this.#steps++;
    if (left === 0) return goOn();
    const stride = this.#strides[place];
    if (stride === undefined || this.#steps > SEARCH_STEPS_MAX || this.#reach(hole, place) < left) return false;
    const { sizePlace, length } = stride;
    const used = this.#used[sizePlace] ?? 0;
    const most = Math.min(this.#available(hole, sizePlace), Math.floor(left / length));
    for (let taken = most; taken >= 0; taken--) {
      this.#used[sizePlace] = used + taken;
      if (this.#choose(hole, left - taken * length, place + 1, goOn)) return true;
    }
    this.#used[sizePlace] = used;
    return false;
  }

  /** No more than this can be made up from the strides from `place` on: a long hole is not tried with hundreds of short draws. */
  #reach(hole: Hole, place: number): number {
    let reach = 0;
    for (let at = place; at < this.#strides.length; at++) {
      const { sizePlace, length } = this.#strides[at] as Stride;
      reach += this.#available(hole, sizePlace) * length;
    }
    return reach;
  }

  /** Draws of that size that may have filled the hole, and filled none so far. */
  #available({ deadline }: Hole, sizePlace: number): number {
    return countUpTo(this.#invoked[sizePlace] ?? [], deadline) - (this.#used[sizePlace] ?? 0);
  }
}

/** How many of the ascending values are at most `limit`. */
function countUpTo(values: readonly number[], limit: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] ?? 0) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
