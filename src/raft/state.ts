import { invariant } from "../assert.js";
import { type LogShape, RaftLog } from "./log.js";
import type { Progress } from "./progress.js";
import type {
  Entry,
  HardState,
  LogCut,
  LogIndex,
  NodeId,
  OutgoingMessage,
  ReadOutcome,
  Term,
  Transition,
} from "./types.js";

export interface CoreOptions {
  readonly id: NodeId;
  /** Election timeouts are drawn from [T, 2T). */
  readonly electionTimeoutMs: number;
  readonly heartbeatMs: number;
  /** Requests with entries on their way to one peer. */
  readonly inFlightMax: number;
  /** Entries of one request; a single larger entry still goes alone. */
  readonly appendBytesMax: number;
  readonly appendEntriesMax: number;
  /** Reads waiting for a round at the leader; further ones are refused. */
  readonly readsMax: number;
  /** Seeds the election timeouts: the core's only randomness. Unsigned 32 bits. */
  readonly seed: number;
  /** The name the cluster gets if this node is the first leader it ever has. */
  readonly foundingClusterId: string;
}

/** A read at the leader, waiting for its term to open or for a round to be answered (§6.4). */
export interface PendingRead {
  readonly from: NodeId;
  readonly readId: number;
  /** Set once the term's first entry has committed. */
  readonly assigned: { readonly readIndex: LogIndex; readonly round: number } | undefined;
}

export interface Follower {
  readonly name: "follower";
  readonly leader: NodeId | undefined;
}

/** Who would vote for a node in the next term, as far as they have answered (PreVote, §9.6). */
export type Poll = Map<NodeId, boolean>;

export interface PreCandidate {
  readonly name: "preCandidate";
  readonly poll: Poll;
}

export interface Candidate {
  readonly name: "candidate";
  /** The candidate's own joins when it is durable. */
  readonly votes: Map<NodeId, boolean>;
  /**
   * Its time has passed without a majority, and it asks whether another election could be won. Votes of this one count
   * until then: on slow disks they take longer than an election timeout, every time.
   */
  poll: Poll | undefined;
}

export interface Leader {
  readonly name: "leader";
  /** Every member but the leader itself, and those that depart. */
  readonly progress: Map<NodeId, Progress>;
  /** The newest configuration, until it has committed: there is one change at a time (§4.1). */
  changeIndex: LogIndex | undefined;
  /** Its own removal has committed: it leads to the end of the turn only (§4.2.2). */
  leaves: boolean;
  /** The opening entry, or what had committed when contact was last looked at: who holds it has caught up (§4.2.1). */
  settledIndex: LogIndex;
  /** The entry that opened the term: nothing is committed by counting before it (§3.6.2). */
  readonly openingIndex: LogIndex;
  heartbeatDeadline: number;
  quorumDeadline: number;
  /** The newest round of contact. */
  round: number;
  /** Something waits for a round that begins after it: the next requests open one. */
  roundWanted: boolean;
  heartbeatDue: boolean;
  reads: PendingRead[];
  transfer: { readonly target: NodeId; readonly deadline: number; told: boolean } | undefined;
}

/** Built afresh per term: what only a leader has does not exist on a follower. */
export type Role = Follower | PreCandidate | Candidate | Leader;

/** What the next write must hold. */
export interface PendingWrite {
  hardStateChanged: boolean;
  truncateFrom: LogIndex | undefined;
  base: LogCut | undefined;
  entries: Entry[];
  /** Promises that this write makes true. */
  after: OutgoingMessage[];
}

export interface InFlightWrite {
  readonly ticket: number;
  /** Monotonic ms at which the host took it. */
  readonly takenAt: number;
  readonly hardStateChanged: boolean;
  readonly movesBase: boolean;
  /** Shrinks when entries of the write are truncated or replaced meanwhile: those are not credited (bug 9). */
  lastIndex: LogIndex;
  readonly after: OutgoingMessage[];
}

/** What the core wants done, accumulated until the host takes it. */
export interface Effects {
  /** May leave at once. */
  send: OutgoingMessage[];
  /** Entries that came to the log, in order; one that takes an index again replaces it and all after. */
  appended: Entry[];
  reads: ReadOutcome[];
  transitions: Transition[];
  /** The leader has less log than this node needs: fetch its snapshot. Said again until it is installed. */
  snapshotWanted: { readonly from: NodeId; readonly least: LogIndex } | undefined;
}

/** The whole state of one core: plain data that can be printed, copied and replayed. */
export interface CoreState {
  readonly options: CoreOptions;
  term: Term;
  votedFor: NodeId | undefined;
  readonly log: RaftLog;
  commitIndex: LogIndex;
  /**
   * Up to here the disk holds what is or was this log: as it is in memory above the base. Below the
   * base only while the write that moves it is pending or in flight.
   */
  durableIndex: LogIndex;
  /** The log was handed to the disk up to here; an installed snapshot counts as handed over. */
  writtenIndex: LogIndex;
  role: Role;
  /** Monotonic ms of the newest input. */
  now: number;
  /** When a follower or candidate stands (again). */
  electionDeadline: number;
  /** It was polling when it heard of this term: it asks again as soon as the term is on its disk. */
  pollsOnceDurable: boolean;
  /** The newest term in which it put its own election off for another's. */
  gaveWayInTerm: Term;
  /** How long the last write took; 0 before the first. */
  writeMs: number;
  /** Monotonic ms at which the leader of this term was last heard. */
  leaderHeardAt: number;
  /** Generator state of the election timeouts. */
  random: number;
  pending: PendingWrite;
  inFlight: InFlightWrite | undefined;
  nextTicket: number;
  effects: Effects;
}

/** A core as it starts: everything that was on disk, and nothing under way. */
export function initialState(
  options: CoreOptions,
  recovered: { readonly hardState: HardState; readonly log: LogShape; readonly commitIndex: LogIndex },
  now: number,
): CoreState {
  const log = new RaftLog(recovered.log);
  const { commitIndex, hardState } = recovered;
  invariant(commitIndex >= log.base.index && commitIndex <= log.lastIndex, "what was applied is in the log");
  const state: CoreState = {
    options,
    term: hardState.term,
    votedFor: hardState.votedFor,
    log,
    commitIndex,
    durableIndex: log.lastIndex,
    writtenIndex: log.lastIndex,
    role: { name: "follower", leader: undefined },
    now,
    electionDeadline: now,
    pollsOnceDurable: false,
    gaveWayInTerm: 0,
    writeMs: 0,
    leaderHeardAt: Number.NEGATIVE_INFINITY,
    random: options.seed >>> 0,
    pending: emptyPendingWrite(),
    inFlight: undefined,
    nextTicket: 1,
    effects: emptyEffects(),
  };
  state.electionDeadline = now + drawElectionTimeout(state);
  return state;
}

export function emptyPendingWrite(): PendingWrite {
  return { hardStateChanged: false, truncateFrom: undefined, base: undefined, entries: [], after: [] };
}

export function emptyEffects(): Effects {
  return { send: [], appended: [], reads: [], transitions: [], snapshotWanted: undefined };
}

/** Whether term, vote and log in memory are all on disk or on their way to it. */
export function isPendingWriteEmpty(pending: PendingWrite): boolean {
  const { hardStateChanged, truncateFrom, base, entries } = pending;
  return !hardStateChanged && truncateFrom === undefined && base === undefined && entries.length === 0;
}

export function leaderOf(state: CoreState): NodeId | undefined {
  switch (state.role.name) {
    case "leader":
      return state.options.id;
    case "follower":
      return state.role.leader;
    default:
      return undefined;
  }
}

/** Uniform in [T, 2T) by mulberry32: small, seedable, and its state is one number. */
export function drawElectionTimeout(state: CoreState): number {
  state.random = (state.random + 0x6d2b79f5) >>> 0;
  let mixed = state.random;
  mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  const unit = ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  return state.options.electionTimeoutMs * (1 + unit);
}

/** Whether term and vote, as they are in memory, are on disk. */
export function isHardStateDurable(state: CoreState): boolean {
  return !state.pending.hardStateChanged && state.inFlight?.hardStateChanged !== true;
}

/**
 * Sends a message that promises what is in memory: at once if all of it is on disk, else when the
 * write that makes it true has completed (§3.8).
 */
export function sendWhenDurable(state: CoreState, message: OutgoingMessage): void {
  const queue = !isPendingWriteEmpty(state.pending) ? state.pending.after : state.inFlight?.after;
  if (queue === undefined) {
    state.effects.send.push(message);
    return;
  }
  const superseded = queue.findIndex((queued) => supersedes(message, queued));
  if (superseded >= 0) queue.splice(superseded, 1);
  queue.push(message);
}

/** A later match to the same leader says all that the earlier one did: one answer per write. */
function supersedes(later: OutgoingMessage, earlier: OutgoingMessage): boolean {
  return (
    later.type === "appendReply" &&
    earlier.type === "appendReply" &&
    later.to === earlier.to &&
    later.term === earlier.term &&
    later.outcome.kind === "match" &&
    earlier.outcome.kind === "match" &&
    later.outcome.matchIndex >= earlier.outcome.matchIndex &&
    later.round >= earlier.round
  );
}

/** The host keeps payloads: it learns of every entry that joins the log, and it joins the next write. */
export function appendEntry(state: CoreState, entry: Entry): void {
  state.log.append(entry);
  state.pending.entries.push(entry);
  state.effects.appended.push(entry);
}

export function report(state: CoreState, transition: Transition): void {
  state.effects.transitions.push(transition);
}
