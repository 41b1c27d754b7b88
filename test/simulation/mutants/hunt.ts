import { withMutant } from "./mirror.js";
import type { Mutant } from "./mutant.js";

export interface Hunt {
  readonly mutant: Mutant;
  /** Undefined: nobody noticed within the mutant's seeds. */
  readonly caught: { readonly seed: number; readonly checker: string; readonly message: string } | undefined;
  readonly seeds: number;
}

/** Runs seed after seed with the bug in place until some checker notices. */
export function hunt(mutant: Mutant): Promise<Hunt> {
  return withMutant(mutant, async ({ runSeed }) => {
    for (let seed = 1; seed <= mutant.seedsMax; seed++) {
      const { violation } = await runSeed(seed);
      if (violation === undefined) continue;
      const { checker, message } = violation;
      return { mutant, caught: { seed, checker, message }, seeds: seed };
    }
    return { mutant, caught: undefined, seeds: mutant.seedsMax };
  });
}
