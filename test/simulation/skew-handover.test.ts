import t from "tap";
import { VirtualCluster } from "../replica/virtual-cluster.js";

t.test(
  "a leader whose clock strays hands over to a node that hears it, not to one that is deaf (seed 900)",
  async (t) => {
    const cluster = await new VirtualCluster(3).start();
    cluster.untilReady();
    const { leader, followers } = cluster;
    const [deaf, well] = followers;
    cluster.filter = (_from, to, messages) => (to === deaf?.id ? [] : messages);
    const answer = leader.propose("the deaf node does not hear of it");
    cluster.time.until(() => answer.result !== undefined);
    leader.time.wallOffsetMs = 5000;
    cluster.time.until(() => well?.replica?.isLeader === true);
    const ended = leader.transitions.filter(({ kind }) => kind === "transferEnded");
    t.match(ended, [{ target: well?.id, outcome: "handedOver" }]);
    t.equal(ended.length, 1, "at the first attempt");
  },
);

t.test("a node that never takes over is not asked for ever (seed 5805)", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const { leader, followers } = cluster;
  const [deaf, well] = followers;
  cluster.filter = (_from, to, messages) =>
    to === deaf?.id ? messages.filter(({ type }) => type !== "timeoutNow") : messages;
  leader.time.wallOffsetMs = 5000;
  cluster.time.until(() => well?.replica?.isLeader === true);
  const ended = leader.transitions.filter(({ kind }) => kind === "transferEnded");
  t.match(ended.at(-1), { target: well?.id, outcome: "handedOver" });
  t.ok(ended.length <= 2, "it was tried once at most");
});
