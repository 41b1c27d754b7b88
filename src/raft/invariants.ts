import { invariant } from "../assert.js";
import { isMember } from "./peers.js";
import type { CoreState, Leader } from "./state.js";
import type { Configuration, LogIndex, NodeId, RoleName, Term } from "./types.js";

/** What the next check compares with. */
export interface CoreCheckpoint {
  readonly term: Term;
  readonly votedFor: NodeId | undefined;
  readonly commitIndex: LogIndex;
  readonly baseIndex: LogIndex;
  readonly lastIndex: LogIndex;
  readonly role: RoleName;
  readonly configuration: Configuration;
  /** Whom a leader replicates to. */
  readonly peerCount: number;
}

export function checkpointOf(state: CoreState): CoreCheckpoint {
  const { term, votedFor, commitIndex, log, role } = state;
  return {
    term,
    votedFor,
    commitIndex,
    baseIndex: log.base.index,
    lastIndex: log.lastIndex,
    role: role.name,
    configuration: log.configuration,
    peerCount: peerCountOf(state),
  };
}

function peerCountOf({ role }: CoreState): number {
  return role.name === "leader" ? role.progress.size : 0;
}

/**
 * Asserted after every input, in production: what holds in every state (basic) and between one
 * state and the next (delta), after raft.tla's and raftscope's checks. A few comparisons each; what
 * goes through all peers is looked at when one of them may have changed.
 */
export function assertInvariants(state: CoreState, before: CoreCheckpoint): CoreCheckpoint {
  checkBasic(state);
  checkDelta(state, before);
  const { log, role } = state;
  const peersChanged =
    role.name !== before.role ||
    log.configuration !== before.configuration ||
    log.base.index !== before.baseIndex ||
    peerCountOf(state) !== before.peerCount;
  if (peersChanged && role.name === "leader") checkPeers(state, role);
  const unchanged =
    !peersChanged &&
    state.term === before.term &&
    state.votedFor === before.votedFor &&
    state.commitIndex === before.commitIndex &&
    log.lastIndex === before.lastIndex;
  return unchanged ? before : checkpointOf(state);
}

function checkBasic(state: CoreState): void {
  const { log, commitIndex, durableIndex, writtenIndex, pending, inFlight, role } = state;
  const baseIndex = log.base.index;
  invariant(baseIndex <= commitIndex && commitIndex <= log.lastIndex, "base <= commitIndex <= lastIndex");
  invariant(durableIndex <= writtenIndex && writtenIndex <= log.lastIndex, "durable <= written <= lastIndex");
  invariant(
    baseIndex <= durableIndex || pending.base !== undefined || inFlight?.movesBase === true,
    "the base is durable, or the write that makes it so is pending or in flight",
  );
  invariant(log.lastTerm <= state.term, "no entry is of a later term than the node");
  invariant(baseIndex <= log.configurationIndex, "the configuration in force is not older than the base");
  invariant(
    writtenIndex + pending.entries.length === log.lastIndex,
    "what is neither on disk nor on its way is in the next write",
  );
  if (role.name === "leader" || role.name === "candidate") {
    invariant(state.votedFor === state.options.id, "a candidate and a leader voted for themselves");
  }
  if (role.name === "leader") {
    invariant(
      (role.changeIndex === undefined) === log.configurationIndex <= commitIndex,
      "a leader knows whether its configuration has committed",
    );
  }
}

function checkDelta(state: CoreState, before: CoreCheckpoint): void {
  invariant(state.term >= before.term, "a term never goes back");
  invariant(
    state.term > before.term || before.votedFor === undefined || state.votedFor === before.votedFor,
    "a vote is never changed within its term",
  );
  invariant(state.commitIndex >= before.commitIndex, "commitIndex never goes back");
  if (state.commitIndex > before.commitIndex && state.role.name === "leader") {
    invariant(state.log.term(state.commitIndex) === state.term, "only entries of the own term commit by counting");
  }
  invariant(state.log.base.index >= before.baseIndex, "the base never goes back");
  if (before.role === "leader" && state.role.name === "leader" && state.term === before.term) {
    invariant(state.log.lastIndex >= before.lastIndex, "a leader only appends");
  }
}

function checkPeers({ log, options }: CoreState, { progress }: Leader): void {
  for (const { id } of log.configuration.members) {
    invariant(
      id === options.id ? !progress.has(id) : progress.get(id)?.departure === undefined && progress.has(id),
      () => `a leader replicates to every other member, and ${id} is one or itself`,
    );
  }
  for (const [peer, { departure, mode, inFlightCount, matchIndex, nextIndex }] of progress) {
    invariant(
      isMember(log.configuration, peer) || departure !== undefined,
      () => `peer ${peer} is a member or departs`,
    );
    invariant(mode !== "snapshot" || inFlightCount === 0, () => `peer ${peer} waits for a snapshot and nothing else`);
    invariant(
      0 <= matchIndex && matchIndex < nextIndex && nextIndex <= log.lastIndex + 1,
      () => `0 <= matchIndex < nextIndex <= lastIndex + 1 of peer ${peer}`,
    );
  }
}
