import { invariant } from "../assert.js";
import { advanceCommit, hearLeader, replyMatch } from "./following.js";
import { isSameConfiguration } from "./quorum.js";
import { adoptTerm, becomeFollower, reportConfiguration } from "./role-changes.js";
import { type CoreState, isHardStateDurable, leaderOf, report, sendWhenDurable } from "./state.js";
import {
  type AppendReply,
  type InstalledSnapshot,
  type InstallOutcome,
  type InstallSnapshot,
  type LogCut,
  type LogIndex,
  NO_ROUND,
} from "./types.js";

/**
 * The leader cannot send what this node needs next (§5.2). What is committed here, and what the log
 * holds already, need not be fetched: the answer is a match, as to a heartbeat.
 */
export function receiveInstallSnapshot(state: CoreState, message: InstallSnapshot): void {
  hearLeader(state, message.from);
  const { lastIncludedIndex, lastIncludedTerm } = message;
  // The leader has committed it, and where the term is the same, so is everything before (Log Matching).
  if (state.log.term(lastIncludedIndex) === lastIncludedTerm) advanceCommit(state, lastIncludedIndex);
  if (lastIncludedIndex <= state.commitIndex) {
    // Committed here, in this term or an earlier one: so it is the leader's too (Leader Completeness).
    replyMatch(state, message, state.commitIndex);
    return;
  }
  invariant(lastIncludedTerm <= state.term, "no entry is of a later term than its leader");
  state.effects.snapshotWanted = { from: message.from, least: lastIncludedIndex };
  const reply: AppendReply = {
    type: "appendReply",
    from: state.options.id,
    to: message.from,
    term: state.term,
    round: message.round,
    outcome: { kind: "installing" },
  };
  // It promises nothing but the term.
  if (isHardStateDurable(state)) state.effects.send.push(reply);
  else sendWhenDurable(state, reply);
}

/**
 * The host has durably built a state that contains everything up to `snapshot.position`; the next
 * write puts it in force.
 */
export function installSnapshot(state: CoreState, snapshot: InstalledSnapshot): InstallOutcome {
  const { position, term, configuration, stateGeneration } = snapshot;
  invariant(position.term <= term, "no entry is of a later term than the node that sent it");
  // A leader holds whatever committed before its term, and commits the rest itself.
  if (position.index <= state.commitIndex || state.role.name === "leader") return "overtaken";
  if (term > state.term) adoptTerm(state, term, "a snapshot from a higher term");
  // What it asked votes for may be gone.
  else if (state.role.name !== "follower") becomeFollower(state, undefined, "a snapshot was installed");
  const configurationBefore = state.log.configuration;
  // Where the log holds that very entry, what follows it stays (§5.2); else all of it is shorter or divergent.
  const keepsTail = state.log.term(position.index) === position.term;
  if (keepsTail) keepAfter(state, snapshot);
  else replaceLog(state, snapshot);
  state.commitIndex = position.index;
  moveBase(state, { position, configuration, keepsTail, stateGeneration });
  if (state.log.configuration !== configurationBefore) reportConfiguration(state);
  tellMatch(state, position.index);
  return keepsTail ? "tailKept" : "logReplaced";
}

/** The log goes on after the entry, which may not have been written yet. */
function keepAfter(state: CoreState, { position: { index }, configuration }: InstalledSnapshot): void {
  const { log, pending } = state;
  log.compact(index);
  invariant(
    isSameConfiguration(log.configurationAt(index), configuration),
    () => `one configuration is in force at ${index}`,
  );
  pending.entries = pending.entries.filter((entry) => entry.index > index);
  state.effects.appended = state.effects.appended.filter((entry) => entry.index > index);
  state.writtenIndex = Math.max(state.writtenIndex, index);
}

/**
 * The log begins anew (classic bug 14). Until the write is done, the disk holds the old log, and of that only what
 * had committed here is worth anything; a write of it that is in flight earns nothing more (classic bug 9).
 */
function replaceLog(state: CoreState, { position, configuration }: InstalledSnapshot): void {
  const { log, pending, commitIndex } = state;
  if (log.lastIndex >= position.index) report(state, { kind: "truncated", from: commitIndex + 1, to: log.lastIndex });
  log.reset(position, configuration);
  pending.entries = [];
  pending.truncateFrom = undefined;
  state.effects.appended = [];
  state.durableIndex = Math.min(state.durableIndex, commitIndex);
  if (state.inFlight !== undefined) state.inFlight.lastIndex = Math.min(state.inFlight.lastIndex, state.durableIndex);
  state.writtenIndex = position.index;
}

/** Tells the leader, once it is durable, so that it need not wait for its next heartbeat to be answered. */
function tellMatch(state: CoreState, matchIndex: LogIndex): void {
  const leader = leaderOf(state);
  if (leader === undefined) return;
  sendWhenDurable(state, {
    type: "appendReply",
    from: state.options.id,
    to: leader,
    term: state.term,
    round: NO_ROUND,
    outcome: { kind: "match", matchIndex },
  });
}

/** The state is durable up to `index` without the log: what lies at or below it goes with the next write (§5.1). */
export function compactLog(state: CoreState, index: LogIndex): void {
  const { log } = state;
  if (index <= log.base.index) return;
  invariant(index <= state.commitIndex && index <= state.durableIndex, "only what may be applied is compacted");
  log.compact(index);
  const configuration = log.configurationAt(index);
  moveBase(state, { position: log.base, configuration, keepsTail: true, stateGeneration: undefined });
}

/** Joins the cut that waits for the next write, if there is one: the later one counts, and what either says goes. */
function moveBase(
  { pending }: CoreState,
  cut: Pick<LogCut, "position" | "configuration" | "keepsTail"> & { readonly stateGeneration: number | undefined },
): void {
  const { position, configuration } = cut;
  const keepsTail = cut.keepsTail && pending.base?.keepsTail !== false;
  const stateGeneration = cut.stateGeneration ?? pending.base?.stateGeneration;
  pending.base = {
    position,
    configuration,
    keepsTail,
    ...(stateGeneration === undefined ? {} : { stateGeneration }),
  };
}
