import t from "tap";
import { ElectionTimer } from "../../src/replica/election-timer.js";
import type { ReplicaObserver } from "../../src/replica/ports.js";
import { VirtualCluster } from "./virtual-cluster.js";

const SILENT: ReplicaObserver = {
  transition: () => undefined,
  entryPacked: () => undefined,
  logWritten: () => undefined,
  entryApplied: () => undefined,
  checkpointWritten: () => undefined,
  notice: () => undefined,
};

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

t.test(
  "a stall may end just when the timer is due: input is read twice before any timer is believed (seeds 2001177, 2003288)",
  (t) => {
    let now = 0;
    const rounds: (() => void)[] = [];
    let fire = (): void => {};
    let isBelieved = false;
    const timer = new ElectionTimer({
      clock: { monotonic: () => now, wall: () => now },
      timers: {
        after: (_delayMs, callback) => {
          fire = callback;
          return { cancel: () => undefined };
        },
        afterInput: (callback) => rounds.push(callback),
      },
      observer: SILENT,
      latenessMaxMs: 50,
      due: () => {
        isBelieved = true;
      },
    });
    timer.arm(300);
    now = 310;
    fire();
    for (let round = 1; round <= 2; round++) {
      t.equal(isBelieved, false, `not before round ${round} of reading`);
      rounds.shift()?.();
    }
    t.equal(isBelieved, true);
    t.end();
  },
);
