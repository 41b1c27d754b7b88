import type { Draw } from "./callers.js";

/** A stretch of time; performance.now(). */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** When each caller got its answers, ascending. */
export class Answers {
  readonly #byCaller = new Map<number, number[]>();
  /** When each caller began. */
  readonly #begun = new Map<number, number>();

  /** @param draws in the order of their returns */
  constructor(draws: readonly Draw[]) {
    for (const { caller, invoked, returned, counter } of draws) {
      if (!this.#begun.has(caller)) {
        this.#begun.set(caller, invoked);
        this.#byCaller.set(caller, []);
      }
      if (counter !== undefined) this.#byCaller.get(caller)?.push(returned);
    }
  }

  /**
   * The longest time, ms, that any caller was without an answer, of the gaps that touch the stretch; without what the
   * machine stood still in them.
   */
  longestPauseMs({ from, to }: Stretch, stalls: readonly Stretch[] = []): number {
    let longest = 0;
    const see = (gap: Stretch): void => {
      longest = Math.max(longest, gap.to - gap.from - stalledMs(gap, stalls));
    };
    for (const [caller, times] of this.#byCaller) {
      const first = this.#begun.get(caller) ?? from;
      for (let place = firstAfter(times, from); place < times.length; place++) {
        const begun = times[place - 1] ?? first;
        if (begun > to) break;
        see({ from: begun, to: times[place] ?? 0 });
      }
      // Whoever got nothing any more waited until the end of the stretch at least.
      see({ from: times.at(-1) ?? first, to });
    }
    return longest;
  }

  /** The median time between two answers of one caller within the stretch. */
  typicalGapMs({ from, to }: Stretch): number {
    const gaps: number[] = [];
    for (const times of this.#byCaller.values()) {
      for (let place = firstAfter(times, from) + 1; place < times.length; place++) {
        const answered = times[place] ?? 0;
        if (answered > to) break;
        gaps.push(answered - (times[place - 1] ?? 0));
      }
    }
    return median(gaps);
  }

  perSecond({ from, to }: Stretch): number {
    let count = 0;
    for (const times of this.#byCaller.values()) count += firstAfter(times, to) - firstAfter(times, from);
    return (count * 1000) / (to - from);
  }
}

/** How much of the stretch the machine stood still. */
export function stalledMs({ from, to }: Stretch, stalls: readonly Stretch[]): number {
  return stalls.reduce((sum, stall) => sum + Math.max(0, Math.min(to, stall.to) - Math.max(from, stall.from)), 0);
}

/** The place of the first time after `moment`. */
function firstAfter(times: readonly number[], moment: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] ?? 0) > moment) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Of no values: NaN, which fulfils no target. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length >>> 1;
  if (sorted.length % 2 === 1) return sorted[middle] ?? Number.NaN;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

export function largest(values: readonly number[]): number {
  return values.reduce((one, other) => Math.max(one, other), 0);
}
