import t from "tap";
import { runSeeds } from "./random-runs.js";

t.test("random clusters under random faults keep every promise, and go on once healed", (t) => {
  const { count, total, failed, isReplay } = runSeeds({ hasUpheaval: false });
  t.same(failed, [], "no seed fails (replay one with FOLIO_RAFT_SEED=n)");
  t.comment(`${count} seeds: ${JSON.stringify(total)}`);
  if (!isReplay && failed.length === 0) {
    // A run in which nothing happens would prove nothing.
    t.ok(total.committed > 20 * count, "entries commit");
    t.ok(total.terms > 3 * count, "leaders change");
    t.ok(total.readsAnswered > 5 * count, "reads are answered");
  }
  t.end();
});
