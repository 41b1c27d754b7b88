import { ReplicatedState } from "../machine/replicated-state.js";
import type { NodeId } from "../raft/types.js";
import { Applier } from "./applier.js";
import { CoreIo } from "./core-io.js";
import { Dispatch } from "./dispatch.js";
import { ElectionTimer } from "./election-timer.js";
import { EntryCache } from "./entry-cache.js";
import { Hearing } from "./hearing.js";
import { Life } from "./life.js";
import { Membership } from "./membership.js";
import { LIMITS, type ReplicaOptions, type ReplicaPorts } from "./options.js";
import { PeerBook } from "./peer-book.js";
import { Proposals } from "./proposals.js";
import { Reads } from "./reads.js";
import { assertLogHoldsState } from "./recovery.js";
import { RepeatingTimer } from "./repeating-timer.js";
import { SessionKeeper } from "./session-keeper.js";
import { SkewGuard } from "./skew-guard.js";
import { STOPPING, Standing } from "./standing.js";
import { StatusExchange } from "./status-exchange.js";
import { Turn } from "./turn.js";
import { Upkeep } from "./upkeep.js";

/** The parts that make a replica, joined. */
export interface Parts {
  readonly life: Life;
  readonly replicated: ReplicatedState;
  readonly applier: Applier;
  readonly membership: Membership;
  readonly peers: PeerBook;
  readonly proposals: Proposals;
  readonly reads: Reads;
  readonly standing: Standing;
  readonly hearing: Hearing;
  readonly turn: Turn;
  readonly upkeep: Upkeep;
}

/** @throws StorageFailure DAMAGED when log and state contradict each other. */
export function assemble(options: ReplicaOptions, ports: ReplicaPorts): Parts {
  const { transport, clock, timers, observer } = ports;
  // Parts that call each other back are joined last.
  const hooks = {
    wake: () => turn.wake(),
    failed: (failure: Error) => life.fail(failure),
    leaderIs: (leader: NodeId | undefined) => turn.leaderIs(leader),
  };
  const kept = assembleKeeping(options, ports, hooks);
  const { applier } = kept;
  const appliedIndex = () => applier.appliedIndex;
  const peers = new PeerBook();
  const membership = new Membership(options, ports, {
    peers,
    appliedIndex,
    opened: hooks.wake,
    failed: hooks.failed,
  });
  const desk = assembleDesk(options, ports, { leaderMoved: () => hooks.leaderIs(membership.core?.leader) });
  const { proposals, reads, sessions, dispatch, own } = desk;
  const times = assembleTimes(options, ports, { due: hooks.wake, run: () => life.guarded(() => upkeep.run()) });
  const { electionTimer, skew, housekeeping } = times;
  const life = new Life({
    silence: () => {
      electionTimer.cancel();
      housekeeping.cancel();
      proposals.failAll(STOPPING);
      reads.failAll(STOPPING);
    },
    fatal: ports.fatal,
  });
  const statuses = new StatusExchange({ peers, transport });
  const standing = new Standing(options, { life, membership, peers, sessions, appliedIndex });
  const common = { life, membership, peers, dispatch, skew, clock };
  const hearing = new Hearing({
    ...common,
    statuses,
    standing,
    transport,
    leaderIsBack: hooks.leaderIs,
    wake: hooks.wake,
  });
  const turn = new Turn({ ...common, ...kept, reads, electionTimer, own, timers, observer });
  const upkeep = new Upkeep({ ...common, proposals, reads, statuses, standing, timer: housekeeping, wake: hooks.wake });
  return { ...kept, life, membership, peers, proposals, reads, standing, hearing, turn, upkeep };
}

interface Hooks {
  readonly wake: () => void;
  readonly failed: (failure: Error) => void;
}

/** What the node keeps: its log, and what apply made of it. */
function assembleKeeping(_options: ReplicaOptions, ports: ReplicaPorts, { wake, failed }: Hooks) {
  const { log, state, machines, transport, clock, observer } = ports;
  const { recovery } = log;
  const replicated = new ReplicatedState(state, machines);
  assertLogHoldsState(recovery, replicated.applied);
  const applier = new Applier({ replicated, state, clock, observer, failed });
  const nextIndex = recovery.base.index + recovery.terms.length + 1;
  const entries = new EntryCache(log, { nextIndex, bytesMax: LIMITS.cacheBytesMax });
  const io = new CoreIo({ entries, log, transport, clock, observer, written: wake, failed });
  return { replicated, applier, entries, io };
}

/** What waits for an answer, and how it gets to the log. */
function assembleDesk(
  options: ReplicaOptions,
  ports: ReplicaPorts,
  { leaderMoved }: { readonly leaderMoved: () => void },
) {
  const { nodeId, electionTimeoutMs, heartbeatMs } = options;
  const { log, transport, clock, observer, randomness } = ports;
  const firstId = randomness.uint32() * 2 ** 20 + 1;
  const proposals = new Proposals({ retryMs: 4 * electionTimeoutMs, firstId });
  const reads = new Reads({ retryMs: electionTimeoutMs, firstId });
  const { storeId } = log;
  const sessions = new SessionKeeper({ nodeId, storeId, nonce: randomness.id(), repeatMs: 2 * electionTimeoutMs });
  const dispatch = new Dispatch({ nodeId, heartbeatMs, proposals, sessions, transport, clock, observer });
  const own = sessions.ownOutcomes({
    // What went under a session that was closed in the same portion of entries never acts.
    opened: leaderMoved,
    settled: (request, result) => proposals.settled(request, result),
  });
  return { proposals, reads, sessions, dispatch, own };
}

/** What happens when its time has come. */
function assembleTimes(
  options: ReplicaOptions,
  ports: ReplicaPorts,
  { due, run }: { readonly due: () => void; readonly run: () => void },
) {
  const { nodeId, electionTimeoutMs, heartbeatMs, maxClockSkewMs: skewMaxMs } = options;
  const { timers, clock, observer } = ports;
  const electionTimer = new ElectionTimer({ timers, clock, observer, latenessMaxMs: heartbeatMs, due });
  const skew = new SkewGuard({ nodeId, skewMaxMs, windowMs: 8 * electionTimeoutMs, observer });
  const housekeeping = new RepeatingTimer({ timers, intervalMs: LIMITS.housekeepingMs, run });
  return { electionTimer, skew, housekeeping };
}
