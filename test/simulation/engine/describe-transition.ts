import type { RaftCore } from "../../../src/raft/core.js";
import type { Configuration, Transition } from "../../../src/raft/types.js";
import type { DurableLog } from "../checkers/durable-log.js";

/** One transition of the core in a few words, for a trace. */
export function describeTransition(transition: Transition): string {
  switch (transition.kind) {
    case "roleChanged":
      return `${transition.role} in t${transition.term}: ${transition.why}`;
    case "leaderChanged":
      return transition.leader === undefined
        ? `knows no leader in t${transition.term}`
        : `n${transition.leader} leads t${transition.term}`;
    case "termOpened":
      return `t${transition.term} has opened, entry ${transition.index} of it has committed`;
    case "configurationChanged":
      return `membership of entry ${transition.index}: ${describeMembers(transition.configuration)}`;
    case "truncated":
      return `removes entries ${transition.from} to ${transition.to}`;
    case "transferEnded":
      return `hand-over to n${transition.target}: ${transition.outcome === "handedOver" ? "done" : "timed out"}`;
  }
}

function describeMembers({ members }: Configuration): string {
  const namesOf = (kind: string) => members.filter((member) => member.kind === kind).map(({ id }) => `n${id}`);
  const learners = namesOf("learner");
  const voters = `voters ${namesOf("voter").join(" ")}`;
  return learners.length === 0 ? voters : `${voters}, learners ${learners.join(" ")}`;
}

/** Where a node's commit index went, and by what: what a leader counted, or how far a follower's log goes. */
export function describeCommit({ state, configuration }: RaftCore, before: number): string {
  const { commitIndex, role, log } = state;
  if (role.name !== "leader") return `commit ${before} -> ${commitIndex}, its log ends at ${log.lastIndex}`;
  const matches = [...role.progress].map(([peer, { matchIndex }]) => `n${peer}=${matchIndex}`);
  return `commit ${before} -> ${commitIndex}, by ${matches.join(" ")} and its own disk; ${describeMembers(configuration)}`;
}

/** What a store holds: the end of its log, its term, and its vote in that. */
export function describeDurable(durable: DurableLog): string {
  const { lastIndex, hardState } = durable;
  const vote = hardState.votedFor === undefined ? "" : `, vote for n${hardState.votedFor}`;
  return `log to ${lastIndex}/t${durable.termAt(lastIndex)}, term ${hardState.term}${vote}`;
}
