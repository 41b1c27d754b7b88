import { invariant } from "../assert.js";
import { advanceCommit } from "./following.js";
import { changeCommitted, dismissDeparted, hasDeparted } from "./peers.js";
import type { Progress } from "./progress.js";
import { isVoter, majorityReached } from "./quorum.js";
import { becomeFollower } from "./role-changes.js";
import { type CoreState, type Leader, report } from "./state.js";
import { type AppendReply, type LogIndex, NO_ROUND, type NodeId, type ReadRequest, type Term } from "./types.js";

export function tickLeader(state: CoreState, leader: Leader): void {
  const { now, options } = state;
  if (now >= leader.quorumDeadline) {
    if (!hasQuorumContact(state, leader)) {
      becomeFollower(state, undefined, "no contact with a majority for an election timeout (CheckQuorum, §6.2)");
      return;
    }
    leader.quorumDeadline = now + options.electionTimeoutMs;
    leader.settledIndex = Math.max(leader.settledIndex, state.commitIndex);
  }
  dismissDeparted(state, leader);
  if (leader.transfer !== undefined && now >= leader.transfer.deadline) {
    report(state, { kind: "transferEnded", target: leader.transfer.target, outcome: "timedOut" });
    leader.transfer = undefined;
  }
  if (now >= leader.heartbeatDeadline) leader.heartbeatDue = true;
}

/** Whether a majority answered within the last election timeout. */
export function hasQuorumContact(state: CoreState, leader: Leader): boolean {
  const { now, options, log } = state;
  const oldest = now - options.electionTimeoutMs;
  const contacts = log.voters.map((id) =>
    id === options.id ? now : (leader.progress.get(id)?.contactAt ?? Number.NEGATIVE_INFINITY),
  );
  return majorityReached(contacts) >= oldest;
}

export function receiveAppendReply(state: CoreState, leader: Leader, reply: AppendReply): void {
  const progress = leader.progress.get(reply.from);
  if (progress === undefined) return;
  progress.answered(state.now);
  if (reply.round > progress.roundAcked) progress.roundAcked = reply.round;
  if (reply.outcome.kind === "match") {
    invariant(reply.outcome.matchIndex <= state.log.lastIndex, "a follower matches nothing that the leader lacks");
    progress.matched(reply.outcome.matchIndex, state.log.base.index);
    commitByMajority(state, leader);
  } else if (reply.outcome.kind === "conflict") {
    const { rejectedIndex, hintIndex, hintTerm } = reply.outcome;
    if (progress.isNewsOfConflict(rejectedIndex)) progress.probeFrom(placeToProbe(state, hintIndex, hintTerm));
  }
  if (progress.departure !== undefined && hasDeparted(progress, state.now)) leader.progress.delete(reply.from);
  answerReads(state, leader);
}

/** Where a request should begin to the peer whose log ends its term `hintTerm` at `hintIndex`. */
function placeToProbe({ log }: CoreState, hintIndex: LogIndex, hintTerm: Term): LogIndex {
  const candidate = log.lastIndexAtMostTerm(hintIndex, hintTerm);
  // The search ends at the base. If that is of a later term, the logs agree only below it: a snapshot is needed.
  return (log.term(candidate) ?? 0) > hintTerm ? candidate : candidate + 1;
}

/**
 * Commits what a majority holds durably, the leader's own copy included only as far as it is
 * durable; never by counting an entry of an earlier term (§3.6.2, Figure 3.7; classic bugs 1, 10).
 */
export function commitByMajority(state: CoreState, leader: Leader): void {
  const { log, options } = state;
  const matches = log.voters.map((id) =>
    id === options.id ? state.durableIndex : (leader.progress.get(id)?.matchIndex ?? 0),
  );
  const reached = majorityReached(matches);
  if (reached <= state.commitIndex || log.term(reached) !== state.term) return;
  const opensTerm = state.commitIndex < leader.openingIndex;
  advanceCommit(state, reached);
  if (opensTerm) {
    report(state, { kind: "termOpened", term: state.term, index: leader.openingIndex });
    assignReads(state, leader);
    answerReads(state, leader);
  }
  if (leader.changeIndex !== undefined && reached >= leader.changeIndex) changeCommitted(state, leader);
}

/** Queues a read; it is answered when a round that begins after it was answered by a majority (§6.4). */
export function enqueueRead(state: CoreState, leader: Leader, read: { from: NodeId; readId: number }): boolean {
  if (leader.reads.length >= state.options.readsMax) return false;
  leader.reads.push({ ...read, assigned: undefined });
  assignReads(state, leader);
  answerReads(state, leader);
  return true;
}

export function receiveReadRequest(state: CoreState, leader: Leader, request: ReadRequest): void {
  // A full queue drops it: the one who asked asks again.
  enqueueRead(state, leader, { from: request.from, readId: request.readId });
}

/** No read before an entry of this term has committed: the commit index may be behind (bug 11). */
function assignReads(state: CoreState, leader: Leader): void {
  if (state.commitIndex < leader.openingIndex) return;
  for (const [place, read] of leader.reads.entries()) {
    if (read.assigned !== undefined) continue;
    leader.reads[place] = { ...read, assigned: { readIndex: state.commitIndex, round: leader.round + 1 } };
    leader.roundWanted = true;
  }
}

function answerReads(state: CoreState, leader: Leader): void {
  if (leader.reads.length === 0) return;
  const { options, log } = state;
  const { voters } = log;
  // Alone, a leader is its own majority: every round is answered as it begins.
  const alone = voters.length === 1 && voters[0] === options.id;
  const answered = alone
    ? Number.POSITIVE_INFINITY
    : majorityReached(
        voters.map((id) => (id === options.id ? leader.round : (leader.progress.get(id)?.roundAcked ?? 0))),
      );
  const waiting = leader.reads.findIndex((read) => read.assigned === undefined || read.assigned.round > answered);
  const readyCount = waiting === -1 ? leader.reads.length : waiting;
  for (const read of leader.reads.splice(0, readyCount)) {
    const readIndex = read.assigned?.readIndex ?? 0;
    if (read.from === options.id) {
      state.effects.reads.push({ readId: read.readId, kind: "ready", readIndex });
    } else {
      const { from: to, readId } = read;
      state.effects.send.push({ type: "readReply", from: options.id, to, term: state.term, readId, readIndex });
    }
  }
}

/** Hands leadership to a voter as soon as it holds the whole log (§3.10). */
export function beginTransfer(state: CoreState, leader: Leader, target: NodeId): boolean {
  const { options, log, now } = state;
  if (target === options.id || leader.transfer !== undefined || !isVoter(log.configuration, target)) return false;
  leader.transfer = { target, deadline: now + options.electionTimeoutMs, told: false };
  return true;
}

/**
 * The leader's turn ends: everything that has to be said to the peers is said, each in as few
 * requests as possible. New entries, a new commit index, a new round and a heartbeat all travel in
 * the same request.
 */
export function replicate(state: CoreState, leader: Leader): void {
  if (leader.roundWanted) {
    leader.round++;
    leader.roundWanted = false;
  }
  for (const [peer, progress] of leader.progress) replicateTo(state, leader, peer, progress);
  if (leader.heartbeatDue) {
    leader.heartbeatDue = false;
    leader.heartbeatDeadline = state.now + state.options.heartbeatMs;
  }
  tellTransferTarget(state, leader);
  if (leader.leaves) leave(state, leader);
}

function replicateTo(state: CoreState, leader: Leader, peer: NodeId, progress: Progress): void {
  const { log, options } = state;
  if (leader.heartbeatDue) progress.probeOutstanding = false;
  if (progress.nextIndex <= log.base.index || progress.nextIndex <= progress.joinedIndex) {
    tellToInstall(state, leader, peer, progress);
    return;
  }
  if (progress.mode === "replicate") {
    while (progress.nextIndex <= log.lastIndex && progress.inFlightCount < options.inFlightMax) {
      const lastIndex = lastOfRequest(state, progress.nextIndex);
      sendAppend(state, peer, progress, { lastIndex, round: leader.round });
      progress.sent(lastIndex);
    }
  } else if (!progress.probeOutstanding) {
    sendAppend(state, peer, progress, { lastIndex: progress.nextIndex - 1, round: leader.round });
    progress.probeOutstanding = true;
    return;
  }
  const lastIndex = progress.nextIndex - 1;
  if (leader.heartbeatDue || progress.roundSent < leader.round) {
    sendAppend(state, peer, progress, { lastIndex, round: leader.round });
  } else if (progress.mode === "replicate" && progress.commitSent < state.commitIndex) {
    // Nobody waits for an answer to this one; under load they were a third of all answers.
    sendAppend(state, peer, progress, { lastIndex, round: NO_ROUND });
  }
}

/** The last entry that still fits into a request that begins at `firstIndex`; at least that one. */
function lastOfRequest(state: CoreState, firstIndex: LogIndex): LogIndex {
  const { log, options } = state;
  let lastIndex = firstIndex;
  const most = Math.min(log.lastIndex, firstIndex + options.appendEntriesMax - 1);
  while (lastIndex < most && log.bytesBetween(firstIndex - 1, lastIndex + 1) <= options.appendBytesMax) lastIndex++;
  return lastIndex;
}

/** Instead of a request: fetch what cannot be sent. Again with every heartbeat and every round. */
function tellToInstall(state: CoreState, leader: Leader, peer: NodeId, progress: Progress): void {
  const { log, options } = state;
  progress.awaitSnapshot();
  const least = progress.floor(log.base.index);
  // What has not committed is in no snapshot: a newcomer waits until its joining has.
  if (least > state.commitIndex || (progress.probeOutstanding && progress.roundSent >= leader.round)) return;
  const lastIncludedTerm = log.term(least);
  invariant(lastIncludedTerm !== undefined, () => `entry ${least} is the base or in the log`);
  state.effects.send.push({
    type: "installSnapshot",
    from: options.id,
    to: peer,
    term: state.term,
    lastIncludedIndex: least,
    lastIncludedTerm,
    round: leader.round,
  });
  progress.probeOutstanding = true;
  progress.roundSent = leader.round;
}

function sendAppend(
  state: CoreState,
  peer: NodeId,
  progress: Progress,
  { lastIndex, round }: { readonly lastIndex: LogIndex; readonly round: number },
): void {
  const prevLogIndex = progress.nextIndex - 1;
  const prevLogTerm = state.log.term(prevLogIndex);
  invariant(prevLogTerm !== undefined, () => `the entry before ${progress.nextIndex} is in the leader's log`);
  state.effects.send.push({
    type: "appendRequest",
    from: state.options.id,
    to: peer,
    term: state.term,
    prevLogIndex,
    prevLogTerm,
    leaderCommit: state.commitIndex,
    round,
    firstIndex: prevLogIndex + 1,
    lastIndex,
  });
  progress.commitSent = state.commitIndex;
  if (round !== NO_ROUND) progress.roundSent = round;
}

function tellTransferTarget(state: CoreState, leader: Leader): void {
  const { transfer } = leader;
  if (transfer === undefined || transfer.told) return;
  if (leader.progress.get(transfer.target)?.matchIndex !== state.log.lastIndex) return;
  transfer.told = true;
  state.effects.send.push({ type: "timeoutNow", from: state.options.id, to: transfer.target, term: state.term });
}

/** Its removal has committed and was announced with this turn: the furthest voter takes over (§4.2.2). */
function leave(state: CoreState, leader: Leader): void {
  if (leader.transfer?.told !== true) {
    const successor = furthestVoter(state, leader);
    state.effects.send.push({ type: "timeoutNow", from: state.options.id, to: successor, term: state.term });
  }
  becomeFollower(state, undefined, "its removal has committed (§4.2.2)");
}

function furthestVoter(state: CoreState, leader: Leader): NodeId {
  const [first, ...others] = state.log.voters;
  invariant(first !== undefined, "somebody votes");
  return others.reduce((best, id) => {
    const [one, other] = [leader.progress.get(best), leader.progress.get(id)];
    if (one === undefined || other === undefined) return best;
    const lead = other.matchIndex - one.matchIndex || other.contactAt - one.contactAt;
    return lead > 0 ? id : best;
  }, first);
}
