import type { CoreOptions } from "../../src/raft/state.js";
import type {
  Configuration,
  LogIndex,
  MemberChange,
  MemberChangeAnswer,
  MemberKind,
  NodeId,
  RaftMessage,
  Transition,
} from "../../src/raft/types.js";
import { CheckFailure, ClusterChecks } from "./cluster-checks.js";
import { type CoreDisk, CoreNode, emptyDisk } from "./core-node.js";

export interface ClusterOptions {
  readonly voters: number;
  readonly learners: number;
  /** Nodes with empty disks that belong to no cluster yet; their ids follow those of the members. */
  readonly spares?: number;
  readonly seed: number;
  readonly core?: Partial<CoreOptions>;
  /** Disks to start from; absent: empty ones. */
  readonly disks?: ReadonlyMap<NodeId, Partial<CoreDisk>>;
  /** Already founded: terms open with a no-op. */
  readonly clusterId?: string;
}

export interface Read {
  readonly node: NodeId;
  /** Everything that was committed when it was asked must be seen. */
  readonly atLeast: LogIndex;
  outcome: "waiting" | "refused" | LogIndex;
}

export function memberOf(id: NodeId, kind: MemberKind) {
  return { id, kind, storeId: `store-${id}`, address: `node-${id}:7070` };
}

/** Configuration with the first `voters` seats voting and the rest learning. */
export function configurationOf(voters: number, learners: number, clusterId = ""): Configuration {
  const members = Array.from({ length: voters + learners }, (_, place) =>
    memberOf(place + 1, place < voters ? "voter" : "learner"),
  );
  return { clusterId, members };
}

/**
 * Cores on one clock, with a bag of messages between them: whoever drives it decides when anything
 * is delivered, lost, repeated, written or ticked. Every turn is checked.
 */
export class CoreCluster {
  now = 0;
  readonly nodes: readonly CoreNode[];
  readonly checks: ClusterChecks;
  /** Whose store a message came from: what a host knows by the connection. */
  readonly #sentBy = new WeakMap<RaftMessage, string>();
  /** Under way, in the order of sending. */
  mail: RaftMessage[] = [];
  readonly reads = new Map<number, Read>();
  readonly transitions: { readonly node: NodeId; readonly transition: Transition }[] = [];
  #nextReadId = 1;

  constructor({ voters, learners, spares = 0, seed, core, disks, clusterId }: ClusterOptions) {
    const configuration = configurationOf(voters, learners, clusterId);
    const nobody: Configuration = { clusterId: "", members: [] };
    this.nodes = Array.from({ length: voters + learners + spares }, (_, place) => place + 1).map(
      (id) =>
        new CoreNode(
          {
            id,
            electionTimeoutMs: 100,
            heartbeatMs: 20,
            inFlightMax: 4,
            appendBytesMax: 1_000,
            appendEntriesMax: 4,
            readsMax: 8,
            seed: (seed * 31 + id) >>> 0,
            foundingClusterId: `founded by ${id}`,
            ...core,
          },
          { ...emptyDisk(id <= voters + learners ? configuration : nobody), ...disks?.get(id) },
        ),
    );
    this.checks = new ClusterChecks(this.nodes);
    for (const node of this.nodes) this.checks.know(node.disk);
    for (const node of this.nodes) node.start(this.nowAt(node));
  }

  /** The time on the node's own clock. */
  nowAt(node: CoreNode): number {
    return this.now + node.aheadMs;
  }

  node(id: NodeId): CoreNode {
    const node = this.nodes[id - 1];
    if (node === undefined) throw new Error(`there is no node ${id}`);
    return node;
  }

  /** The leader of the highest term, if anybody leads. */
  get leader(): CoreNode | undefined {
    const leaders = this.nodes.filter((node) => node.isUp && node.core.roleName === "leader");
    return leaders.sort((a, b) => b.core.term - a.core.term)[0];
  }

  /** The end of the node's turn; its messages are on their way, its promises were checked. */
  turn(node: CoreNode): void {
    const { effects, messages } = node.turn(this.nowAt(node));
    this.checks.turned(node, effects, messages);
    for (const message of messages) this.#sentBy.set(message, node.storeId);
    this.mail.push(...messages);
    for (const transition of effects.transitions) this.transitions.push({ node: node.id, transition });
    for (const outcome of effects.reads) {
      const read = this.reads.get(outcome.readId);
      if (read === undefined || read.node !== node.id || read.outcome !== "waiting") continue;
      read.outcome = outcome.kind === "ready" ? outcome.readIndex : "refused";
      if (outcome.kind === "ready" && outcome.readIndex < read.atLeast) {
        throw new CheckFailure(
          `linearizable reads: node ${node.id} reads at ${outcome.readIndex}, but ${read.atLeast} was committed before`,
        );
      }
    }
  }

  tick(node: CoreNode): void {
    node.core.tick(this.nowAt(node));
    this.turn(node);
    if (node.core.nextDeadline <= this.nowAt(node)) throw new CheckFailure(`node ${node.id} would tick without end`);
  }

  deliver(message: RaftMessage): void {
    const node = this.node(message.to);
    if (!node.isUp || !this.#isAdmitted(message, node) || !this.#isSeated(node, message.from)) return;
    node.core.receive(message, this.nowAt(node));
    this.turn(node);
  }

  /** What a host does: an answer counts only from the store that holds the seat (src/raft/README.md). */
  #isAdmitted(message: RaftMessage, { core }: CoreNode): boolean {
    const seat = core.configuration.members.find(({ id }) => id === message.from);
    const sender = this.#sentBy.get(message);
    if (message.type !== "voteReply" && message.type !== "appendReply") return true;
    return seat === undefined || sender === undefined || seat.storeId === sender;
  }

  /** What a host does for an empty node: it takes its seat when it hears a configuration in which it has one. */
  #isSeated(node: CoreNode, from: NodeId): boolean {
    if (node.core.configuration.members.length > 0) return true;
    const sender = this.node(from);
    if (!sender.isUp) return false;
    const { configuration } = sender.core;
    if (!configuration.members.some(({ id, storeId }) => id === node.id && storeId === node.storeId)) return false;
    node.found(configuration, this.nowAt(node));
    return true;
  }

  /** Takes what is under way on one link. */
  take(from: NodeId, to: NodeId): RaftMessage[] {
    const taken = this.mail.filter((message) => message.from === from && message.to === to);
    this.mail = this.mail.filter((message) => !taken.includes(message));
    return taken;
  }

  /** Disks write and messages arrive until nothing is left to happen but time. */
  settle(among: readonly NodeId[] = this.nodes.map(({ id }) => id)): void {
    const isAmong = ({ from, to }: RaftMessage) => among.includes(from) && among.includes(to);
    for (let rounds = 0; rounds < 1_000; rounds++) {
      const writing = this.nodes.filter(({ id, write }) => among.includes(id) && write !== undefined);
      const fetching = this.nodes.filter(({ id, fetch }) => among.includes(id) && fetch && among.includes(fetch.from));
      const arriving = this.mail.filter(isAmong);
      if (writing.length === 0 && arriving.length === 0 && fetching.length === 0) return;
      this.mail = this.mail.filter((message) => !isAmong(message));
      for (const node of writing) this.completeWrite(node);
      for (const node of fetching) if (this.beginFetch(node)) this.endFetch(node);
      for (const message of arriving) this.deliver(message);
    }
    throw new CheckFailure("the cluster chatters without end");
  }

  /** The clock moves on to the node's deadline, and only that node looks at it. */
  timeOut(node: CoreNode): void {
    this.now = Math.max(this.now, node.core.nextDeadline - node.aheadMs);
    this.tick(node);
  }

  completeWrite(node: CoreNode): void {
    if (node.write === undefined) return;
    node.completeWrite(this.nowAt(node));
    this.turn(node);
  }

  propose(node: CoreNode, payload: string): boolean {
    const position = node.core.propose([new TextEncoder().encode(payload)], this.nowAt(node));
    this.turn(node);
    return position !== undefined;
  }

  /** Ids are never used twice, by whatever life of whatever node: what the core asks of its host. */
  read(node: CoreNode): Read {
    const readId = this.#nextReadId++;
    const read: Read = { node: node.id, atLeast: this.checks.committed.length, outcome: "waiting" };
    this.reads.set(readId, read);
    node.core.readIndex(readId, this.nowAt(node));
    this.turn(node);
    return read;
  }

  transfer(node: CoreNode, target: NodeId): boolean {
    const begun = node.core.transferLeadership(target, this.nowAt(node));
    this.turn(node);
    return begun;
  }

  change(node: CoreNode, change: MemberChange): MemberChangeAnswer {
    const answer = node.core.changeMembers(change, this.nowAt(node));
    this.turn(node);
    return answer;
  }

  addLearner(node: CoreNode, id: NodeId): MemberChangeAnswer {
    const { kind, ...member } = memberOf(id, "learner");
    return this.change(node, { kind: "addLearner", member: { ...member, storeId: this.node(id).storeId } });
  }

  compact(node: CoreNode, index: LogIndex): void {
    node.compact(index, this.nowAt(node));
    this.turn(node);
  }

  /** The sender's part of a fetch: from here on the snapshot is what it was then. False: it has ended without one. */
  beginFetch(node: CoreNode): boolean {
    const { fetch } = node;
    if (fetch === undefined || fetch.taken !== undefined) return fetch !== undefined;
    fetch.taken = this.node(fetch.from).openView(fetch.least);
    if (fetch.taken === undefined) node.fetch = undefined;
    return fetch.taken !== undefined;
  }

  /** What was fetched is built; the core decides whether it comes into force. */
  endFetch(node: CoreNode): boolean {
    const taken = node.fetch?.taken;
    node.fetch = undefined;
    if (taken === undefined) return false;
    const installed = node.install(taken, this.nowAt(node));
    this.turn(node);
    return installed;
  }

  crash(node: CoreNode, fate: "durable" | "lost"): void {
    node.crash(fate);
    for (const read of this.reads.values()) {
      if (read.node === node.id && read.outcome === "waiting") read.outcome = "refused";
    }
  }

  start(node: CoreNode): void {
    node.start(this.nowAt(node));
    this.checks.restarted(node);
  }
}
