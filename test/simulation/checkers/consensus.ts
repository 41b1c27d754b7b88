import type { RaftCore } from "../../../src/raft/core.js";
import { majority } from "../../../src/raft/quorum.js";
import type { Entry, LogIndex, NodeId, RoleName, Term } from "../../../src/raft/types.js";
import { isSameEntry } from "./durable-log.js";
import type { ReportViolation } from "./violation.js";
import type { WatchedNode } from "./watched-node.js";

/** What a node was like after its last step. */
interface Seen {
  core: RaftCore | undefined;
  term: Term;
  role: RoleName;
  commitIndex: LogIndex;
  lastIndex: LogIndex;
  lastTerm: Term;
  appliedIndex: LogIndex;
}

/**
 * The properties of Figure 3.2 over the whole cluster, crashed nodes' disks included. Incremental:
 * each step looks at what it changed, so that it can be asked after every step.
 */
export class Consensus {
  readonly #nodes: readonly WatchedNode[];
  readonly #report: ReportViolation;
  readonly #seen = new Map<NodeId, Seen>();
  readonly #leaders = new Map<Term, NodeId>();
  /** Term of every committed entry; [0] belongs to entry 1. */
  readonly #committed: Term[] = [];
  /** In which term each was committed: whoever leads in a later one holds it. */
  readonly #committedIn: Term[] = [];
  /** What precedes the entry of that index and term, wherever it is. */
  readonly #previousTerms = new Map<number, Term>();
  readonly #entries = new Map<number, Entry>();

  constructor(nodes: readonly WatchedNode[], report: ReportViolation) {
    this.#nodes = nodes;
    this.#report = report;
  }

  get committedCount(): number {
    return this.#committed.length;
  }

  /** Entries on their way to a disk: equal index and term mean an equal entry (Log Matching). */
  entryWritten(entry: Entry): void {
    const key = keyOf(entry.index, entry.term);
    const known = this.#entries.get(key);
    if (known === undefined) this.#entries.set(key, entry);
    else if (!isSameEntry(known, entry)) {
      this.#report("log matching", `two entries ${entry.index} of term ${entry.term} differ`);
    }
  }

  /** The committed entry of that index, once it was on its way to some disk. */
  committedEntry(index: LogIndex): Entry | undefined {
    const term = this.#committed[index - 1];
    return term === undefined ? undefined : this.#entries.get(keyOf(index, term));
  }

  /** After a step of the node. */
  check(node: WatchedNode): void {
    const { core } = node;
    if (core === undefined) {
      this.#seen.delete(node.id);
      return;
    }
    const { state } = core;
    const { log } = state;
    const seen = this.#seen.get(node.id);
    if (seen === undefined || seen.core !== core) {
      this.#checkStart(node, core);
      return;
    }
    const isTailNew = seen.lastIndex !== log.lastIndex || seen.lastTerm !== log.lastTerm;
    if (isTailNew) this.#checkTail(node.id, core);
    if (isTailNew && seen.role === "leader" && state.role.name === "leader" && seen.term === state.term) {
      if (log.lastIndex < seen.lastIndex) this.#report("leader append-only", `leader n${node.id} removed entries`);
    }
    if (state.term < seen.term) this.#report("monotonic terms", `n${node.id} went back to term ${state.term}`);
    if (state.role.name === "leader" && (seen.role !== "leader" || seen.term !== state.term))
      this.#checkLeader(node, core);
    if (state.commitIndex !== seen.commitIndex) this.#checkCommit(node, core, seen.commitIndex);
    if (node.appliedIndex !== seen.appliedIndex) this.#checkApplied(node, core, seen.appliedIndex);
    seen.term = state.term;
    seen.role = state.role.name;
    seen.commitIndex = state.commitIndex;
    seen.lastIndex = log.lastIndex;
    seen.lastTerm = log.lastTerm;
    seen.appliedIndex = node.appliedIndex;
  }

  #checkStart(node: WatchedNode, core: RaftCore): void {
    const { state } = core;
    const { commitIndex, term, log } = state;
    this.#seen.set(node.id, {
      core,
      term,
      role: state.role.name,
      commitIndex,
      lastIndex: log.lastIndex,
      lastTerm: log.lastTerm,
      appliedIndex: node.appliedIndex,
    });
    for (let index = 1; index <= commitIndex; index++) this.#checkCommitted(node.id, index, log.term(index) ?? 0, term);
    this.#checkTail(node.id, core);
    if (state.role.name === "leader") this.#checkLeader(node, core);
  }

  #checkTail(id: NodeId, core: RaftCore): void {
    const { log, commitIndex } = core.state;
    for (let index = commitIndex + 1; index <= log.lastIndex; index++) {
      const term = log.term(index) ?? 0;
      const previous = log.term(index - 1) ?? 0;
      const key = keyOf(index, term);
      const known = this.#previousTerms.get(key);
      if (known === undefined) this.#previousTerms.set(key, previous);
      else if (known !== previous) {
        const text = `before entry ${index} of term ${term}, n${id} holds term ${previous} and another node ${known}`;
        this.#report("log matching", text);
      }
    }
  }

  #checkLeader({ id }: WatchedNode, core: RaftCore): void {
    const { term, log } = core.state;
    const other = this.#leaders.get(term);
    if (other !== undefined && other !== id) {
      this.#report("election safety", `n${other} and n${id} both lead in term ${term}`);
    }
    this.#leaders.set(term, id);
    for (const [place, committed] of this.#committed.entries()) {
      if ((this.#committedIn[place] ?? 0) >= term || log.term(place + 1) === committed) continue;
      const text = `leader n${id} of term ${term} lacks the committed entry ${place + 1} of term ${committed}`;
      this.#report("leader completeness", text);
      return;
    }
  }

  #checkCommit(node: WatchedNode, core: RaftCore, before: LogIndex): void {
    const { state } = core;
    const { commitIndex, log } = state;
    if (commitIndex < before) this.#report("monotonic commit", `n${node.id} went back to commitIndex ${commitIndex}`);
    if (state.role.name === "leader" && log.term(commitIndex) !== state.term) {
      const text = `leader n${node.id} of term ${state.term} committed entry ${commitIndex} of term ${log.term(commitIndex)} by counting`;
      this.#report("commitment of own term", text);
    }
    for (let index = before + 1; index <= commitIndex; index++) {
      this.#checkCommitted(node.id, index, log.term(index) ?? 0, state.term);
    }
    this.#checkMajority(node.id, commitIndex, log.term(commitIndex) ?? 0);
  }

  /** @param inTerm of the node that says so: the first to say so is the leader that committed it */
  #checkCommitted(id: NodeId, index: LogIndex, term: Term, inTerm: Term): void {
    const known = this.#committed[index - 1];
    if (known === undefined && index === this.#committed.length + 1) {
      this.#committed.push(term);
      this.#committedIn.push(inTerm);
    } else if (known !== term) {
      const text = `n${id} takes entry ${index} of term ${term} for committed, others the one of term ${known}`;
      this.#report("state machine safety", text);
    }
  }

  /** Committed means durable on a majority, whatever anybody believes. */
  #checkMajority(id: NodeId, index: LogIndex, term: Term): void {
    let holders = 0;
    for (const { durable } of this.#nodes) if (durable.termAt(index) === term) holders++;
    if (holders >= majority(this.#nodes.length)) return;
    const text = `n${id} takes entry ${index} of term ${term} for committed, but only ${holders} disks hold it`;
    this.#report("durable majority", text);
  }

  #checkApplied(node: WatchedNode, core: RaftCore, before: LogIndex): void {
    const { appliedIndex, durable } = node;
    if (appliedIndex < before) this.#report("monotonic apply", `n${node.id} went back to lastApplied ${appliedIndex}`);
    if (appliedIndex > core.commitIndex || appliedIndex > durable.lastIndex) {
      const text = `n${node.id} applied entry ${appliedIndex}, committed ${core.commitIndex}, durable ${durable.lastIndex}`;
      this.#report("apply within the durable log", text);
    } else if (durable.termAt(appliedIndex) !== this.#committed[appliedIndex - 1]) {
      this.#report(
        "state machine safety",
        `n${node.id} applied an entry ${appliedIndex} that is not the committed one`,
      );
    }
  }
}

/** Terms of a run stay far below 2^20. */
function keyOf(index: LogIndex, term: Term): number {
  return index * 1_048_576 + term;
}
