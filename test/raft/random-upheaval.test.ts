import t from "tap";
import { runSeeds } from "./random-runs.js";

t.test("random clusters keep every promise while logs are cut, snapshots installed, and members come and go", (t) => {
  const { count, total, failed, isReplay } = runSeeds({ hasUpheaval: true });
  t.same(failed, [], "no seed fails (replay one with FOLIO_RAFT_SEED=n)");
  t.comment(`${count} seeds: ${JSON.stringify(total)}`);
  if (!isReplay && failed.length === 0) {
    t.ok(total.committed > 20 * count, "entries commit");
    t.ok(total.installed > count, "snapshots are installed");
    t.ok(total.changed > 3 * count, "members come and go");
    t.ok(total.wiped > count / 20, "nodes come back with another store");
  }
  t.end();
});
