import { invariant } from "../assert.js";
import { advanceCommit } from "./following.js";
import type { Progress } from "./progress.js";
import { isVoter, majorityReached, voterIds } from "./quorum.js";
import { becomeFollower } from "./role-changes.js";
import { type CoreState, type Leader, report } from "./state.js";
import { type AppendReply, type LogIndex, NO_ROUND, type NodeId, type ReadRequest } from "./types.js";

export function tickLeader(state: CoreState, leader: Leader): void {
  const { now, options } = state;
  if (now >= leader.quorumDeadline) {
    if (!hasQuorumContact(state, leader)) {
      becomeFollower(state, undefined, "no contact with a majority for an election timeout (CheckQuorum, §6.2)");
      return;
    }
    leader.quorumDeadline = now + options.electionTimeoutMs;
  }
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
  const contacts = voterIds(log.configuration).map((id) =>
    id === options.id ? now : (leader.progress.get(id)?.contactAt ?? Number.NEGATIVE_INFINITY),
  );
  return majorityReached(contacts) >= oldest;
}

export function receiveAppendReply(state: CoreState, leader: Leader, reply: AppendReply): void {
  const progress = leader.progress.get(reply.from);
  if (progress === undefined) return;
  progress.contactAt = state.now;
  if (reply.round > progress.roundAcked) progress.roundAcked = reply.round;
  if (reply.outcome.kind === "match") {
    invariant(reply.outcome.matchIndex <= state.log.lastIndex, "a follower matches nothing that the leader lacks");
    progress.matched(reply.outcome.matchIndex);
    commitByMajority(state, leader);
  } else if (reply.outcome.kind === "conflict") {
    const { rejectedIndex, hintIndex, hintTerm } = reply.outcome;
    if (progress.isNewsOfConflict(rejectedIndex)) {
      progress.probeFrom(state.log.lastIndexAtMostTerm(hintIndex, hintTerm) + 1);
    }
  }
  answerReads(state, leader);
}

/**
 * Commits what a majority holds durably, the leader's own copy included only as far as it is
 * durable; never by counting an entry of an earlier term (§3.6.2, Figure 3.7; classic bugs 1, 10).
 */
export function commitByMajority(state: CoreState, leader: Leader): void {
  const { log, options } = state;
  const matches = voterIds(log.configuration).map((id) =>
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
  const voters = voterIds(log.configuration);
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
}

function replicateTo(state: CoreState, leader: Leader, peer: NodeId, progress: Progress): void {
  const { log, options } = state;
  if (leader.heartbeatDue) progress.probeOutstanding = false;
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
  let bytes = log.size(firstIndex);
  while (lastIndex < log.lastIndex && lastIndex - firstIndex + 1 < options.appendEntriesMax) {
    bytes += log.size(lastIndex + 1);
    if (bytes > options.appendBytesMax) break;
    lastIndex++;
  }
  return lastIndex;
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
