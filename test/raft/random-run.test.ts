import t from "tap";
import { RandomRun, type RunReport } from "./random-run.js";

/** FOLIO_RAFT_SEED replays one seed; FOLIO_RAFT_SEEDS runs that many, from FOLIO_RAFT_FIRST on. */
const replayed = process.env["FOLIO_RAFT_SEED"];
const count = replayed === undefined ? Number(process.env["FOLIO_RAFT_SEEDS"] ?? "1000") : 1;
const first = Number(replayed ?? process.env["FOLIO_RAFT_FIRST"] ?? "1");
const STEPS = 900;

function runAll(options: { readonly hasUpheaval: boolean }): { readonly total: RunReport; readonly failed: string[] } {
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
  return { total, failed };
}

t.test("random clusters under random faults keep every promise, and go on once healed", (t) => {
  const { total, failed } = runAll({ hasUpheaval: false });
  t.same(failed, [], "no seed fails (replay one with FOLIO_RAFT_SEED=n)");
  t.comment(`${count} seeds: ${JSON.stringify(total)}`);
  if (replayed === undefined && failed.length === 0) {
    // A run in which nothing happens would prove nothing.
    t.ok(total.committed > 20 * count, "entries commit");
    t.ok(total.terms > 3 * count, "leaders change");
    t.ok(total.readsAnswered > 5 * count, "reads are answered");
  }
  t.end();
});

t.test("so they do while logs are cut, snapshots installed, and members come and go", (t) => {
  const { total, failed } = runAll({ hasUpheaval: true });
  t.same(failed, [], "no seed fails (replay one with FOLIO_RAFT_SEED=n)");
  t.comment(`${count} seeds: ${JSON.stringify(total)}`);
  if (replayed === undefined && failed.length === 0) {
    t.ok(total.committed > 20 * count, "entries commit");
    t.ok(total.installed > count, "snapshots are installed");
    t.ok(total.changed > 3 * count, "members come and go");
    t.ok(total.wiped > count / 20, "nodes come back with another store");
  }
  t.end();
});
