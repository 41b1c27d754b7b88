import type { Plan } from "./engine/plan.js";
import type { RunModule } from "./mutants/mirror.js";

export interface Shrunk {
  readonly plan: Plan;
  readonly runs: number;
}

/**
 * A smaller plan with the same finding of the same checker: first less time, then fewer faults, then
 * fewer calls, by halves and then one by one, until nothing can go or the runs are used up.
 */
export async function shrink(
  plan: Plan,
  checker: string,
  options: { readonly runsMax: number; readonly runPlan: RunModule["runPlan"] },
): Promise<Shrunk> {
  const { runsMax, runPlan } = options;
  let runs = 0;
  let smallest = plan;
  const stillFails = async (candidate: Plan): Promise<boolean> => {
    if (runs >= runsMax) return false;
    runs++;
    const { violation } = await runPlan(candidate, { isTraced: false });
    return violation?.checker === checker;
  };
  const accept = async (candidate: Plan): Promise<boolean> => {
    if (!(await stillFails(candidate))) return false;
    smallest = candidate;
    return true;
  };
  for (const share of [0.25, 0.5, 0.75]) {
    if (await accept(cutAt(smallest, smallest.chaosMs * share))) break;
  }
  let before: Plan;
  do {
    before = smallest;
    smallest = await without(smallest, "faults", accept, () => smallest);
    smallest = await without(smallest, "operations", accept, () => smallest);
  } while (smallest !== before && runs < runsMax);
  return { plan: smallest, runs };
}

function cutAt(plan: Plan, chaosMs: number): Plan {
  return {
    ...plan,
    chaosMs,
    faults: plan.faults.filter(({ atMs }) => atMs < chaosMs),
    operations: plan.operations.filter(({ atMs }) => atMs < chaosMs),
  };
}

/** Leaves out ever smaller pieces of one list. */
async function without(
  plan: Plan,
  list: "faults" | "operations",
  accept: (candidate: Plan) => Promise<boolean>,
  smallest: () => Plan,
): Promise<Plan> {
  for (let size = Math.ceil(plan[list].length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < smallest()[list].length; ) {
      const current = smallest();
      const rest = (current[list] as readonly unknown[]).filter((_, place) => place < from || place >= from + size);
      const isGone = await accept({ ...current, [list]: rest });
      if (!isGone) from += size;
    }
  }
  return smallest();
}
