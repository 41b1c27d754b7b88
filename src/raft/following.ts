import { invariant } from "../assert.js";
import { becomeFollower, reportConfiguration, restartElectionTimer } from "./role-changes.js";
import { appendEntry, type CoreState, isHardStateDurable, report, sendWhenDurable } from "./state.js";
import {
  type AppendReply,
  type AppendRequest,
  type Entry,
  type LogIndex,
  NO_ROUND,
  type NodeId,
  type ReadReply,
} from "./types.js";

/** Whatever the leader of the current term says keeps this node its follower. */
export function hearLeader(state: CoreState, leader: NodeId): void {
  invariant(state.role.name !== "leader", () => `term ${state.term} has one leader (Election Safety)`);
  becomeFollower(state, leader, "heard from the leader");
  state.leaderHeardAt = state.now;
  restartElectionTimer(state);
}

/** A request of the current term's leader (§3.5). */
export function receiveAppendRequest(state: CoreState, request: AppendRequest): void {
  hearLeader(state, request.from);
  const { log } = state;
  if (request.prevLogIndex < log.base.index) {
    // What lies below our base was committed, so it is the leader's too (Leader Completeness).
    replyMatch(state, request, Math.min(state.commitIndex, state.durableIndex));
    return;
  }
  if (log.term(request.prevLogIndex) !== request.prevLogTerm) {
    replyConflict(state, request);
    return;
  }
  appendNew(state, request.entries);
  // Only this prefix is proven equal; our own tail beyond it may diverge (classic bug 6).
  const verifiedIndex = request.prevLogIndex + request.entries.length;
  advanceCommit(state, Math.min(request.leaderCommit, verifiedIndex));
  replyMatch(state, request, verifiedIndex);
}

/** Appends what is new. An entry that is there stays, and with it what follows (classic bug 8). */
function appendNew(state: CoreState, entries: readonly Entry[]): void {
  const { log } = state;
  const configurationBefore = log.configuration;
  for (const entry of entries) {
    if (entry.index <= log.lastIndex) {
      if (log.term(entry.index) === entry.term) continue;
      truncate(state, entry.index);
    }
    appendEntry(state, entry);
  }
  // Compared itself, not by its index: another one may have taken the index (two foundings).
  if (log.configuration !== configurationBefore) reportConfiguration(state);
}

/** Removes a divergent tail, from memory now and from disk with the next write. */
function truncate(state: CoreState, from: LogIndex): void {
  const { log, pending } = state;
  invariant(from > state.commitIndex, () => `entry ${from} is committed and stays (State Machine Safety)`);
  report(state, { kind: "truncated", from, to: log.lastIndex });
  log.truncate(from);
  pending.entries = pending.entries.filter((entry) => entry.index < from);
  if (from <= state.writtenIndex) {
    pending.truncateFrom = Math.min(pending.truncateFrom ?? from, from);
    state.writtenIndex = from - 1;
  }
  if (state.inFlight !== undefined) state.inFlight.lastIndex = Math.min(state.inFlight.lastIndex, from - 1);
  state.durableIndex = Math.min(state.durableIndex, from - 1);
}

export function advanceCommit(state: CoreState, commitIndex: LogIndex): void {
  invariant(commitIndex <= state.log.lastIndex, "what commits is in the log");
  if (commitIndex > state.commitIndex) state.commitIndex = commitIndex;
}

/**
 * Says what is proven and durable. Entries of the request that are not durable yet make the answer
 * wait for their write; a heartbeat is answered at once with what is durable already, so that a
 * slow disk never looks like a dead node.
 */
export function replyMatch(
  state: CoreState,
  request: { readonly from: NodeId; readonly round: number; readonly entries?: readonly Entry[] },
  verifiedIndex: LogIndex,
): void {
  const { from: to, round, entries } = request;
  if (round === NO_ROUND) return;
  const reply = (matchIndex: LogIndex): AppendReply => ({
    type: "appendReply",
    from: state.options.id,
    to,
    term: state.term,
    round,
    outcome: { kind: "match", matchIndex },
  });
  const termIsDurable = isHardStateDurable(state);
  if (verifiedIndex <= state.durableIndex && termIsDurable) {
    state.effects.send.push(reply(verifiedIndex));
  } else if ((entries === undefined || entries.length === 0) && termIsDurable) {
    state.effects.send.push(reply(Math.min(verifiedIndex, state.durableIndex)));
  } else {
    sendWhenDurable(state, reply(verifiedIndex));
  }
}

function replyConflict(state: CoreState, request: AppendRequest): void {
  const { log } = state;
  const hintIndex = log.lastIndexAtMostTerm(Math.min(request.prevLogIndex, log.lastIndex), request.prevLogTerm);
  const reply: AppendReply = {
    type: "appendReply",
    from: state.options.id,
    to: request.from,
    term: state.term,
    round: request.round,
    outcome: {
      kind: "conflict",
      rejectedIndex: request.prevLogIndex,
      hintIndex,
      hintTerm: log.term(hintIndex) ?? 0,
    },
  };
  // A conflict promises nothing but the term.
  if (isHardStateDurable(state)) state.effects.send.push(reply);
  else sendWhenDurable(state, reply);
}

export function receiveReadReply(state: CoreState, reply: ReadReply): void {
  state.effects.reads.push({ readId: reply.readId, kind: "ready", readIndex: reply.readIndex });
}
