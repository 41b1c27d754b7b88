import t from "tap";
import { VirtualCluster } from "./virtual-cluster.js";

t.test("nodes whose timers are always late elect a leader all the same: silence is excused once", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const { leader, followers } = cluster;
  for (const node of followers) node.time.timersLateMs = 120;
  await leader.crash();
  cluster.time.until(() => followers.some((node) => node.replica?.isLeader === true), 5000);
  const answer = followers[0]?.propose("under way again");
  cluster.time.until(() => answer?.result !== undefined);
  t.equal(answer?.result, 1);
});

t.test("a node that stood still believes its timer only after it has read what came meanwhile", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const { leader, followers } = cluster;
  for (let stall = 0; stall < 5; stall++) {
    followers[0]?.time.pause();
    cluster.time.advance(2000);
    followers[0]?.time.resume();
    cluster.time.advance(700);
  }
  t.equal(leader.replica?.isLeader, true);
  t.notOk(followers[0]?.transitions.some(({ kind }, place) => place > 5 && kind === "roleChanged"));
});
