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
  logCut: () => undefined,
  snapshotMoved: () => undefined,
  stateDiverged: () => undefined,
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

/** A timer whose clock and event loop the test is: every round of reading is run by hand. */
function handDriven() {
  const loop = { now: 0, rounds: [] as (() => void)[], fire: () => {}, isBelieved: false };
  const timer = new ElectionTimer({
    clock: { monotonic: () => loop.now, wall: () => loop.now },
    timers: {
      after: (_delayMs, callback) => {
        loop.fire = callback;
        return { cancel: () => undefined };
      },
      afterInput: (callback) => loop.rounds.push(callback),
    },
    observer: SILENT,
    latenessMaxMs: 50,
    due: () => {
      loop.isBelieved = true;
    },
  });
  return { timer, loop };
}

t.test(
  "a stall may end just when the timer is due: input is read twice before any timer is believed (seeds 2001177, 2003288)",
  (t) => {
    const { timer, loop } = handDriven();
    timer.arm(300);
    loop.now = 310;
    loop.fire();
    for (let round = 1; round <= 2; round++) {
      t.equal(loop.isBelieved, false, `not before round ${round} of reading`);
      loop.rounds.shift()?.();
    }
    t.equal(loop.isBelieved, true);
    t.end();
  },
);

t.test(
  "a stall between reading and the turn that ticks: input is read again, once (seeds 20000283, 20010370)",
  async (t) => {
    const cluster = await new VirtualCluster(3).start();
    cluster.untilReady();
    const core = cluster.followers[0]?.replica?.core;
    if (core === undefined) throw new Error("a follower has a core");
    const { timer, loop } = handDriven();
    const readTwice = () => {
      for (let round = 1; round <= 2; round++) loop.rounds.shift()?.();
    };
    timer.arm(300);
    loop.now = core.nextDeadline;
    loop.fire();
    readTwice();
    // The process stands still just before its turn.
    loop.now += 600;
    loop.isBelieved = false;
    const deadlineBefore = core.nextDeadline;
    timer.tick(core, loop.now);
    t.equal(core.nextDeadline, deadlineBefore, "no tick on unread input");
    t.equal(loop.rounds.length, 1, "input is read again");
    readTwice();
    t.equal(loop.isBelieved, true);
    // A loop that is always that slow ticks all the same.
    loop.now += 600;
    timer.tick(core, loop.now);
    t.not(core.nextDeadline, deadlineBefore);
  },
);

t.test(
  "each term has its excuse: who stood still under an earlier leader may stand still again (seed 3107057)",
  async (t) => {
    const cluster = await new VirtualCluster(3).start();
    cluster.untilReady();
    const [node] = cluster.followers;
    const core = node?.replica?.core;
    if (core === undefined) throw new Error("a follower has a core");
    const { timer, loop } = handDriven();
    const standStill = () => {
      timer.arm(core.nextDeadline);
      loop.now = core.nextDeadline + 600;
      loop.fire();
      for (let round = 1; round <= 2; round++) loop.rounds.shift()?.();
      timer.tick(core, loop.now);
    };
    standStill();
    t.equal(core.roleName, "follower", "excused");
    // Somebody stands by order of the leader, and is not heard of again.
    const [from, term] = [cluster.leader.id, core.term + 1];
    const last = { lastLogIndex: core.lastIndex, lastLogTerm: term - 1, preVote: false, leadershipTransfer: true };
    core.receive({ type: "voteRequest", from, to: core.id, term, ...last }, loop.now);
    t.equal(core.term, term);
    // A vote that is on its way to the disk is waited for in any case.
    core.persisted(core.takeWrite()?.ticket ?? 0, loop.now);
    standStill();
    t.equal(core.roleName, "follower", "excused again: the silence of this term has only begun");
    standStill();
    t.equal(core.roleName, "preCandidate", "once in a term");
  },
);
