import { unreachable } from "../../src/assert.js";
import type { RaftMessage } from "../../src/raft/types.js";

/** A message as stories write it. Positions are index/term. */
export function wording(message: RaftMessage): string {
  switch (message.type) {
    case "voteRequest": {
      const end = `log ends ${message.lastLogIndex}/${message.lastLogTerm}`;
      return `${message.preVote ? "poll" : "vote"} for term ${message.term}, ${end}`;
    }
    case "voteReply":
      return `${message.preVote ? "poll" : "vote"} ${message.granted ? "yes" : "no"} in term ${message.term}`;
    case "appendRequest": {
      const entries = message.entries.map(({ index, term }) => `${index}/${term}`).join(" ");
      const what = entries === "" ? "nothing" : entries;
      return `append ${what} after ${message.prevLogIndex}/${message.prevLogTerm}, commit ${message.leaderCommit}`;
    }
    case "appendReply": {
      const { outcome } = message;
      if (outcome.kind === "match") return `match ${outcome.matchIndex}`;
      if (outcome.kind === "installing") return "installing";
      return `conflict at ${outcome.rejectedIndex}, hint ${outcome.hintIndex}/${outcome.hintTerm}`;
    }
    case "installSnapshot":
      return `fetch a snapshot to at least ${message.lastIncludedIndex}/${message.lastIncludedTerm}`;
    case "timeoutNow":
      return "stand now";
    case "readRequest":
      return "read request";
    case "readReply":
      return `read at ${message.readIndex}`;
    default:
      return unreachable(message);
  }
}
