import { ReplicatedState } from "../machine/replicated-state.js";
import type { RaftCore } from "../raft/core.js";
import type { LogCut, NodeId } from "../raft/types.js";
import { Applier } from "./applier.js";
import { Compaction } from "./compaction.js";
import { CoreIo } from "./core-io.js";
import { DiskGuard } from "./disk-guard.js";
import { Dispatch } from "./dispatch.js";
import { ElectionTimer } from "./election-timer.js";
import { EntryCache } from "./entry-cache.js";
import { Hearing } from "./hearing.js";
import { Life } from "./life.js";
import { MemberChanges } from "./member-changes.js";
import { Membership } from "./membership.js";
import { DEFAULTS, LIMITS, type ReplicaOptions, type ReplicaPorts } from "./options.js";
import { Pace } from "./pace.js";
import { PeerBook } from "./peer-book.js";
import { Proposals } from "./proposals.js";
import { Reads } from "./reads.js";
import { assertLogHoldsState } from "./recovery.js";
import { RepeatingTimer } from "./repeating-timer.js";
import { RowsDigest } from "./rows-digest.js";
import { SessionKeeper } from "./session-keeper.js";
import { SkewGuard } from "./skew-guard.js";
import { SnapshotFetching } from "./snapshot-fetching.js";
import { SnapshotInstall } from "./snapshot-install.js";
import { SnapshotServing } from "./snapshot-serving.js";
import { STOPPING, Standing } from "./standing.js";
import { StateDigests } from "./state-digests.js";
import { StatusExchange } from "./status-exchange.js";
import { Turn } from "./turn.js";
import { Upkeep } from "./upkeep.js";
import { DigestWitness } from "./witness.js";

/** The parts that make a replica, joined. */
export interface Parts {
  readonly life: Life;
  readonly replicated: ReplicatedState;
  readonly applier: Applier;
  readonly membership: Membership;
  readonly changes: MemberChanges;
  readonly peers: PeerBook;
  readonly proposals: Proposals;
  readonly reads: Reads;
  readonly serving: SnapshotServing;
  readonly fetching: SnapshotFetching;
  readonly standing: Standing;
  readonly hearing: Hearing;
  readonly turn: Turn;
  readonly upkeep: Upkeep;
}

/** How parts call back those that are joined after them. */
interface Hooks {
  readonly wake: () => void;
  readonly failed: (failure: Error) => void;
  readonly core: () => RaftCore | undefined;
  readonly clusterId: () => string;
  readonly mayHear: (peer: NodeId) => boolean;
  readonly stateReplaced: () => void;
  readonly leaderMoved: () => void;
  readonly upkeepDue: () => void;
}

/** @throws StorageFailure DAMAGED when log and state contradict each other. */
export function assemble(options: ReplicaOptions, ports: ReplicaPorts): Parts {
  const { transport, clock, timers, observer } = ports;
  const hooks: Hooks = {
    wake: () => turn.wake(),
    failed: (failure) => life.fail(failure),
    core: () => membership.core,
    clusterId: () => membership.clusterId,
    mayHear: (peer) => membership.mayHear(peer),
    stateReplaced: () => turn.stateReplaced(),
    leaderMoved: () => turn.leaderIs(membership.core?.leader),
    upkeepDue: () => life.guarded(() => upkeep.run()),
  };
  const { wake, failed } = hooks;
  const life = new Life({ silence: () => silence(), fatal: ports.fatal });
  const kept = assembleKeeping(options, ports, { ...hooks, life });
  const { applier, serving, fetching, rows, digests } = kept;
  const appliedIndex = () => applier.appliedIndex;
  const peers = new PeerBook();
  const opened = (core: RaftCore) => {
    changes.seen(core.configuration.members);
    wake();
  };
  const membership = new Membership(options, ports, { peers, appliedIndex, opened, failed });
  const changes = new MemberChanges({ membership, peers, clock, electionTimeoutMs: options.electionTimeoutMs, wake });
  const { proposals, reads, sessions, dispatch, own } = assembleDesk(options, ports, hooks);
  const { electionTimer, skew, housekeeping } = assembleTimes(options, ports, hooks);
  const silence = () => {
    electionTimer.cancel();
    housekeeping.cancel();
    for (const snapshots of [fetching, serving]) snapshots.stop(STOPPING);
    rows.stop();
    changes.failAll(STOPPING);
    proposals.failAll(STOPPING);
    reads.failAll(STOPPING);
  };
  const disk = new DiskGuard({ peers, observer, patienceMs: 2 * options.electionTimeoutMs });
  const statuses = new StatusExchange({
    peers,
    transport,
    digests,
    isMember: (peer) => membership.counts(peer),
    isCountedBy: (peer) => membership.isCountedBy(peer),
  });
  const standing = new Standing(options, { life, membership, peers, sessions, fetching, digests, appliedIndex });
  const common = { ...kept, life, membership, changes, peers, dispatch, skew, clock, statuses, standing, wake };
  const hearing = new Hearing({ ...common, transport, leaderIsBack: (leader) => turn.leaderIs(leader) });
  const turn = new Turn({ ...common, reads, electionTimer, own, timers, observer });
  const upkeep = new Upkeep({ ...common, disk, proposals, reads, timer: housekeeping });
  return { ...common, proposals, reads, hearing, turn, upkeep };
}

/** What the node keeps: its log, what apply made of it, and copies of that on their way. */
function assembleKeeping(options: ReplicaOptions, ports: ReplicaPorts, hooks: Hooks & { readonly life: Life }) {
  const { log, state, machines, transport, clock, observer } = ports;
  const { core, clusterId, wake, failed, mayHear, life, stateReplaced } = hooks;
  const { recovery } = log;
  const { nodeId, version } = options;
  const replicated = new ReplicatedState(state, machines);
  assertLogHoldsState(recovery, replicated.applied);
  const { digests, rows, witness } = assembleDigests(options, ports, { replicated, failed });
  const applier = new Applier({ replicated, state, clock, observer, witness, failed, resumed: wake });
  const nextIndex = recovery.base.index + recovery.terms.length + 1;
  const entries = new EntryCache(log, { nextIndex, bytesMax: LIMITS.cacheBytesMax });
  const bytesPerSecond = options.snapshotBytesPerSecond ?? DEFAULTS.snapshotBytesPerSecond;
  const pace = new Pace({ bytesPerSecond, ...ports });
  const shared = { nodeId, version, core, life, applier, state, clock, observer };
  const logTailEntries = options.logTailEntries ?? DEFAULTS.logTailEntries;
  const serving = new SnapshotServing({ ...shared, logTailEntries, pace });
  const install = new SnapshotInstall({ ...shared, replicated, entries, adopted: stateReplaced, wake });
  const fetching = new SnapshotFetching({
    ...shared,
    transport,
    electionTimeoutMs: options.electionTimeoutMs,
    heartbeatMs: options.heartbeatMs,
    clusterId,
    install: (snapshot, done) => install.install(snapshot, done),
  });
  const compaction = new Compaction({
    entriesMax: options.logEntriesMax ?? DEFAULTS.logEntriesMax,
    bytesMax: options.logBytesMax ?? DEFAULTS.logBytesMax,
    tailEntries: logTailEntries,
    observer,
    pinnedAt: (leader) => serving.pinnedAt(leader),
  });
  const baseWritten = (base: LogCut) => {
    compaction.baseWritten(base);
    install.baseWritten(base);
  };
  const io = new CoreIo({ entries, log, transport, clock, observer, mayHear, baseWritten, written: wake, life });
  return { replicated, applier, entries, io, compaction, serving, fetching, digests, rows };
}

/** What compares this node's state with its peers'. */
function assembleDigests(
  options: ReplicaOptions,
  ports: ReplicaPorts,
  { replicated, failed }: Pick<Hooks, "failed"> & { readonly replicated: ReplicatedState },
) {
  const { state, machines, observer } = ports;
  const digests = new StateDigests(observer);
  const pace = new Pace({ bytesPerSecond: LIMITS.rowsDigestBytesPerSecond, ...ports });
  const rows = new RowsDigest({
    state,
    machines,
    pace,
    unreadable: failed,
    taken: (digest) => digests.taken("rows", digest),
  });
  const rowsIntervalEntries = options.rowsDigestIntervalEntries ?? DEFAULTS.rowsDigestIntervalEntries;
  const witness = new DigestWitness({ replicated, digests, rows, rowsIntervalEntries });
  return { digests, rows, witness };
}

/** What waits for an answer, and how it gets to the log. */
function assembleDesk(options: ReplicaOptions, ports: ReplicaPorts, { leaderMoved }: Hooks) {
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
function assembleTimes(options: ReplicaOptions, ports: ReplicaPorts, { wake, upkeepDue }: Hooks) {
  const { nodeId, electionTimeoutMs, heartbeatMs, maxClockSkewMs: skewMaxMs } = options;
  const { timers, clock, observer } = ports;
  const electionTimer = new ElectionTimer({ timers, clock, observer, latenessMaxMs: heartbeatMs, due: wake });
  const skew = new SkewGuard({ nodeId, skewMaxMs, windowMs: 8 * electionTimeoutMs, observer });
  const housekeeping = new RepeatingTimer({ timers, intervalMs: LIMITS.housekeepingMs, run: upkeepDue });
  return { electionTimer, skew, housekeeping };
}
