import { isMember } from "./peers.js";
import { isVoter, tally } from "./quorum.js";
import {
  becomeCandidate,
  becomeFollower,
  becomeLeader,
  becomePreCandidate,
  restartElectionTimer,
  setHardState,
} from "./role-changes.js";
import {
  type Candidate,
  type CoreState,
  drawElectionTimeout,
  isHardStateDurable,
  leaderOf,
  type Poll,
  type Role,
  sendWhenDurable,
} from "./state.js";
import type { NodeId, Term, TimeoutNow, VoteReply, VoteRequest } from "./types.js";

/** How long a vote's write is waited for at most, in election timeouts. */
const VOTE_WRITE_TIMEOUTS_MAX = 8;

/**
 * The election timeout has passed. A vote that is on its way to the disk, this node's own or one for another, is
 * waited for: another term would make it worthless, and on a slow disk so would every next one.
 */
export function electionTimedOut(state: CoreState): void {
  if (isHardStateDurable(state)) startPreVote(state);
  else restartElectionTimer(state);
}

/** Asks first whether an election could be won (PreVote, §9.6). */
export function startPreVote(state: CoreState): void {
  const { role } = state;
  if (!mayStand(state)) {
    // They look again later, as configurations change.
    restartElectionTimer(state);
    return;
  }
  if (role.name === "candidate") pollAgain(state, role);
  else becomePreCandidate(state);
  if (countPoll(state)) return;
  for (const peer of otherVoters(state)) {
    state.effects.send.push(voteRequest(state, { to: peer, preVote: true, leadershipTransfer: false }));
  }
}

/**
 * Voters stand; learners and strangers never do (§4.2.1). A voter whose removal is in its log stands
 * until it knows that the removal has committed, without counting itself: until then it may be the
 * only one that the others can elect (§4.2.2, a removed leader of two).
 */
function mayStand({ log, commitIndex, options }: CoreState): boolean {
  const { configuration, configurationIndex } = log;
  if (isMember(configuration, options.id)) return isVoter(configuration, options.id);
  return configurationIndex > commitIndex && isVoter(log.configurationAt(configurationIndex - 1), options.id);
}

function pollAgain(state: CoreState, role: Candidate): void {
  role.poll = new Map([[state.options.id, true]]);
  restartElectionTimer(state);
}

/** Undefined while nobody is asked. */
export function pollOf(role: Role): Poll | undefined {
  return role.name === "preCandidate" || role.name === "candidate" ? role.poll : undefined;
}

function startElection(state: CoreState, options: { leadershipTransfer: boolean }): void {
  becomeCandidate(state, options.leadershipTransfer ? "leadership was handed over" : "the poll was won");
  const { leadershipTransfer } = options;
  for (const peer of otherVoters(state)) {
    sendWhenDurable(state, voteRequest(state, { to: peer, preVote: false, leadershipTransfer }));
  }
}

function otherVoters(state: CoreState): NodeId[] {
  return state.log.voters.filter((id) => id !== state.options.id);
}

function voteRequest(
  state: CoreState,
  request: { to: NodeId; preVote: boolean; leadershipTransfer: boolean },
): VoteRequest {
  return {
    type: "voteRequest",
    from: state.options.id,
    ...request,
    // A poll asks about the term that the election would have, and changes nothing here.
    term: request.preVote ? state.term + 1 : state.term,
    lastLogIndex: state.log.lastIndex,
    lastLogTerm: state.log.lastTerm,
  };
}

/** Term and vote are on the disk: what waited for that goes on. */
export function hardStatePersisted(state: CoreState): void {
  if (!isHardStateDurable(state)) return;
  const { role, votedFor, options } = state;
  if (votedFor !== undefined && role.name !== "leader") letVotesArrive(state);
  if (role.name === "candidate") {
    // Its own vote counts once it is on disk, like everybody's. A voter that is alone would else lead a
    // term that a crash lets it forget, and use for other entries (Log Matching).
    role.votes.set(options.id, true);
    countVotes(state, role);
  }
  if (state.pollsOnceDurable && role.name === "follower" && votedFor === undefined) startPreVote(state);
  state.pollsOnceDurable = false;
}

/**
 * A vote sets out only now: a candidate's request, or the answer to one. Those that still have to write theirs may take
 * as long as this disk did, and whoever is done earlier must not call another election over their heads.
 */
function letVotesArrive(state: CoreState): void {
  const patienceMs = voteWriteMs(state) + drawElectionTimeout(state);
  state.electionDeadline = Math.max(state.electionDeadline, state.now + patienceMs);
}

function countVotes(state: CoreState, { votes }: Candidate): void {
  const result = tally(state.log.voters, votes);
  if (result === "won") becomeLeader(state);
  if (result === "lost") becomeFollower(state, undefined, "a majority refused");
}

/** Returns whether the count was decisive. */
function countPoll(state: CoreState): boolean {
  const { role } = state;
  const poll = pollOf(role);
  const result = poll === undefined ? "open" : tally(state.log.voters, poll);
  if (result === "open") return false;
  if (result === "won") startElection(state, { leadershipTransfer: false });
  // What it stands for already is not refused with what it might stand for.
  else if (role.name === "candidate") role.poll = undefined;
  else becomeFollower(state, undefined, "a majority refused");
  return true;
}

/**
 * A leader that was heard within the least election timeout is believed to live: a server that
 * missed its heartbeats, or was removed, must not depose it (§4.2.3).
 */
export function trustsItsLeader(state: CoreState): boolean {
  if (state.role.name === "leader") return true;
  return leaderOf(state) !== undefined && state.now - state.leaderHeardAt < state.options.electionTimeoutMs;
}

/** The leader's connection broke: it is not trusted any more, and a poll comes after one or two heartbeats. */
export function suspectLeader(state: CoreState): void {
  const { electionTimeoutMs, heartbeatMs } = state.options;
  const patienceMs = (drawElectionTimeout(state) / electionTimeoutMs) * heartbeatMs;
  state.leaderHeardAt = Number.NEGATIVE_INFINITY;
  state.electionDeadline = Math.min(state.electionDeadline, state.now + patienceMs);
}

/**
 * Answers a poll; nothing changes at the one who answers. Whoever is about to promise a vote, or to learn of a term, says
 * nothing until that is on its disk: a term after this one would overtake it.
 */
export function receivePreVote(state: CoreState, request: VoteRequest): void {
  const { log, term, options } = state;
  if (!isHardStateDurable(state)) return;
  const candidateLast = { index: request.lastLogIndex, term: request.lastLogTerm };
  const granted = request.term > term && log.isUpToDate(candidateLast) && !trustsItsLeader(state);
  if (granted) giveWay(state, request.term);
  state.effects.send.push({
    type: "voteReply",
    from: options.id,
    to: request.from,
    preVote: true,
    granted,
    // A refusal carries our own term, so that a candidate left behind catches up (classic bug 15).
    term: granted ? request.term : term,
  });
}

/**
 * Who was told yes is about to write its vote, and asks for this node's only then. Whoever stood meanwhile would split the
 * votes, and where a write takes longer than the spread of election timeouts, of every next term, too. So it is
 * given the time of a write, once per term: one that cannot win, because nobody hears it, holds nobody up for longer.
 */
function giveWay(state: CoreState, term: Term): void {
  if (term <= state.gaveWayInTerm) return;
  state.gaveWayInTerm = term;
  const patienceMs = 2 * state.options.heartbeatMs + 1.5 * voteWriteMs(state);
  state.electionDeadline = Math.max(state.electionDeadline, state.now + patienceMs);
}

/** How long the write of a vote is waited for. One write that hung for long says little of the others. */
function voteWriteMs({ options, writeMs }: CoreState): number {
  return Math.min(writeMs, VOTE_WRITE_TIMEOUTS_MAX * options.electionTimeoutMs);
}

/**
 * Answers a candidate of the current term. Whether the candidate is a member in *our* newest
 * configuration is not asked: our log may be the older one (§4.1).
 */
export function receiveVoteRequest(state: CoreState, request: VoteRequest): void {
  const { log, options, role } = state;
  const candidateLast = { index: request.lastLogIndex, term: request.lastLogTerm };
  const voteIsFree = state.votedFor === request.from || (state.votedFor === undefined && role.name !== "leader");
  const granted = voteIsFree && leaderOf(state) === undefined && log.isUpToDate(candidateLast);
  if (granted) {
    if (state.votedFor === undefined) setHardState(state, state.term, request.from);
    becomeFollower(state, undefined, "voted for another");
    restartElectionTimer(state);
  }
  sendWhenDurable(state, {
    type: "voteReply",
    from: options.id,
    to: request.from,
    preVote: false,
    granted,
    term: state.term,
  });
}

export function receiveVoteReply(state: CoreState, reply: VoteReply): void {
  if (reply.preVote) {
    receivePollAnswer(state, reply);
    return;
  }
  const { role } = state;
  if (role.name !== "candidate") return;
  if (!role.votes.has(reply.from)) role.votes.set(reply.from, reply.granted);
  countVotes(state, role);
}

function receivePollAnswer(state: CoreState, reply: VoteReply): void {
  const poll = pollOf(state.role);
  if (poll === undefined || (reply.granted && reply.term !== state.term + 1)) return;
  if (!poll.has(reply.from)) poll.set(reply.from, reply.granted);
  countPoll(state);
}

/** The leader hands over: stand at once, without a poll (§3.10). */
export function receiveTimeoutNow(state: CoreState, message: TimeoutNow): void {
  if (leaderOf(state) !== message.from || !mayStand(state)) return;
  startElection(state, { leadershipTransfer: true });
}
