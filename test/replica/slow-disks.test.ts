import t from "tap";
import { VirtualCluster } from "./virtual-cluster.js";

// A vote is a write, at the candidate and then at the voter: two of them may take longer than an election timeout.

const ELECTION_MS = 300;

for (const slow of ["one survivor", "both survivors"]) {
  for (const syncMs of [ELECTION_MS, 500, 700, 1500]) {
    t.test(`a leader is elected though the disk of ${slow} takes ${syncMs} ms`, async (t) => {
      const cluster = await new VirtualCluster(3, 7).start();
      cluster.untilReady();
      const { leader, followers } = cluster;
      const slowOnes = slow === "one survivor" ? followers.slice(0, 1) : followers;
      for (const node of slowOnes) node.syncMs = syncMs;
      await leader.crash();
      const crashedAt = cluster.time.now;
      const opened = () =>
        followers.some(({ replica }) => {
          const role = replica?.core?.state.role;
          return role?.name === "leader" && (replica?.core?.commitIndex ?? 0) >= role.openingIndex;
        });
      cluster.time.until(opened, 60_000);
      const writes = Math.ceil((cluster.time.now - crashedAt) / Math.max(syncMs, ELECTION_MS));
      t.ok(writes <= 8, `within the time of ${writes} writes or timeouts`);
    });
  }
}
