import { invariant } from "../assert.js";
import { followConfiguration, newProgress } from "./peers.js";
import { appendEntry, type CoreState, drawElectionTimeout, leaderOf, type Role, report } from "./state.js";
import type { Entry, EntryBody, NodeId, Term } from "./types.js";

function enter(state: CoreState, role: Role, why: string): void {
  const leaderBefore = leaderOf(state);
  const nameBefore = state.role.name;
  endLeadership(state);
  state.role = role;
  state.pollsOnceDurable = false;
  if (nameBefore !== role.name) report(state, { kind: "roleChanged", role: role.name, term: state.term, why });
  const leader = leaderOf(state);
  if (leader !== leaderBefore) report(state, { kind: "leaderChanged", leader, term: state.term });
}

/** Reads that wait are refused, a transfer is over: leader-only state dies with its role. */
function endLeadership(state: CoreState): void {
  if (state.role.name !== "leader") return;
  for (const read of state.role.reads) {
    if (read.from === state.options.id) state.effects.reads.push({ readId: read.readId, kind: "refused" });
  }
  const { transfer } = state.role;
  if (transfer?.told === true) {
    report(state, { kind: "transferEnded", target: transfer.target, outcome: "handedOver" });
  }
}

/** Term and vote change together, in one write (classic bug 2). */
export function setHardState(state: CoreState, term: Term, votedFor: NodeId | undefined): void {
  invariant(term >= state.term, "a term never goes back");
  invariant(
    term > state.term || state.votedFor === undefined || state.votedFor === votedFor,
    "a vote is never changed within its term",
  );
  state.term = term;
  state.votedFor = votedFor;
  state.pending.hardStateChanged = true;
}

/** A higher term was seen: whoever this node was, it is a follower of that term (§3.3). */
export function adoptTerm(state: CoreState, term: Term, why: string): void {
  invariant(term > state.term, "only a higher term is adopted");
  const wasLeader = state.role.name === "leader";
  setHardState(state, term, undefined);
  enter(state, { name: "follower", leader: undefined }, why);
  // A follower's deadline stands: only a leader or a granted vote may put it off (§3.4).
  if (wasLeader) restartElectionTimer(state);
}

/** Back to follower within the term; the vote of the term stands (classic bug 3). */
export function becomeFollower(state: CoreState, leader: NodeId | undefined, why: string): void {
  const { role } = state;
  if (role.name === "follower" && role.leader === leader) return;
  if (role.name === "leader") restartElectionTimer(state);
  enter(state, { name: "follower", leader }, why);
}

export function becomePreCandidate(state: CoreState): void {
  enter(state, { name: "preCandidate", poll: new Map([[state.options.id, true]]) }, "election timeout");
  restartElectionTimer(state);
}

export function becomeCandidate(state: CoreState, why: string): void {
  setHardState(state, state.term + 1, state.options.id);
  enter(state, { name: "candidate", votes: new Map(), poll: undefined }, why);
  restartElectionTimer(state);
}

export function becomeLeader(state: CoreState): void {
  const { log, options, now } = state;
  enter(
    state,
    {
      name: "leader",
      progress: newProgress(state),
      changeIndex: log.configurationIndex > state.commitIndex ? log.configurationIndex : undefined,
      leaves: false,
      settledIndex: log.lastIndex + 1,
      openingIndex: log.lastIndex + 1,
      heartbeatDeadline: now + options.heartbeatMs,
      quorumDeadline: now + options.electionTimeoutMs,
      round: 1,
      roundWanted: false,
      heartbeatDue: true,
      reads: [],
      transfer: undefined,
    },
    "won the election",
  );
  appendToLog(state, openingBody(state));
}

/** The first leader of all names the cluster; every other opens its term with a no-op. */
function openingBody(state: CoreState): EntryBody {
  const { configuration } = state.log;
  if (configuration.clusterId !== "") return { kind: "noop" };
  return { kind: "configuration", configuration: { ...configuration, clusterId: state.options.foundingClusterId } };
}

/** A leader only ever appends (Leader Append-Only). */
export function appendToLog(state: CoreState, body: EntryBody): Entry {
  const entry: Entry = { index: state.log.lastIndex + 1, term: state.term, body };
  appendEntry(state, entry);
  if (body.kind === "configuration") {
    reportConfiguration(state);
    if (state.role.name === "leader") followConfiguration(state, state.role);
  }
  return entry;
}

export function reportConfiguration(state: CoreState): void {
  const { configuration, configurationIndex } = state.log;
  report(state, { kind: "configurationChanged", configuration, index: configurationIndex });
}

export function restartElectionTimer(state: CoreState): void {
  state.electionDeadline = state.now + drawElectionTimeout(state);
}
