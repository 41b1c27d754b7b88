import { judge } from "../../bench/history/judge.js";
import type { Violation } from "./checkers/violation.js";
import type { Plan } from "./engine/plan.js";
import { planRun } from "./engine/plan-run.js";
import { runRecovery } from "./engine/recovery-phase.js";
import { Simulation } from "./engine/simulation.js";

export interface RunOutcome {
  readonly plan: Plan;
  readonly violation: (Violation & { readonly atMs: number }) | undefined;
  readonly simulatedMs: number;
  readonly figures: {
    readonly steps: number;
    readonly entries: number;
    readonly effects: number;
    readonly livenessShare: number;
  };
  /** Only where asked for. */
  readonly trace: { readonly lines: readonly string[]; readonly digest: string } | undefined;
}

/** Runs one plan from its beginning to its verdict. */
export async function runPlan(plan: Plan, options: { readonly isTraced: boolean }): Promise<RunOutcome> {
  const simulation = new Simulation(plan, options);
  simulation.begin();
  await simulation.runUntil(plan.chaosMs);
  let livenessShare = 0;
  if (simulation.violation === undefined) livenessShare = (await runRecovery(simulation)).livenessShare;
  if (simulation.violation === undefined) judgeHistories(simulation);
  const { violation, trace, stepCount, committed, effects, queue } = simulation;
  return {
    plan,
    violation,
    simulatedMs: queue.nowMs,
    figures: { steps: stepCount, entries: committed.length, effects: effects.count, livenessShare },
    trace: trace && { lines: trace.lines, digest: trace.digest },
  };
}

export function runSeed(
  seed: number,
  options: { readonly isTraced?: boolean; readonly nodeCount?: number | undefined } = {},
): Promise<RunOutcome> {
  return runPlan(planRun({ seed, nodeCount: options.nodeCount }), { isTraced: options.isTraced ?? false });
}

/** What the clients saw, judged without knowing anything of the cluster. */
function judgeHistories(simulation: Simulation): void {
  for (const { name, ...history } of simulation.clients.histories.sorted()) {
    const verdict = judge(history);
    if (verdict.kind === "broken") simulation.report(`history: ${verdict.rule}`, `${name}: ${verdict.message}`);
  }
}
