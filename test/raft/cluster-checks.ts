import type { Effects } from "../../src/raft/state.js";
import type { Configuration, Entry, LogIndex, NodeId, RaftMessage, Term } from "../../src/raft/types.js";
import type { CoreNode } from "./core-node.js";
import { configurationAt, entryAt, type LogContent, lastIndexOf } from "./log-content.js";

export class CheckFailure extends Error {
  override readonly name = "CheckFailure";
}

function check(condition: boolean, property: string, details: () => string): asserts condition {
  if (!condition) throw new CheckFailure(`${property}: ${details()}`);
}

/** Counted here, and not by the product's own functions: they would agree with their own mistakes. */
function votersIn({ members }: Configuration): NodeId[] {
  return members.filter(({ kind }) => kind === "voter").map(({ id }) => id);
}

/** Not one that was removed and set up anew since: what the former store held cannot be seen any more. */
function holdsSeat({ core }: CoreNode, { id, storeId }: CoreNode): boolean {
  return core.configuration.members.some((member) => member.id === id && member.storeId === storeId);
}

/**
 * What must hold over the whole cluster, checked after every step (Figure 3.2 of the dissertation,
 * and that nothing is promised before it is on disk). An entry is one object wherever it is, so "the
 * same entry" means the same reference.
 */
export class ClusterChecks {
  readonly #nodes: readonly CoreNode[];
  readonly #leaders = new Map<Term, NodeId>();
  readonly #entries = new Map<string, { readonly entry: Entry; before: Entry | undefined }>();
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
  know({ entries }: LogContent): void {
    for (const [place, entry] of entries.entries()) this.#logMatching(entry, entries[place - 1]);
  }

  restarted(node: CoreNode): void {
    this.#comparedCommit.set(node.id, 0);
    this.#commits(node);
  }

  /** After every turn of a node. */
  turned(node: CoreNode, effects: Effects, messages: readonly RaftMessage[]): void {
    for (const entry of effects.appended) {
      // An entry that was replaced within the turn is not in the log any more.
      if (entryAt(node.log, entry.index) === entry) this.#logMatching(entry, entryAt(node.log, entry.index - 1));
    }
    this.#commits(node);
    this.#durability(node);
    this.#configuration(node);
    for (const message of messages) this.#promise(node, message);
    if (node.core.roleName === "leader") this.#leader(node);
  }

  #logMatching(entry: Entry, before: Entry | undefined): void {
    const key = `${entry.index}/${entry.term}`;
    const known = this.#entries.get(key);
    if (known === undefined) {
      this.#entries.set(key, { entry, before });
      return;
    }
    // Unknown where the log begins with this entry.
    known.before ??= before;
    const isSame = known.entry === entry && (before === undefined || known.before === before);
    check(isSame, "Log Matching", () => `two logs differ at entry ${key}`);
  }

  #commits(node: CoreNode): void {
    const { core, log } = node;
    const compared = this.#comparedCommit.get(node.id) ?? 0;
    check(core.commitIndex >= compared, "monotonic commit", () => `node ${node.id} went back to ${core.commitIndex}`);
    for (let index = compared + 1; index <= core.commitIndex; index++) {
      if (index <= log.base.index) {
        // It was cut away, or came as a snapshot: somebody else has committed it before.
        check(index <= this.committed.length, "a snapshot holds what is committed", () => `node ${node.id}, ${index}`);
        continue;
      }
      const own = entryAt(log, index);
      check(own !== undefined, "what is committed is in the log", () => `node ${node.id}, entry ${index}`);
      const known = this.committed[index - 1];
      if (known === undefined) this.#firstCommit(node, own);
      else {
        check(known === own, "State Machine Safety", () => `node ${node.id} differs at committed entry ${index}`);
      }
    }
    this.#comparedCommit.set(node.id, core.commitIndex);
    this.#base(node, log);
    this.#base(node, node.disk);
    const { durable, applied } = { durable: lastIndexOf(node.disk), applied: node.appliedIndex };
    check(
      core.applicableIndex <= durable && applied <= core.commitIndex && applied <= durable,
      "apply never passes the disk",
      () => `node ${node.id} at ${core.applicableIndex}`,
    );
    check(
      node.checkpointIndex >= node.disk.base.index,
      "the state in force holds all that the log does not",
      () => `node ${node.id}: state at ${node.checkpointIndex}, log from ${node.disk.base.index}`,
    );
  }

  /** A log begins after a committed entry. */
  #base(node: CoreNode, { base }: LogContent): void {
    const known = this.committed[base.index - 1];
    check(base.index === 0 || known?.term === base.term, "a log begins after a committed entry", () => {
      return `node ${node.id} after ${base.index}/${base.term}`;
    });
  }

  #firstCommit(node: CoreNode, entry: Entry): void {
    const voters = votersIn(node.core.configuration);
    const holders = this.#nodes.filter(
      (other) => voters.includes(other.id) && (entryAt(other.disk, entry.index) === entry || !holdsSeat(node, other)),
    );
    check(
      2 * holders.length > voters.length,
      "what commits is on the disks of a majority",
      () => `entry ${entry.index}/${entry.term} is on ${holders.length} of ${voters.length}`,
    );
    this.committed.push(entry);
    this.#committedIn.push(node.core.term);
  }

  /** Whether a log holds, in itself or in the state below it, what another one holds at an index. */
  #holds(log: LogContent, index: LogIndex, other: LogContent): boolean {
    if (index === 0 || index <= log.base.index) return true;
    const expected = entryAt(other, index) ?? this.committed[index - 1];
    return expected !== undefined && entryAt(log, index) === expected;
  }

  #durability(node: CoreNode): void {
    const { durableIndex } = node.core;
    check(
      this.#holds(node.disk, durableIndex, node.log),
      "durableIndex is on disk",
      () => `node ${node.id} at ${durableIndex}`,
    );
  }

  /** In force is the newest one in the log, and one change of a voter after the one before (bugs 12 and 13). */
  #configuration(node: CoreNode): void {
    const { core, log } = node;
    const newest = configurationAt(log, lastIndexOf(log));
    check(core.configuration === newest, "a configuration is in force from append to truncation", () => {
      return `node ${node.id} goes by ${JSON.stringify(core.configuration)}`;
    });
    // A newcomer goes by what it heard, until its first snapshot.
    let before: Configuration | undefined = log.base.index === 0 ? undefined : log.baseConfiguration;
    for (const { index, body } of log.entries) {
      if (body.kind !== "configuration") continue;
      before ??= body.configuration;
      const [old, next] = [votersIn(before), votersIn(body.configuration)];
      const changed = [...old.filter((id) => !next.includes(id)), ...next.filter((id) => !old.includes(id))];
      check(changed.length <= 1, "one voter at a time", () => `node ${node.id}, entry ${index}`);
      before = body.configuration;
    }
  }

  /** Nothing leaves that promises what is not on this node's disk (§3.8). */
  #promise(node: CoreNode, message: RaftMessage): void {
    const { disk } = node;
    const { hardState } = disk;
    const onDisk = (holds: boolean) =>
      check(holds, "durable before promised", () => `node ${node.id} sends ${JSON.stringify(message)}`);
    if (message.type === "voteReply" && message.granted && !message.preVote) {
      onDisk(hardState.term === message.term && hardState.votedFor === message.to);
    } else if (message.type === "voteRequest" && !message.preVote) {
      onDisk(hardState.term === message.term && hardState.votedFor === node.id);
      onDisk(lastIndexOf(disk) >= message.lastLogIndex);
    } else if (message.type === "appendRequest" || message.type === "installSnapshot") {
      onDisk(hardState.term === message.term && hardState.votedFor === node.id);
    } else if (message.type === "appendReply" && message.outcome.kind === "match") {
      onDisk(hardState.term === message.term);
      onDisk(this.#holds(disk, message.outcome.matchIndex, node.log));
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
        check(
          entry.index <= node.log.base.index || entryAt(node.log, entry.index) === entry,
          "Leader Completeness",
          () => `leader ${node.id} of term ${term} lacks ${entry.index}`,
        );
      }
    } else check(known === node.id, "Election Safety", () => `${known} and ${node.id} both lead term ${term}`);
    if (state.role.name !== "leader") return;
    for (const [peer, { matchIndex, nextIndex, mode, inFlightCount }] of state.role.progress) {
      const other = this.#nodes.find(({ id }) => id === peer);
      if (other !== undefined && !holdsSeat(node, other)) continue;
      const disk = other?.disk;
      // A deposed leader that does not know it yet may believe in what a later term has truncated.
      const isDeposed = disk !== undefined && disk.hardState.term > term;
      check(
        isDeposed || matchIndex === 0 || (disk !== undefined && this.#holds(disk, matchIndex, node.log)),
        "matchIndex is on the peer's disk",
        () => `leader ${node.id} believes ${peer} to be at ${matchIndex}`,
      );
      check(
        0 <= matchIndex && matchIndex < nextIndex && nextIndex <= lastIndexOf(node.log) + 1,
        "0 <= matchIndex < nextIndex <= lastIndex + 1",
        () => `${matchIndex}, ${nextIndex} of peer ${peer} at leader ${node.id}`,
      );
      check(
        mode !== "snapshot" || inFlightCount === 0,
        "nothing is in flight to one that waits for a snapshot",
        () => `${peer}`,
      );
    }
  }
}
