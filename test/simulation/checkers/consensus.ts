import type { RaftCore } from "../../../src/raft/core.js";
import type { Configuration, LogIndex, NodeId, RoleName, Term } from "../../../src/raft/types.js";
import { type CommittedLog, keyOf, voterChanges } from "./committed-log.js";
import { quorumOf, type Stores, votersOf } from "./stores.js";
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
  configuration: Configuration;
  configurationIndex: LogIndex;
}

/**
 * The properties of Figure 3.2 over the whole cluster, crashed and wiped stores included, and those
 * that changes of membership rest on (§4.1). Incremental: each step looks at what it changed, so that it
 * can be asked after every step.
 */
export class Consensus {
  readonly #committed: CommittedLog;
  readonly #stores: Stores;
  readonly #report: ReportViolation;
  readonly #seen = new Map<NodeId, Seen>();
  readonly #leaders = new Map<Term, NodeId>();
  /** What precedes the entry of that index and term, wherever it is. */
  readonly #previousTerms = new Map<number, Term>();

  constructor(committed: CommittedLog, stores: Stores, report: ReportViolation) {
    this.#committed = committed;
    this.#stores = stores;
    this.#report = report;
  }

  /** After a step of the node. */
  check(node: WatchedNode): void {
    const { core } = node;
    if (core === undefined) {
      this.#seen.delete(node.id);
      return;
    }
    const seen = this.#seen.get(node.id);
    if (seen === undefined || seen.core !== core) this.#checkStart(node, core);
    else this.#checkStep(node, core, seen);
  }

  #checkStep(node: WatchedNode, core: RaftCore, seen: Seen): void {
    const { state } = core;
    const { log } = state;
    const leads = state.role.name === "leader";
    const ledBefore = seen.role === "leader" && seen.term === state.term;
    if (seen.lastIndex !== log.lastIndex || seen.lastTerm !== log.lastTerm) {
      this.#checkTail(node.id, core);
      if (leads && ledBefore && log.lastIndex < seen.lastIndex) {
        this.#report("leader append-only", `leader n${node.id} removed entries`);
      }
    }
    if (state.term < seen.term) this.#report("monotonic terms", `n${node.id} went back to term ${state.term}`);
    if (leads && !ledBefore) this.#checkLeader(node, core);
    if (leads && ledBefore && log.configurationIndex > seen.configurationIndex) this.#checkChange(node, core, seen);
    if (state.commitIndex !== seen.commitIndex) this.#checkCommit(node, core, seen);
    if (node.appliedIndex !== seen.appliedIndex) this.#checkApplied(node, core, seen.appliedIndex);
    this.#checkDurable(node, core);
    Object.assign(seen, seenOf(node, core));
  }

  #checkStart(node: WatchedNode, core: RaftCore): void {
    const { term, role } = core.state;
    this.#seen.set(node.id, seenOf(node, core));
    this.#checkPrefix(node.id, core, 0, term);
    this.#checkTail(node.id, core);
    if (role.name === "leader") this.#checkLeader(node, core);
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
    const grants = this.#stores.grants(log.configuration, { term, candidate: id });
    const voters = votersOf(log.configuration).length;
    if (grants < quorumOf(voters)) {
      this.#report("elected by a majority", `n${id} leads term ${term} with ${grants} durable votes of ${voters}`);
    }
    for (let index = log.base.index + 1; index <= this.#committed.length; index++) {
      const committed = this.#committed.termAt(index);
      if (this.#committed.committedIn(index) >= term || log.term(index) === committed) continue;
      const text = `leader n${id} of term ${term} lacks the committed entry ${index} of term ${committed}`;
      this.#report("leader completeness", text);
      return;
    }
  }

  /** The leader has appended a configuration: not before one of its term, and the change before, have committed. */
  #checkChange({ id }: WatchedNode, core: RaftCore, seen: Seen): void {
    const { term, log, role, commitIndex } = core.state;
    if (role.name !== "leader") return;
    const { configuration, configurationIndex: index } = log;
    // What was in force at a new base is no change.
    if (index === role.openingIndex || index === log.base.index) return;
    if (seen.configurationIndex > commitIndex) {
      const text = `leader n${id} changes the membership at ${index}, though its change at ${seen.configurationIndex} has not committed`;
      this.#report("one voter at a time", text);
    }
    if (commitIndex < role.openingIndex) {
      this.#report("one voter at a time", `leader n${id} changes the membership before term ${term} has opened`);
    }
    const changes = voterChanges(seen.configuration, configuration);
    if (changes > 1) this.#report("one voter at a time", `leader n${id} changes ${changes} voters at ${index}`);
  }

  #checkCommit(node: WatchedNode, core: RaftCore, { commitIndex: before, configuration }: Seen): void {
    const { state } = core;
    const { commitIndex, log } = state;
    if (commitIndex < before) this.#report("monotonic commit", `n${node.id} went back to commitIndex ${commitIndex}`);
    if (state.role.name === "leader" && log.term(commitIndex) !== state.term) {
      const text = `leader n${node.id} of term ${state.term} committed entry ${commitIndex} of term ${log.term(commitIndex)} by counting`;
      this.#report("commitment of own term", text);
    }
    const isNews = commitIndex > this.#committed.length;
    this.#checkPrefix(node.id, core, before, state.term);
    // It may have appended another configuration in the same step, afterwards.
    if (isNews) this.#checkMajority(node.id, core, [configuration, log.configuration]);
  }

  /** @param inTerm of the node that says so: the first to say so is the leader that committed it */
  #checkPrefix(id: NodeId, core: RaftCore, before: LogIndex, inTerm: Term): void {
    const { log, commitIndex } = core.state;
    for (let index = Math.max(before, log.base.index); index <= commitIndex; index++) {
      const term = log.term(index) ?? 0;
      const known = this.#committed.termAt(index);
      if (known === undefined && index === this.#committed.length + 1 && index > log.base.index) {
        this.#committed.commit(term, inTerm);
      } else if (known !== term) {
        const text = `n${id} takes entry ${index} of term ${term} for committed, others the one of term ${known}`;
        this.#report("state machine safety", text);
        return;
      }
    }
  }

  /** Committed means durable on a majority of the voters' stores, whatever anybody believes. */
  #checkMajority(id: NodeId, core: RaftCore, inForce: readonly Configuration[]): void {
    const { log, commitIndex: index } = core.state;
    const term = log.term(index) ?? 0;
    const counts = inForce.map((configuration) => {
      const voters = votersOf(configuration).length;
      return { voters, needed: quorumOf(voters), held: this.#stores.holders(configuration, { index, term }) };
    });
    if (counts.some(({ needed, held }) => held >= needed)) return;
    const disks = counts.map(({ voters, needed, held }) => `${held} of ${voters} voters' disks (${needed} are needed)`);
    const text = `n${id} takes entry ${index} of term ${term} for committed, but it is on ${[...new Set(disks)].join(" or ")}`;
    this.#report("durable majority", text);
  }

  /** Asked after every step: a write that ends may be credited with what has been replaced meanwhile (classic bug 9). */
  #checkDurable({ id, durable }: WatchedNode, { durableIndex: index, state: { log } }: RaftCore): void {
    // Below its base it has committed, and a snapshot may be about to take its place.
    const term = log.term(index) ?? this.#committed.termAt(index);
    if (term !== undefined && durable.holds({ index, term })) return;
    const text = `n${id} takes entry ${index} of term ${term} for durable, its disk holds ${durable.termAt(index)} and ends at ${durable.lastIndex}`;
    this.#report("durableIndex is true", text);
  }

  #checkApplied(node: WatchedNode, core: RaftCore, before: LogIndex): void {
    const { appliedIndex, durable } = node;
    if (appliedIndex < before) this.#report("monotonic apply", `n${node.id} went back to lastApplied ${appliedIndex}`);
    if (appliedIndex > core.commitIndex || appliedIndex > durable.lastIndex) {
      const text = `n${node.id} applied entry ${appliedIndex}, committed ${core.commitIndex}, durable ${durable.lastIndex}`;
      this.#report("apply within the durable log", text);
    } else if (durable.termAt(appliedIndex) !== this.#committed.termAt(appliedIndex)) {
      this.#report(
        "state machine safety",
        `n${node.id} applied an entry ${appliedIndex} that is not the committed one`,
      );
    }
  }
}

function seenOf(node: WatchedNode, core: RaftCore): Seen {
  const { term, role, commitIndex, log } = core.state;
  const { lastIndex, lastTerm, configuration, configurationIndex } = log;
  const { appliedIndex } = node;
  return {
    core,
    term,
    role: role.name,
    commitIndex,
    lastIndex,
    lastTerm,
    appliedIndex,
    configuration,
    configurationIndex,
  };
}
