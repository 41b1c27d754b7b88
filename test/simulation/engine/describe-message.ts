import { unreachable } from "../../../src/assert.js";
import type { AppendReply } from "../../../src/raft/types.js";
import type { PeerMessage } from "../../../src/transport/transport.js";

/** One message in a few words, for a trace. */
export function describeMessage(message: PeerMessage): string {
  switch (message.type) {
    case "voteRequest": {
      const { preVote, term, lastLogIndex, lastLogTerm, leadershipTransfer } = message;
      const how = leadershipTransfer ? " (handed over)" : "";
      return `${preVote ? "poll" : "voteRequest"} t${term} last=${lastLogIndex}/t${lastLogTerm}${how}`;
    }
    case "voteReply": {
      const { preVote, term, granted } = message;
      return `${preVote ? "pollReply" : "voteReply"} t${term} ${granted ? "granted" : "refused"}`;
    }
    case "appendRequest": {
      const { term, prevLogIndex, prevLogTerm, leaderCommit, round, entries } = message;
      const list = entries.map((entry) => `${entry.index}/t${entry.term}`).join(" ");
      return `append t${term} after ${prevLogIndex}/t${prevLogTerm} commit=${leaderCommit} round=${round} [${list}]`;
    }
    case "appendReply": {
      const { term, round, outcome } = message;
      return `appendReply t${term} round=${round} ${describeOutcome(outcome)}`;
    }
    case "installSnapshot": {
      const { term, lastIncludedIndex, lastIncludedTerm, round } = message;
      return `installSnapshot t${term} least=${lastIncludedIndex}/t${lastIncludedTerm} round=${round}`;
    }
    case "timeoutNow":
      return `timeoutNow t${message.term}`;
    case "readRequest":
      return `readRequest t${message.term} read=${message.readId}`;
    case "readReply":
      return `readReply t${message.term} read=${message.readId} index=${message.readIndex}`;
    case "hello":
      return `hello store=${message.storeId.slice(0, 6)} cluster=${message.clusterId.slice(0, 6) || "none"}`;
    case "forward":
      return `forward #${message.forwardId} with ${message.commandCount} commands`;
    case "forwardRejected":
      return `forwardRejected #${message.forwardId} ${message.reason}`;
    case "status":
      return `status ${message.role} t${message.term} applied=${message.appliedIndex}`;
    default:
      return unreachable(message);
  }
}

function describeOutcome(outcome: AppendReply["outcome"]): string {
  if (outcome.kind === "match") return `match=${outcome.matchIndex}`;
  if (outcome.kind === "installing") return "installing";
  return `conflict at ${outcome.rejectedIndex}, hint ${outcome.hintIndex}/t${outcome.hintTerm}`;
}
