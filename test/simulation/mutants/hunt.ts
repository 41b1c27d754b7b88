import { withMutant } from "./mirror.js";
import type { Mutant } from "./mutant.js";

export interface Hunt {
  readonly mutant: Mutant;
  /** Undefined: nobody noticed within the mutant's seeds. */
  readonly caught: { readonly seed: number; readonly checker: string; readonly message: string } | undefined;
  readonly seeds: number;
}

/** Every mutant must be caught within so many. */
const SEEDS_MAX = 1000;

/** Runs seed after seed with the bug in place until some checker notices. */
export function hunt(mutant: Mutant, seedsMax = SEEDS_MAX): Promise<Hunt> {
  return withMutant(mutant, async ({ runSeed }) => {
    for (let seed = 1; seed <= seedsMax; seed++) {
      const { violation } = await runSeed(seed);
      if (violation === undefined) continue;
      const { checker, message } = violation;
      return { mutant, caught: { seed, checker, message }, seeds: seed };
    }
    return { mutant, caught: undefined, seeds: seedsMax };
  });
}
