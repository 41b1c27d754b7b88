import { majority, voterIds } from "../../src/raft/quorum.js";
import type { Effects } from "../../src/raft/state.js";
import type { Entry, LogIndex, NodeId, RaftMessage, Term } from "../../src/raft/types.js";
import type { CoreNode } from "./core-node.js";

export class CheckFailure extends Error {
  override readonly name = "CheckFailure";
}

function check(condition: boolean, property: string, details: () => string): asserts condition {
  if (!condition) throw new CheckFailure(`${property}: ${details()}`);
}

/**
 * What must hold over the whole cluster, checked after every step (Figure 3.2 of the dissertation,
 * and that nothing is promised before it is on disk). An entry is one object wherever it is, so "the
 * same entry" means the same reference.
 */
export class ClusterChecks {
  readonly #nodes: readonly CoreNode[];
  readonly #leaders = new Map<Term, NodeId>();
  readonly #entries = new Map<string, { readonly entry: Entry; readonly before: Entry | undefined }>();
  /** committed[i] is the entry that somebody has committed at index i + 1. */
  readonly committed: Entry[] = [];
  /** In which term the entry at index i + 1 was committed first. */
  readonly #committedIn: Term[] = [];
  /** By node: up to where its commits were compared, and in which of its lives' logs. */
  readonly #comparedCommit = new Map<NodeId, LogIndex>();

  constructor(nodes: readonly CoreNode[]) {
    this.#nodes = nodes;
  }

  /** A node starts from a log that was written by hand (scenarios): its entries are known from now on. */
  know(log: readonly Entry[]): void {
    for (const [place, entry] of log.entries()) this.#logMatching(entry, log[place - 1]);
  }

  restarted(node: CoreNode): void {
    this.#comparedCommit.set(node.id, 0);
    this.#commits(node);
  }

  /** After every turn of a node. */
  turned(node: CoreNode, effects: Effects, messages: readonly RaftMessage[]): void {
    for (const entry of effects.appended) {
      // An entry that was replaced within the turn is not in the log any more.
      if (node.log[entry.index - 1] === entry) this.#logMatching(entry, node.log[entry.index - 2]);
    }
    this.#commits(node);
    this.#durability(node);
    for (const message of messages) this.#promise(node, message);
    if (node.core.roleName === "leader") this.#leader(node);
  }

  #logMatching(entry: Entry, before: Entry | undefined): void {
    const key = `${entry.index}/${entry.term}`;
    const known = this.#entries.get(key);
    if (known === undefined) this.#entries.set(key, { entry, before });
    else {
      check(known.entry === entry && known.before === before, "Log Matching", () => `two logs differ at entry ${key}`);
    }
  }

  #commits(node: CoreNode): void {
    const { core } = node;
    const compared = this.#comparedCommit.get(node.id) ?? 0;
    check(core.commitIndex >= compared, "monotonic commit", () => `node ${node.id} went back to ${core.commitIndex}`);
    for (let index = compared + 1; index <= core.commitIndex; index++) {
      const own = node.log[index - 1];
      check(own !== undefined, "what is committed is in the log", () => `node ${node.id}, entry ${index}`);
      const known = this.committed[index - 1];
      if (known === undefined) this.#firstCommit(node, own);
      else {
        check(known === own, "State Machine Safety", () => `node ${node.id} differs at committed entry ${index}`);
      }
    }
    this.#comparedCommit.set(node.id, core.commitIndex);
    check(
      core.applicableIndex <= node.disk.entries.length && node.appliedIndex <= core.commitIndex,
      "apply never passes the disk",
      () => `node ${node.id} at ${core.applicableIndex}`,
    );
  }

  #firstCommit(node: CoreNode, entry: Entry): void {
    const voters = voterIds(node.core.configuration);
    const holders = this.#nodes.filter(
      ({ id, disk }) => voters.includes(id) && disk.entries[entry.index - 1] === entry,
    ).length;
    check(
      holders >= majority(voters.length),
      "what commits is on the disks of a majority",
      () => `entry ${entry.index}/${entry.term} is on ${holders} of ${voters.length}`,
    );
    this.committed.push(entry);
    this.#committedIn.push(node.core.term);
  }

  #durability(node: CoreNode): void {
    const { durableIndex } = node.core;
    check(
      durableIndex === 0 || node.disk.entries[durableIndex - 1] === node.log[durableIndex - 1],
      "durableIndex is on disk",
      () => `node ${node.id} at ${durableIndex}`,
    );
  }

  /** Nothing leaves that promises what is not on this node's disk (§3.8). */
  #promise(node: CoreNode, message: RaftMessage): void {
    const { hardState, entries } = node.disk;
    const onDisk = (holds: boolean) =>
      check(holds, "durable before promised", () => `node ${node.id} sends ${JSON.stringify(message)}`);
    if (message.type === "voteReply" && message.granted && !message.preVote) {
      onDisk(hardState.term === message.term && hardState.votedFor === message.to);
    } else if (message.type === "voteRequest" && !message.preVote) {
      onDisk(hardState.term === message.term && hardState.votedFor === node.id);
      onDisk(entries.length >= message.lastLogIndex);
    } else if (message.type === "appendRequest") {
      onDisk(hardState.term === message.term && hardState.votedFor === node.id);
    } else if (message.type === "appendReply" && message.outcome.kind === "match") {
      const { matchIndex } = message.outcome;
      onDisk(hardState.term === message.term);
      onDisk(matchIndex === 0 || entries[matchIndex - 1] === node.log[matchIndex - 1]);
    }
  }

  #leader(node: CoreNode): void {
    const { term, state } = node.core;
    const known = this.#leaders.get(term);
    if (known === undefined) {
      this.#leaders.set(term, node.id);
      for (const [place, entry] of this.committed.entries()) {
        // Late votes may still make a leader of a term that others have left behind: it owes nothing to later ones.
        if ((this.#committedIn[place] ?? 0) >= term) break;
        const own = node.log[place];
        check(own === entry, "Leader Completeness", () => `leader ${node.id} of term ${term} lacks ${entry.index}`);
      }
    } else check(known === node.id, "Election Safety", () => `${known} and ${node.id} both lead term ${term}`);
    if (state.role.name !== "leader") return;
    for (const [peer, { matchIndex, nextIndex }] of state.role.progress) {
      const disk = this.#nodes.find(({ id }) => id === peer)?.disk;
      // A deposed leader that does not know it yet may believe in what a later term has truncated.
      const isDeposed = disk !== undefined && disk.hardState.term > term;
      check(
        isDeposed || matchIndex === 0 || disk?.entries[matchIndex - 1] === node.log[matchIndex - 1],
        "matchIndex is on the peer's disk",
        () => `leader ${node.id} believes ${peer} to be at ${matchIndex}`,
      );
      check(
        0 <= matchIndex && matchIndex < nextIndex && nextIndex <= node.log.length + 1,
        "0 <= matchIndex < nextIndex <= lastIndex + 1",
        () => `${matchIndex}, ${nextIndex} of peer ${peer} at leader ${node.id} of ${node.log.length} entries`,
      );
    }
  }
}
