import t from "tap";
import { RandomRun, type RunReport } from "./random-run.js";

/** FOLIO_RAFT_SEED replays one seed; FOLIO_RAFT_SEEDS runs that many, from FOLIO_RAFT_FIRST on. */
const replayed = process.env["FOLIO_RAFT_SEED"];
const count = replayed === undefined ? Number(process.env["FOLIO_RAFT_SEEDS"] ?? "1000") : 1;
const first = Number(replayed ?? process.env["FOLIO_RAFT_FIRST"] ?? "1");
const STEPS = 900;

t.test("random clusters under random faults keep every promise, and go on once healed", (t) => {
  const total = { committed: 0, terms: 0, readsAnswered: 0, healedMs: 0 };
  const failed: string[] = [];
  for (let seed = first; seed < first + count; seed++) {
    let report: RunReport;
    try {
      report = new RandomRun(seed).run(STEPS);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      failed.push(`seed ${seed}: ${replayed === undefined ? error.message : error.stack}`);
      continue;
    }
    total.committed += report.committed;
    total.terms += report.terms;
    total.readsAnswered += report.readsAnswered;
    total.healedMs = Math.max(total.healedMs, report.healedMs);
  }
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
