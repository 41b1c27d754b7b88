import { RandomRun, type RunReport } from "./random-run.js";

/** FOLIO_RAFT_SEED replays one seed; FOLIO_RAFT_SEEDS runs that many, from FOLIO_RAFT_FIRST on. */
const replayed = process.env["FOLIO_RAFT_SEED"];
const count = replayed === undefined ? Number(process.env["FOLIO_RAFT_SEEDS"] ?? "1000") : 1;
const first = Number(replayed ?? process.env["FOLIO_RAFT_FIRST"] ?? "1");
const STEPS = 900;

export interface RunsReport {
  readonly count: number;
  readonly total: RunReport;
  readonly failed: readonly string[];
  /** One seed proves nothing about how much happens. */
  readonly isReplay: boolean;
}

export function runSeeds(options: { readonly hasUpheaval: boolean }): RunsReport {
  const total = { committed: 0, terms: 0, readsAnswered: 0, healedMs: 0, installed: 0, changed: 0, wiped: 0 };
  const failed: string[] = [];
  for (let seed = first; seed < first + count; seed++) {
    let report: RunReport;
    try {
      report = new RandomRun(seed, options.hasUpheaval).run(STEPS);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      failed.push(`seed ${seed}: ${replayed === undefined ? error.message : error.stack}`);
      continue;
    }
    for (const key of Object.keys(total) as (keyof RunReport)[]) {
      total[key] = key === "healedMs" ? Math.max(total[key], report[key]) : total[key] + report[key];
    }
  }
  return { count, total, failed, isReplay: replayed !== undefined };
}
