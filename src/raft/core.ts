import { invariant, unreachable } from "../assert.js";
import {
  electionTimedOut,
  hardStatePersisted,
  pollOf,
  receivePreVote,
  receiveTimeoutNow,
  receiveVoteReply,
  receiveVoteRequest,
  suspectLeader,
  trustsItsLeader,
} from "./election.js";
import { receiveAppendRequest, receiveReadReply } from "./following.js";
import { assertInvariants, type CoreCheckpoint, checkpointOf } from "./invariants.js";
import {
  beginTransfer,
  commitByMajority,
  enqueueRead,
  hasQuorumContact,
  receiveAppendReply,
  receiveReadRequest,
  replicate,
  tickLeader,
} from "./leading.js";
import type { LogShape } from "./log.js";
import { changeMembers, votersBehind } from "./membership.js";
import { adoptTerm, appendToLog, restartElectionTimer } from "./role-changes.js";
import { compactLog, installSnapshot, receiveInstallSnapshot } from "./snapshots.js";
import {
  type CoreOptions,
  type CoreState,
  type Effects,
  emptyEffects,
  initialState,
  isHardStateDurable,
  leaderOf,
} from "./state.js";
import type {
  Configuration,
  HardState,
  InstalledSnapshot,
  InstallOutcome,
  LogIndex,
  MemberChange,
  MemberChangeAnswer,
  NodeId,
  Position,
  RaftMessage,
  RoleName,
  Term,
  Write,
} from "./types.js";
import { forgetAnswers, isStillTrue, takeWrite } from "./writing.js";

/**
 * One Raft peer: a synchronous function of its inputs. No I/O, no clock (`now` is an input:
 * monotonic ms), no randomness but its seed, no logger, no await.
 *
 * The host's turn: feed inputs, then `takeEffects`, then `takeWrite` if no write is in flight.
 * Committed entries up to `applicableIndex` may be applied.
 */
export class RaftCore {
  readonly #state: CoreState;
  #checked: CoreCheckpoint;

  constructor(
    options: CoreOptions,
    recovered: { hardState: HardState; log: LogShape; commitIndex: LogIndex },
    now: number,
  ) {
    this.#state = initialState(options, recovered, now);
    this.#checked = checkpointOf(this.#state);
  }

  get id(): NodeId {
    return this.#state.options.id;
  }
  get term(): Term {
    return this.#state.term;
  }
  get roleName(): RoleName {
    return this.#state.role.name;
  }
  get leader(): NodeId | undefined {
    return leaderOf(this.#state);
  }
  get commitIndex(): LogIndex {
    return this.#state.commitIndex;
  }
  get durableIndex(): LogIndex {
    return this.#state.durableIndex;
  }
  get lastIndex(): LogIndex {
    return this.#state.log.lastIndex;
  }
  /**
   * Apply never passes the node's own durable log, on the leader too. 0 while the term is not durable: a state that
   * outlives the term in which its last entry was known to be committed would meet an older leader that lacks it.
   */
  get applicableIndex(): LogIndex {
    if (!isHardStateDurable(this.#state)) return 0;
    return Math.min(this.#state.commitIndex, this.#state.durableIndex);
  }
  /** The log begins after it. */
  get baseIndex(): LogIndex {
    return this.#state.log.base.index;
  }
  /** Entries after the base. */
  get entryCount(): number {
    return this.#state.log.entryCount;
  }
  /** Bytes of the entries after the base, as `entrySize` adds them up. */
  get logBytes(): number {
    return this.#state.log.bytes;
  }
  /** In force, committed or not. */
  get configuration(): Configuration {
    return this.#state.log.configuration;
  }
  /** Whom the leader replicates to, those that depart included; nobody elsewhere. */
  get peers(): readonly NodeId[] {
    const { role } = this.#state;
    return role.name === "leader" ? [...role.progress.keys()] : [];
  }
  /** The term of an entry of the log; undefined outside of it. */
  termAt(index: LogIndex): Term | undefined {
    return this.#state.log.term(index);
  }
  /** Everything, for checkers and traces. Not to be changed. */
  get state(): Readonly<CoreState> {
    return this.#state;
  }

  /** When `tick` is due next: monotonic ms. */
  get nextDeadline(): number {
    const { role, electionDeadline } = this.#state;
    if (role.name !== "leader") return electionDeadline;
    return Math.min(role.heartbeatDeadline, role.quorumDeadline, role.transfer?.deadline ?? Number.POSITIVE_INFINITY);
  }

  /** Whether the leader may append: it leads and is not handing over. */
  get acceptsProposals(): boolean {
    const { role } = this.#state;
    return role.name === "leader" && role.transfer === undefined && !role.leaves;
  }

  /** As far as this node can tell: a leader is known, and if it is this one, a majority answers it. */
  get hasQuorum(): boolean {
    const { role } = this.#state;
    if (role.name === "leader") return hasQuorumContact(this.#state, role);
    return trustsItsLeader(this.#state);
  }

  /** Where the leader knows a peer's log to be; undefined on others. */
  matchIndexOf(peer: NodeId): LogIndex | undefined {
    const { role, durableIndex, options } = this.#state;
    if (role.name !== "leader") return undefined;
    return peer === options.id ? durableIndex : role.progress.get(peer)?.matchIndex;
  }

  /** Voters that the leader does not count on for a change of membership now; nobody elsewhere. */
  get votersBehind(): readonly NodeId[] {
    const { role } = this.#state;
    return role.name === "leader" ? votersBehind(this.#state, role, this.configuration) : [];
  }

  tick(now: number): void {
    this.#begin(now);
    const { role } = this.#state;
    if (role.name === "leader") tickLeader(this.#state, role);
    else if (now >= this.#state.electionDeadline) electionTimedOut(this.#state);
    this.#end();
  }

  /**
   * The process itself stood still until now: the silence of the leader was this node's own, so
   * its election timer begins anew (classic bug 20).
   */
  resume(now: number): void {
    this.#begin(now);
    const { role } = this.#state;
    // A leader heard nobody either: it gets the time to hear them before it is judged (CheckQuorum).
    if (role.name === "leader") role.quorumDeadline = now + this.#state.options.electionTimeoutMs;
    else restartElectionTimer(this.#state);
    this.#end();
  }

  /**
   * The connection to a peer broke. If the peer led, it may be dead: this node polls soon instead of
   * waiting for the election timeout, and grants the polls of others. The term rule and PreVote keep a
   * mere network hiccup from deposing anybody.
   */
  peerUnreachable(peer: NodeId, now: number): void {
    this.#begin(now);
    if (this.leader === peer) suspectLeader(this.#state);
    this.#end();
  }

  /**
   * Another stream to the peer is up: whoever is at its end need not be who asked. Two stores may run under one
   * id, and a vote that the one was granted must not elect the other.
   */
  streamReplaced(peer: NodeId, now: number): void {
    this.#begin(now);
    forgetAnswers(this.#state, peer);
    this.#end();
  }

  receive(message: RaftMessage, now: number): void {
    this.#begin(now);
    if (message.to === this.id && message.from !== this.id && this.#passesTermRule(message)) this.#handle(message);
    this.#end();
  }

  /** The term rule, once, before all handlers (§3.3). Returns whether the message is of this term. */
  #passesTermRule(message: RaftMessage): boolean {
    const state = this.#state;
    const isPoll = message.type === "voteRequest" && message.preVote;
    const isPollAnswer = message.type === "voteReply" && message.preVote;
    if (isPoll || (isPollAnswer && (message.granted || message.term <= state.term))) return true;
    if (message.term > state.term) {
      if (message.type === "voteRequest" && !message.leadershipTransfer && trustsItsLeader(state)) return false;
      const wasPolling = pollOf(state.role) !== undefined;
      adoptTerm(state, message.term, `a ${message.type} of a higher term`);
      // Only the term was wrong: asked again once it is on disk, or a peer that keeps opening terms and
      // cannot win them would turn every poll into another election timeout of waiting.
      state.pollsOnceDurable = isPollAnswer && wasPolling;
      return !state.pollsOnceDurable;
    }
    if (message.term === state.term) return true;
    this.#answerStale(message);
    return false;
  }

  /** A deposed leader or late candidate is told the term, so that it steps down. */
  #answerStale(message: RaftMessage): void {
    const state = this.#state;
    const reply = { from: this.id, to: message.from, term: state.term };
    if (message.type === "appendRequest") {
      state.effects.send.push({
        ...reply,
        type: "appendReply",
        // Not the request's: that round is of an earlier term, and its sender may lead this one by now.
        round: 0,
        outcome: { kind: "conflict", rejectedIndex: message.prevLogIndex, hintIndex: 0, hintTerm: 0 },
      });
    } else if (message.type === "installSnapshot") {
      state.effects.send.push({ ...reply, type: "appendReply", round: 0, outcome: { kind: "installing" } });
    } else if (message.type === "voteRequest") {
      state.effects.send.push({ ...reply, type: "voteReply", preVote: false, granted: false });
    }
  }

  #handle(message: RaftMessage): void {
    const state = this.#state;
    switch (message.type) {
      case "voteRequest":
        if (message.preVote) receivePreVote(state, message);
        else receiveVoteRequest(state, message);
        return;
      case "voteReply":
        receiveVoteReply(state, message);
        return;
      case "appendRequest":
        receiveAppendRequest(state, message);
        return;
      case "appendReply":
        if (state.role.name === "leader") receiveAppendReply(state, state.role, message);
        return;
      case "installSnapshot":
        receiveInstallSnapshot(state, message);
        return;
      case "timeoutNow":
        receiveTimeoutNow(state, message);
        return;
      case "readRequest":
        if (state.role.name === "leader") receiveReadRequest(state, state.role, message);
        return;
      case "readReply":
        receiveReadReply(state, message);
        return;
      default:
        unreachable(message);
    }
  }

  /**
   * Appends one command entry per payload. Returns the position of the last one, or undefined if
   * this node does not lead or is handing over: then nothing was appended.
   */
  propose(payloads: readonly Uint8Array[], now: number): Position | undefined {
    if (!this.acceptsProposals || payloads.length === 0) return undefined;
    this.#begin(now);
    let last: Position | undefined;
    for (const payload of payloads) last = appendToLog(this.#state, { kind: "command", payload });
    this.#end();
    return last;
  }

  /**
   * Asks for an index that is safe to read at (§6.4), from any node; the answer arrives among the
   * effects, under the same id. May never come when messages are lost: the host asks again. An id is
   * used once, over all lives of the node.
   */
  readIndex(readId: number, now: number): void {
    this.#begin(now);
    const state = this.#state;
    const leader = leaderOf(state);
    if (state.role.name === "leader") {
      const queued = enqueueRead(state, state.role, { from: this.id, readId });
      if (!queued) state.effects.reads.push({ readId, kind: "refused" });
    } else if (leader === undefined) {
      state.effects.reads.push({ readId, kind: "refused" });
    } else {
      state.effects.send.push({ type: "readRequest", from: this.id, to: leader, term: state.term, readId });
    }
    this.#end();
  }

  /**
   * Cuts the log: it begins after `index` from the next write on (§5.1). The host promises that its state is
   * durable up to there. Nothing happens where the log begins later already.
   */
  compact(index: LogIndex, now: number): void {
    this.#begin(now);
    compactLog(this.#state, index);
    this.#end();
  }

  /**
   * Puts a snapshot in force that the host has fetched and durably built aside: the next write carries it, and what
   * promises it waits for that. Until then the host applies nothing.
   */
  installSnapshot(snapshot: InstalledSnapshot, now: number): InstallOutcome {
    this.#begin(now);
    const outcome = installSnapshot(this.#state, snapshot);
    this.#end();
    return outcome;
  }

  /** Changes the membership by one member (§4.1). In force when appended, done when that entry has committed. */
  changeMembers(change: MemberChange, now: number): MemberChangeAnswer {
    this.#begin(now);
    const answer = changeMembers(this.#state, change);
    this.#end();
    return answer;
  }

  /** Begins to hand leadership over (§3.10). False: not leader, already at it, or no such voter. */
  transferLeadership(target: NodeId, now: number): boolean {
    this.#begin(now);
    const { role } = this.#state;
    const begun = role.name === "leader" && beginTransfer(this.#state, role, target);
    this.#end();
    return begun;
  }

  /** Takes what may be sent and told now. Ends the leader's turn: peers get what is new. */
  takeEffects(now: number): Effects {
    this.#begin(now);
    if (this.#state.role.name === "leader") replicate(this.#state, this.#state.role);
    this.#end();
    const { effects } = this.#state;
    this.#state.effects = emptyEffects();
    return effects;
  }

  /** The next write, if there is something to write. Only while none is in flight. */
  takeWrite(): Write | undefined {
    return takeWrite(this.#state);
  }

  /**
   * The write with this ticket is durable. It counts for what it wrote and is still in the log;
   * messages that waited for it become effects.
   */
  persisted(ticket: number, now: number): void {
    this.#begin(now);
    const state = this.#state;
    const written = state.inFlight;
    invariant(written?.ticket === ticket, "a completion belongs to the write in flight");
    state.inFlight = undefined;
    if (written.lastIndex > state.durableIndex) state.durableIndex = written.lastIndex;
    for (const message of written.after) if (isStillTrue(state, message)) state.effects.send.push(message);
    state.writeMs = now - written.takenAt;
    if (written.hardStateChanged) hardStatePersisted(state);
    if (state.role.name === "leader") commitByMajority(state, state.role);
    this.#end();
  }

  #begin(now: number): void {
    invariant(now >= this.#state.now, "monotonic time never goes back");
    this.#state.now = now;
  }

  #end(): void {
    this.#checked = assertInvariants(this.#state, this.#checked);
  }
}
