import type { CoreOptions } from "../../src/raft/state.js";
import type { Configuration, LogIndex, MemberKind, NodeId, RaftMessage, Transition } from "../../src/raft/types.js";
import { CheckFailure, ClusterChecks } from "./cluster-checks.js";
import { type CoreDisk, CoreNode, emptyDisk } from "./core-node.js";

export interface ClusterOptions {
  readonly voters: number;
  readonly learners: number;
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

/** Configuration with the first `voters` seats voting and the rest learning. */
export function configurationOf(voters: number, learners: number, clusterId = ""): Configuration {
  const member = (id: NodeId, kind: MemberKind) => ({ id, kind, storeId: `store-${id}`, address: `node-${id}:7070` });
  const members = Array.from({ length: voters + learners }, (_, place) =>
    member(place + 1, place < voters ? "voter" : "learner"),
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
  /** Under way, in the order of sending. */
  mail: RaftMessage[] = [];
  readonly reads = new Map<number, Read>();
  readonly transitions: { readonly node: NodeId; readonly transition: Transition }[] = [];
  #nextReadId = 1;

  constructor({ voters, learners, seed, core, disks, clusterId }: ClusterOptions) {
    const configuration = configurationOf(voters, learners, clusterId);
    this.nodes = configuration.members.map(
      ({ id }) =>
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
          { ...emptyDisk(configuration), ...disks?.get(id) },
        ),
    );
    this.checks = new ClusterChecks(this.nodes);
    for (const node of this.nodes) this.checks.know(node.disk.entries);
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
    if (!node.isUp) return;
    node.core.receive(message, this.nowAt(node));
    this.turn(node);
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
      const arriving = this.mail.filter(isAmong);
      if (writing.length === 0 && arriving.length === 0) return;
      this.mail = this.mail.filter((message) => !isAmong(message));
      for (const node of writing) this.completeWrite(node);
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
