import t from "tap";
import { LIMITS } from "../../src/replica/options.js";
import { VirtualCluster } from "./virtual-cluster.js";

t.test("a follower far behind is sent a bounded part of the log at a time, and catches up", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const { leader } = cluster;
  const [behind] = cluster.followers;
  if (behind === undefined) throw new Error("there is no follower");
  await behind.crash();
  const large = "x".repeat(300_000);
  const count = 60;
  for (let draw = 0; draw < count; draw++) {
    const answer = leader.propose(`${draw} ${large}`);
    cluster.time.until(() => answer.result !== undefined);
  }
  let largestBytes = 0;
  cluster.filter = (_from, to, messages) => {
    if (to !== behind.id) return messages;
    let bytes = 0;
    for (const message of messages) {
      if (message.type !== "appendRequest") continue;
      for (const { body } of message.entries) if (body.kind === "command") bytes += body.payload.length;
    }
    largestBytes = Math.max(largestBytes, bytes);
    return messages;
  };
  await behind.start();
  cluster.untilReady();
  cluster.time.until(() => behind.machine?.lines.length === count);
  t.ok(
    largestBytes <= LIMITS.appendsInFlightMax * LIMITS.entryBytesMax,
    `${largestBytes} bytes read and sent in one turn`,
  );
});
