import { invariant } from "../assert.js";
import type { OwnOutcomes, ReplicatedState } from "../machine/replicated-state.js";
import type { RaftCore } from "../raft/core.js";
import type { Configuration, NodeId, Transition } from "../raft/types.js";
import type { Applier } from "./applier.js";
import type { Compaction } from "./compaction.js";
import type { CoreIo } from "./core-io.js";
import type { Dispatch } from "./dispatch.js";
import type { ElectionTimer } from "./election-timer.js";
import type { EntryCache } from "./entry-cache.js";
import type { Life } from "./life.js";
import type { MemberChanges } from "./member-changes.js";
import type { Membership } from "./membership.js";
import type { PeerBook } from "./peer-book.js";
import type { Clock, ReplicaObserver, Timers } from "./ports.js";
import type { Reads } from "./reads.js";
import type { SkewGuard } from "./skew-guard.js";
import type { SnapshotFetching } from "./snapshot-fetching.js";
import type { StateDigests } from "./state-digests.js";

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
  readonly compaction: Compaction;
  readonly fetching: SnapshotFetching;
  readonly changes: MemberChanges;
  readonly digests: StateDigests;
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
    const { life, timers } = this.#parts;
    if (this.#isScheduled || life.isStopped) return;
    this.#isScheduled = true;
    timers.afterInput(() => {
      this.#isScheduled = false;
      if (!life.isStopped) life.guarded(() => this.#begin());
    });
  }

  #begin(): void {
    const { membership } = this.#parts;
    const { core, service } = membership;
    if (service === "refused") this.#refuse(core);
    if (core !== undefined) this.#run(core);
  }

  /** Nobody is served: what was never tried certainly did not act, and what is on its way is answered when it is applied. */
  #refuse(core: RaftCore | undefined): void {
    const { dispatch, reads, membership } = this.#parts;
    dispatch.refuse(membership.reason);
    reads.failAll(membership.reason);
    if (core !== undefined) dispatch.rejectInbox(core);
  }

  #run(core: RaftCore): void {
    const { clock, electionTimer, reads, io, applier, entries, own } = this.#parts;
    const { changes, fetching, compaction, membership, replicated } = this.#parts;
    const now = clock.monotonic();
    electionTimer.tick(core, now);
    changes.advance(core, now);
    const isOpen = membership.service === "open";
    if (isOpen) this.#dispatchCommands(core, now);
    const readId = isOpen ? reads.nextAsk(now) : undefined;
    if (readId !== undefined) core.readIndex(readId, now);
    const effects = io.send(core, now);
    for (const transition of effects.transitions) this.#observe(transition);
    for (const outcome of effects.reads) reads.outcome(outcome, now);
    if (effects.snapshotWanted !== undefined) fetching.wanted(core, effects.snapshotWanted, now);
    compaction.cutIfDue(core, applier.checkpointed.position.index, now);
    io.write(core);
    if (membership.core === undefined) io.retire(core);
    const hasMore = applier.applyUpTo(core.applicableIndex, entries, own);
    const { appliedIndex } = applier;
    invariant(
      appliedIndex <= core.commitIndex && appliedIndex <= core.durableIndex,
      "what is applied has committed, and is durable here",
    );
    reads.applied(appliedIndex);
    membership.applied(replicated.configuration);
    entries.trim(appliedIndex);
    applier.checkpointIfDue();
    if (hasMore) this.wake();
    electionTimer.arm(core.nextDeadline);
  }

  #dispatchCommands(core: RaftCore, now: number): void {
    const { dispatch, replicated, life, peers, skew, clock, io, membership, fetching } = this.#parts;
    dispatch.checkSession((session) => replicated.isSessionOpen(session));
    const { isMember } = membership;
    if (!isMember) this.#endOutside();
    // What a node registers while it is far behind, it sees when it has caught up, and not before.
    const mayRegister = life.isServing && isMember && !fetching.isNeeded(now);
    if (core.leader !== undefined && mayRegister) dispatch.register(core.leader, now);
    if (core.roleName !== "leader") {
      dispatch.rejectInbox(core);
      const { leader } = core;
      if (leader !== undefined && isMember && peers.isConnected(leader)) dispatch.forward(leader, now);
    } else if (skew.forbidsStamp(core, { now, wall: clock.wall() })) {
      dispatch.refuseForSkew(core);
    } else if (!io.isWriting) {
      dispatch.pack(core, now);
    }
  }

  /**
   * This node was removed, as far as it knows. As long as its session is open the removal has not been
   * applied here, and what is on its way may act; once it is closed, whatever still waits never acted.
   */
  #endOutside(): void {
    const { dispatch, reads, membership } = this.#parts;
    if (!dispatch.failWithoutSession(membership.reason)) return;
    reads.failAll(membership.reason);
  }

  #observe(transition: Transition): void {
    const { observer } = this.#parts;
    observer.transition(transition);
    if (transition.kind === "configurationChanged") this.#membersAre(transition.configuration);
    if (transition.kind === "leaderChanged") this.leaderIs(transition.leader);
  }

  #membersAre(configuration: Configuration): void {
    const { membership, changes, digests } = this.#parts;
    membership.changed(configuration);
    changes.seen(configuration.members);
    digests.retain(configuration.members.map(({ id }) => id));
  }

  /** A snapshot has taken the place of entries that this node never applied. */
  stateReplaced(): void {
    const { dispatch, replicated, reads, membership } = this.#parts;
    membership.applied(replicated.configuration);
    dispatch.recall((session, request) => replicated.recall(session, request));
    reads.leaderKnown();
    this.wake();
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
