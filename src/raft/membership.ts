import { invariant } from "../assert.js";
import type { Progress } from "./progress.js";
import { majority, voterIds } from "./quorum.js";
import { appendToLog } from "./role-changes.js";
import type { CoreState, Leader } from "./state.js";
import type { Configuration, Member, MemberChange, MemberChangeAnswer, MemberChangeRefusal, NodeId } from "./types.js";

/** What a change leads to: another configuration, the same one, or a refusal. */
type Outcome = Configuration | "unchanged" | MemberChangeRefusal;

/** Who answered none of so many in a row is not counted on for a change. */
const HEARTBEATS_MISSED_MAX = 3;

/**
 * Changes the membership by one member (§4.1). Two configurations that differ by one voter have no
 * two majorities that are disjoint; that holds only from one *committed* configuration to the next,
 * and only once the term's own entry has committed: else two leaders may each know of another first
 * change (classic bug 12).
 */
export function changeMembers(state: CoreState, change: MemberChange): MemberChangeAnswer {
  const { role } = state;
  if (role.name !== "leader" || role.leaves) return refused("notLeader");
  if (role.transfer !== undefined) return refused("transferring");
  if (state.commitIndex < role.openingIndex) return refused("termNotOpen");
  if (role.changeIndex !== undefined) return refused("changeUnderway");
  const outcome = outcomeOf(state, role, change);
  if (outcome === "unchanged") return { kind: "unchanged" };
  if (typeof outcome === "string") return refused(outcome);
  invariant(votersChanged(state.log.configuration, outcome) <= 1, "a change is of one voter at most");
  const { index, term } = appendToLog(state, { kind: "configuration", configuration: outcome });
  return { kind: "appended", position: { index, term } };
}

function refused(reason: MemberChangeRefusal): MemberChangeAnswer {
  return { kind: "refused", reason };
}

function outcomeOf(state: CoreState, leader: Leader, change: MemberChange): Outcome {
  const { configuration } = state.log;
  if (change.kind === "addLearner") return added(configuration, change.member);
  const member = configuration.members.find(({ id }) => id === change.id);
  if (member === undefined) return "unknownMember";
  switch (change.kind) {
    case "promote": {
      if (member.kind === "voter") return "unchanged";
      if (!hasCaughtUp(state, leader, leader.progress.get(member.id))) return "notCaughtUp";
      return ifQuorumAnswers(state, leader, replaced(configuration, { ...member, kind: "voter" }));
    }
    case "remove": {
      const members = configuration.members.filter((other) => other !== member);
      if (!members.some(({ kind }) => kind === "voter")) return "lastVoter";
      const without = { ...configuration, members };
      return member.kind === "voter" ? ifQuorumAnswers(state, leader, without) : without;
    }
    case "readdress":
      if (member.address === change.address) return "unchanged";
      return replaced(configuration, { ...member, address: change.address });
  }
}

/** A seat is a store's for as long as it is a member: another store takes another seat, or this one once it is free. */
function added(configuration: Configuration, newcomer: Omit<Member, "kind">): Outcome {
  const { id, storeId, address } = newcomer;
  const holder = configuration.members.find((member) => member.id === id || member.storeId === storeId);
  if (holder === undefined) {
    const learner = { id, kind: "learner", storeId, address } as const;
    return { ...configuration, members: [...configuration.members, learner].sort((one, other) => one.id - other.id) };
  }
  if (holder.id !== id || holder.storeId !== storeId) return "seatTaken";
  return holder.address === address ? "unchanged" : replaced(configuration, { ...holder, address });
}

function replaced(configuration: Configuration, member: Member): Configuration {
  return { ...configuration, members: configuration.members.map((other) => (other.id === member.id ? member : other)) };
}

/**
 * It answers, gets entries as they come, and holds what had committed an election timeout ago (§4.2.1: the last round of
 * catching up took no longer than that), so that its vote for commits is there when it is first needed.
 */
function hasCaughtUp(state: CoreState, leader: Leader, progress: Progress | undefined): boolean {
  if (progress === undefined || progress.mode !== "replicate") return false;
  const least = Math.max(progress.floor(state.log.base.index), leader.settledIndex);
  return progress.matchIndex >= least && isAnswering(state, progress, state.options.electionTimeoutMs);
}

function isAnswering({ now }: CoreState, progress: Progress | undefined, withinMs: number): boolean {
  return progress?.hasAnswered === true && now - progress.contactAt < withinMs;
}

/**
 * A configuration whose voters do not answer would never commit, and no other change could undo it; one whose voters
 * have to fetch a snapshot first would commit nothing until they have.
 */
function ifQuorumAnswers(state: CoreState, leader: Leader, next: Configuration): Outcome {
  const voters = voterIds(next).length;
  return voters - votersBehind(state, leader, next).length >= majority(voters) ? next : "quorumAtRisk";
}

/** Those of a configuration's voters that the leader does not count on now: silent, or in need of a snapshot. */
export function votersBehind(state: CoreState, leader: Leader, configuration: Configuration): NodeId[] {
  const { id: self, heartbeatMs, electionTimeoutMs } = state.options;
  const withinMs = Math.min(HEARTBEATS_MISSED_MAX * heartbeatMs, electionTimeoutMs);
  return voterIds(configuration).filter((id) => {
    const progress = leader.progress.get(id);
    return id !== self && !(progress?.mode === "replicate" && isAnswering(state, progress, withinMs));
  });
}

function votersChanged(before: Configuration, after: Configuration): number {
  const [old, next] = [voterIds(before), voterIds(after)];
  return old.filter((id) => !next.includes(id)).length + next.filter((id) => !old.includes(id)).length;
}
