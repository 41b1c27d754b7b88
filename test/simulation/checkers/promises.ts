import type { LogIndex, NodeId, Term } from "../../../src/raft/types.js";
import type { PeerMessage } from "../../../src/transport/transport.js";
import type { ReportViolation } from "./violation.js";
import type { WatchedNode } from "./watched-node.js";

/** No message promises what is not on its sender's disk (§3.8); no node votes twice in a term. */
export class Promises {
  readonly #report: ReportViolation;
  /** Whom each store was seen voting for, by term, over all lives of its node. */
  readonly #votes = new Map<string, Map<Term, NodeId>>();

  constructor(report: ReportViolation) {
    this.#report = report;
  }

  /** The message leaves the node now. */
  check(sender: WatchedNode, message: PeerMessage): void {
    const { id } = sender;
    switch (message.type) {
      case "voteReply":
        if (message.preVote) return;
        // A refusal promises nothing; even its term is only hearsay.
        if (!message.granted) return;
        this.#checkTerm(sender, message.type, message.term);
        this.#checkVote(sender, message.term, message.to);
        return;
      case "voteRequest":
        if (message.preVote) return;
        this.#checkTerm(sender, message.type, message.term);
        this.#checkVote(sender, message.term, id);
        return;
      case "appendReply": {
        const { outcome } = message;
        if (outcome.kind !== "match") return;
        this.#checkTerm(sender, message.type, message.term);
        this.#checkMatch(sender, outcome.matchIndex);
        return;
      }
      case "appendRequest":
      case "installSnapshot":
        this.#checkTerm(sender, message.type, message.term);
        return;
    }
  }

  /** The very entry, where the sender's log still tells which: as long a log may hold another one. */
  #checkMatch({ id, core, durable }: WatchedNode, index: LogIndex): void {
    const term = core?.termAt(index);
    if (term === undefined ? index <= durable.lastIndex : durable.holds({ index, term })) return;
    const text = `n${id} acknowledges entry ${index} of term ${term}, its disk holds ${durable.termAt(index)} and ends at ${durable.lastIndex}`;
    this.#report("durable before promised", text);
  }

  #checkTerm({ id, durable }: WatchedNode, type: string, term: Term): void {
    if (durable.hardState.term >= term) return;
    const text = `n${id} sends a ${type} of term ${term}, its disk says ${durable.hardState.term}`;
    this.#report("durable before promised", text);
  }

  #checkVote({ id, storeId, durable }: WatchedNode, term: Term, candidate: NodeId): void {
    const { votedFor, term: durableTerm } = durable.hardState;
    if (durableTerm === term && votedFor !== candidate) {
      this.#report(
        "durable before promised",
        `n${id} votes for n${candidate} in term ${term}, its disk says n${votedFor}`,
      );
    }
    const votes = this.#votes.get(storeId) ?? new Map<Term, NodeId>();
    const earlier = votes.get(term);
    if (earlier !== undefined && earlier !== candidate) {
      this.#report("one vote per term", `n${id} voted for n${earlier} and n${candidate} in term ${term}`);
    }
    votes.set(term, candidate);
    this.#votes.set(storeId, votes);
  }
}
