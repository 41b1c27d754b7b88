import { invariant } from "../assert.js";
import { advanceCommit, hearLeader, replyMatch } from "./following.js";
import { type CoreState, isHardStateDurable, sendWhenDurable } from "./state.js";
import type { AppendReply, InstallSnapshot } from "./types.js";

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
