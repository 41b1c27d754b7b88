import type { RaftCore } from "../raft/core.js";
import type { MemberChange, MemberChangeRefusal, NodeId } from "../raft/types.js";

const ID_MAX = 65_535;

/** An id above all that were ever seen, so that a name in old logs means one node; else the least that is free. */
export function freeId(taken: readonly (NodeId | 0)[], highestSeen: NodeId): NodeId {
  const next = Math.max(highestSeen, ...taken) + 1;
  if (next <= ID_MAX) return next;
  let id = 1;
  while (taken.includes(id)) id++;
  return id;
}

/** Why a change has to wait, in a sentence. */
export function notNowReason(reason: "transferring" | "termNotOpen" | "changeUnderway"): string {
  switch (reason) {
    case "transferring":
      return "Leadership is being handed over.";
    case "termNotOpen":
      return "The leader was elected just now and has not committed an entry of its own yet.";
    case "changeUnderway":
      return "Another change of membership is under way.";
  }
}

/** Why the cluster will not have it, in a sentence. */
export function refusalReason(
  core: RaftCore,
  change: MemberChange,
  reason: Exclude<MemberChangeRefusal, "notLeader" | "transferring" | "termNotOpen" | "changeUnderway">,
): string {
  const id = change.kind === "addLearner" ? change.member.id : change.id;
  switch (reason) {
    case "notCaughtUp": {
      const match = core.matchIndexOf(id) ?? 0;
      const lag = core.lastIndex - match;
      return `Node ${id} has not caught up yet: it is ${lag} of ${core.lastIndex} entries behind, or does not answer.`;
    }
    case "unknownMember":
      return `Node ${id} is not a member.`;
    case "seatTaken":
      return seatTaken(core, change);
    case "lastVoter":
      return `Node ${id} is the last voter: without it nobody could decide anything.`;
    case "quorumAtRisk":
      return quorumAtRisk(core, id);
  }
}

/** One that is to be removed is no way out, whatever it does. */
function quorumAtRisk(core: RaftCore, id: NodeId): string {
  const behind = core.votersBehind.filter((voter) => voter !== id);
  return (
    "Too few of the voters that there would be answer and keep up now: the change might never commit. Those that do not: " +
    `${behind.join(", ")}. First start them and let them catch up, or remove what is lost for good.`
  );
}

function seatTaken({ configuration }: RaftCore, change: MemberChange): string {
  if (change.kind !== "addLearner") return "The seat is taken.";
  const { id, storeId } = change.member;
  const holder = configuration.members.find((member) => member.id === id);
  if (holder !== undefined && holder.storeId !== storeId) {
    return `The seat of node ${id} belongs to another store: if that is lost for good, remove node ${id} first.`;
  }
  const other = configuration.members.find((member) => member.storeId === storeId);
  return `That store is a member already, as node ${other?.id}.`;
}
