import type { OwnOutcomes, ReplicatedState } from "../machine/replicated-state.js";
import type { RaftCore } from "../raft/core.js";
import type { NodeId, Transition } from "../raft/types.js";
import type { Applier } from "./applier.js";
import type { CoreIo } from "./core-io.js";
import type { Dispatch } from "./dispatch.js";
import type { ElectionTimer } from "./election-timer.js";
import type { EntryCache } from "./entry-cache.js";
import type { Life } from "./life.js";
import type { Membership } from "./membership.js";
import type { PeerBook } from "./peer-book.js";
import type { Clock, ReplicaObserver, Timers } from "./ports.js";
import type { Reads } from "./reads.js";
import type { SkewGuard } from "./skew-guard.js";

/** What a turn works on. */
export interface TurnParts {
  readonly life: Life;
  readonly membership: Membership;
  readonly peers: PeerBook;
  readonly dispatch: Dispatch;
  readonly reads: Reads;
  readonly skew: SkewGuard;
  readonly electionTimer: ElectionTimer;
  readonly io: CoreIo;
  readonly entries: EntryCache;
  readonly applier: Applier;
  readonly replicated: ReplicatedState;
  /** What the node looks for in the entries it applies. */
  readonly own: OwnOutcomes;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly observer: ReplicaObserver;
}

/**
 * One turn: tick if due, pack what arrived, send, write, apply, answer. Input that arrives while
 * a write is in flight forms the next entry (group commit).
 */
export class Turn {
  readonly #parts: TurnParts;
  #isScheduled = false;

  constructor(parts: TurnParts) {
    this.#parts = parts;
  }

  /** Input that is ready now is handled together, in one turn. */
  wake(): void {
    const { life, membership, timers } = this.#parts;
    if (this.#isScheduled || life.isStopped) return;
    this.#isScheduled = true;
    timers.afterInput(() => {
      this.#isScheduled = false;
      const { core } = membership;
      if (core !== undefined && !life.isStopped) life.guarded(() => this.#run(core));
    });
  }

  #run(core: RaftCore): void {
    const { clock, electionTimer, reads, io, applier, entries, own } = this.#parts;
    const now = clock.monotonic();
    electionTimer.tick(core, now);
    this.#dispatchCommands(core, now);
    const readId = reads.nextAsk(now);
    if (readId !== undefined) core.readIndex(readId, now);
    const effects = io.send(core, now);
    for (const transition of effects.transitions) this.#observe(transition);
    for (const outcome of effects.reads) reads.outcome(outcome, now);
    io.write(core);
    const hasMore = applier.applyUpTo(core.applicableIndex, entries, own);
    reads.applied(applier.appliedIndex);
    entries.trim(Math.min(applier.appliedIndex, core.durableIndex));
    applier.checkpointIfDue();
    if (hasMore) this.wake();
    electionTimer.arm(core.nextDeadline);
  }

  #dispatchCommands(core: RaftCore, now: number): void {
    const { dispatch, replicated, life, peers, skew, clock, io } = this.#parts;
    dispatch.checkSession((session) => replicated.isSessionOpen(session));
    if (core.leader !== undefined && life.isServing) dispatch.register(core.leader, now);
    if (core.roleName !== "leader") {
      dispatch.rejectInbox(core);
      const { leader } = core;
      if (leader !== undefined && peers.isConnected(leader)) dispatch.forward(leader, now);
    } else if (skew.forbidsStamp(core, { now, wall: clock.wall() })) {
      dispatch.refuseForSkew(core);
    } else if (!io.isWriting) {
      dispatch.pack(core, now);
    }
  }

  #observe(transition: Transition): void {
    const { observer, membership } = this.#parts;
    observer.transition(transition);
    if (transition.kind === "configurationChanged") membership.changed(transition.configuration);
    if (transition.kind === "leaderChanged") this.leaderIs(transition.leader);
  }

  leaderIs(leader: NodeId | undefined): void {
    const { dispatch, reads } = this.#parts;
    dispatch.leaderChanged();
    if (leader === undefined) return;
    dispatch.leaderKnown();
    reads.leaderKnown();
    this.wake();
  }
}
