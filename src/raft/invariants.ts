import { invariant } from "../assert.js";
import type { CoreState } from "./state.js";
import type { LogIndex, NodeId, RoleName, Term } from "./types.js";

/** What the next check compares with. */
export interface CoreCheckpoint {
  readonly term: Term;
  readonly votedFor: NodeId | undefined;
  readonly commitIndex: LogIndex;
  readonly lastIndex: LogIndex;
  readonly role: RoleName;
}

export function checkpointOf(state: CoreState): CoreCheckpoint {
  const { term, votedFor, commitIndex, log, role } = state;
  return { term, votedFor, commitIndex, lastIndex: log.lastIndex, role: role.name };
}

/**
 * Asserted after every input, in production: what holds in every state (basic) and between one
 * state and the next (delta), after raft.tla's and raftscope's checks. A few comparisons each.
 */
export function assertInvariants(state: CoreState, before: CoreCheckpoint): CoreCheckpoint {
  checkBasic(state);
  checkDelta(state, before);
  const unchanged =
    state.term === before.term &&
    state.votedFor === before.votedFor &&
    state.commitIndex === before.commitIndex &&
    state.log.lastIndex === before.lastIndex &&
    state.role.name === before.role;
  return unchanged ? before : checkpointOf(state);
}

function checkBasic(state: CoreState): void {
  const { log, commitIndex, durableIndex, writtenIndex, pending, role } = state;
  invariant(log.base.index <= commitIndex && commitIndex <= log.lastIndex, "base <= commitIndex <= lastIndex");
  invariant(durableIndex <= writtenIndex && writtenIndex <= log.lastIndex, "durable <= written <= lastIndex");
  invariant(log.lastTerm <= state.term, "no entry is of a later term than the node");
  invariant(
    writtenIndex + pending.entries.length === log.lastIndex,
    "what is neither on disk nor on its way is in the next write",
  );
  if (role.name === "leader" || role.name === "candidate") {
    invariant(state.votedFor === state.options.id, "a candidate and a leader voted for themselves");
  }
}

function checkDelta(state: CoreState, before: CoreCheckpoint): void {
  invariant(state.term >= before.term, "a term never goes back");
  invariant(
    state.term > before.term || before.votedFor === undefined || state.votedFor === before.votedFor,
    "a vote is never changed within its term",
  );
  invariant(state.commitIndex >= before.commitIndex, "commitIndex never goes back");
  if (before.role === "leader" && state.role.name === "leader" && state.term === before.term) {
    invariant(state.log.lastIndex >= before.lastIndex, "a leader only appends");
  }
}
