import { InvariantViolation } from "../../src/assert.js";
import type { FailureCode } from "../../src/failure.js";
import type { Transition } from "../../src/raft/types.js";
import type { ReplicaOptions } from "../../src/replica/options.js";
import type { ReplicaObserver, SnapshotMoved, StateDivergence } from "../../src/replica/ports.js";
import { Replica } from "../../src/replica/replica.js";
import { MemoryDisk } from "../../src/storage/memory-disk.js";
import { openMemoryLogStore } from "../../src/storage/memory-log-store.js";
import { MemoryStateDisks } from "../../src/storage/memory-state-disks.js";
import { openMemoryStateStore } from "../../src/storage/memory-state-store.js";
import { MemoryNetwork, type NetworkEvent } from "../../src/transport/memory-transport.js";
import type {
  ChangeMembersReply,
  ChangeMembersRequest,
  PeerAddress,
  PeerMessage,
  Transport,
} from "../../src/transport/transport.js";
import { TallyMachine } from "./tally.js";
import { NodeTime, VirtualTime } from "./virtual-time.js";

const SYNC_MS = 0.5;
const NETWORK_MS = 0.2;

export interface Answer {
  result: number | undefined;
  failure: FailureCode | undefined;
  /** Of the failure, in a sentence. */
  reason?: string;
}

/** One node: its disks outlive its processes. */
export class VirtualNode {
  readonly id: number;
  readonly time: NodeTime;
  logDisk = new MemoryDisk();
  stateDisks = new MemoryStateDisks();
  replica: Replica | undefined;
  machine: TallyMachine | undefined;
  readonly transitions: Transition[] = [];
  readonly notices: string[] = [];
  /** What ended the node; more than one would be one too many. */
  readonly failures: Error[] = [];
  packed: number[] = [];
  readonly snapshots: SnapshotMoved[] = [];
  readonly divergences: StateDivergence[] = [];
  storeId = "";
  /** Makes a log write take this long. */
  syncMs = SYNC_MS;
  #transport: Transport | undefined;
  /** What PEERS says on this node. */
  founders: readonly PeerAddress[];
  /** Whom it asks to be let in, where it joins. */
  contacts: readonly PeerAddress[] = [];
  /** By which others reach it. */
  address: string;
  /** Whom it keeps streams with. */
  dialled: readonly PeerAddress[] = [];
  readonly #cluster: VirtualCluster;
  readonly #waiting = new Set<Answer>();
  readonly #asked = new Set<{ reply: ChangeMembersReply | undefined }>();

  constructor(cluster: VirtualCluster, id: number) {
    this.founders = cluster.founders.some((founder) => founder.id === id) ? cluster.founders : [];
    this.#cluster = cluster;
    this.id = id;
    this.address = `node-${id}:7070`;
    this.time = new NodeTime(cluster.time);
  }

  async start(): Promise<void> {
    const { id, time } = this;
    const randomId = () => this.#cluster.randomId();
    const defer = (callback: () => void) => {
      this.#cluster.time.schedule(this.syncMs, time.guard(callback));
    };
    const log = openMemoryLogStore({ disk: this.logDisk, nodeId: id, randomId, defer });
    const { storeId, recovery } = log;
    this.storeId = storeId;
    const generation = recovery.stateGeneration;
    const state = openMemoryStateStore({ disk: this.stateDisks, generation, nodeId: id, storeId, defer });
    this.machine = new TallyMachine(state);
    const transport = this.#cluster.network.transport(id, this.address);
    this.#transport = {
      ...transport,
      setPeers: (peers) => {
        this.dialled = peers;
        transport.setPeers(peers);
      },
    };
    this.replica = new Replica(
      {
        nodeId: id,
        address: this.address,
        restAddress: `node-${id}:8080`,
        grpcAddress: `node-${id}:9090`,
        version: "test",
        founders: this.founders,
        contacts: this.contacts,
        electionTimeoutMs: 300,
        heartbeatMs: 50,
        maxClockSkewMs: 2000,
        requestDeadlineMs: 10_000,
        ...this.#cluster.options,
      },
      {
        log,
        state,
        machines: [this.machine],
        transport: this.#transport,
        clock: time,
        timers: time,
        randomness: { uint32: () => this.#cluster.random(), id: randomId },
        observer: this.#observer(),
        fatal: (failure) => {
          this.failures.push(failure);
          if (failure instanceof InvariantViolation) throw failure;
        },
      },
    );
    await this.replica.start();
  }

  /** As kill -9: what was not durable is gone, unless the write in flight made it. */
  async crash(inFlight: "durable" | "lost" = "lost"): Promise<void> {
    this.time.crash();
    this.logDisk.crash(inFlight);
    this.stateDisks.crash(inFlight);
    this.replica = undefined;
    // As a client has it whose connection breaks.
    for (const answer of this.#waiting) answer.failure = "OUTCOME_UNKNOWN";
    this.#waiting.clear();
    const lost = { outcome: "unknown", reason: "the node died", leaderAddress: "", nodeId: 0 } as const;
    for (const asked of this.#asked) asked.reply = lost;
    this.#asked.clear();
    await this.#transport?.stop();
  }

  wipe(): void {
    this.logDisk = new MemoryDisk();
    this.stateDisks = new MemoryStateDisks();
  }

  /** The state in force, while nothing else is there. */
  get stateDisk(): MemoryDisk {
    const disk = this.stateDisks.disk(this.stateDisks.generations.at(-1) ?? 0);
    if (disk === undefined) throw new Error("the node has no state yet");
    return disk;
  }

  /** Asks this node for a change of the membership. */
  change(request: ChangeMembersRequest): { reply: ChangeMembersReply | undefined } {
    const answer: { reply: ChangeMembersReply | undefined } = { reply: undefined };
    this.#asked.add(answer);
    this.replica?.changeMembers(request, (reply) => {
      if (answer.reply !== undefined) throw new Error("a change is answered once");
      this.#asked.delete(answer);
      answer.reply = reply;
    });
    return answer;
  }

  propose(line: string, deadlineMs = 10_000): Answer {
    const answer: Answer = { result: undefined, failure: undefined };
    this.#waiting.add(answer);
    this.replica?.propose({ machine: 7, payload: new TextEncoder().encode(line) }, deadlineMs, {
      settle: (result) => {
        this.#waiting.delete(answer);
        answer.result = result as number;
      },
      fail: (code, message) => {
        this.#waiting.delete(answer);
        answer.failure = code;
        answer.reason = message;
      },
    });
    return answer;
  }

  get failure(): Error | undefined {
    return this.failures[0];
  }

  get isReady(): boolean {
    return this.replica?.view().ready === true;
  }

  #observer(): ReplicaObserver {
    return {
      transition: (transition) => this.transitions.push(transition),
      entryPacked: ({ commands }) => this.packed.push(commands),
      logWritten: () => undefined,
      entryApplied: () => undefined,
      checkpointWritten: () => undefined,
      logCut: () => undefined,
      snapshotMoved: (moved) => this.snapshots.push(moved),
      stateDiverged: (divergence) => this.divergences.push(divergence),
      notice: (_level, message) => this.notices.push(message),
    };
  }
}

/** A cluster of real replicas over disks, network, clocks and randomness of its own. */
export class VirtualCluster {
  readonly time = new VirtualTime();
  readonly nodes: VirtualNode[];
  /** Of every node that starts from now on. */
  options: Partial<ReplicaOptions> = {};
  readonly founders: readonly { readonly id: number; readonly address: string }[];
  readonly network: MemoryNetwork;
  filter: (from: number, to: number, messages: readonly PeerMessage[]) => readonly PeerMessage[] = (
    _from,
    _to,
    messages,
  ) => messages;
  /** Whether a part of a snapshot or of a call gets lost. */
  loses: (event: NetworkEvent) => boolean = () => false;
  #random: number;

  constructor(size: number, seed = 1) {
    this.#random = seed;
    this.founders = Array.from({ length: size }, (_, place) => ({ id: place + 1, address: `node-${place + 1}:7070` }));
    this.network = new MemoryNetwork({
      defer: (callback, { to }) => {
        const node = this.nodes.find(({ id }) => id === to);
        this.time.schedule(NETWORK_MS, node === undefined ? callback : node.time.guard(callback));
      },
      wall: (id) => this.node(id).time.wall(),
      filter: (from, to, messages) => this.filter(from, to, messages),
      loses: (event) => this.loses(event),
      timer: (delayMs, callback) => {
        const timer = this.time.schedule(delayMs, callback);
        return () => timer.cancel();
      },
    });
    this.nodes = this.founders.map(({ id }) => new VirtualNode(this, id));
  }

  async start(): Promise<this> {
    for (const node of this.nodes) await node.start();
    return this;
  }

  /** A node that is no founder: empty, and told whom to ask. */
  joiner(id: number): VirtualNode {
    const node = new VirtualNode(this, id);
    node.contacts = this.founders;
    this.nodes.push(node);
    return node;
  }

  /** Asks whoever leads, again and again, until it is done. */
  changed(request: ChangeMembersRequest, limitMs = 30_000): ChangeMembersReply {
    let asked: { reply: ChangeMembersReply | undefined } | undefined;
    let reply: ChangeMembersReply | undefined;
    let notBefore = 0;
    this.time.until(() => {
      reply = asked?.reply;
      if (reply?.outcome === "done") return true;
      if (asked !== undefined && reply === undefined) return false;
      if (asked !== undefined) notBefore = this.time.now + 50;
      asked = undefined;
      const leader = this.nodes.find((node) => node.replica?.isLeader === true);
      if (leader !== undefined && this.time.now >= notBefore) asked = leader.change(request);
      return false;
    }, limitMs);
    if (reply === undefined) throw new Error("it was not answered");
    return reply;
  }

  node(id: number): VirtualNode {
    const node = this.nodes.find((one) => one.id === id);
    if (node === undefined) throw new Error(`there is no node ${id}`);
    return node;
  }

  get leader(): VirtualNode {
    const leader = this.nodes.find((node) => node.replica?.isLeader === true);
    if (leader === undefined) throw new Error("nobody leads");
    return leader;
  }

  get followers(): readonly VirtualNode[] {
    const { leader } = this;
    return this.nodes.filter((node) => node !== leader && node.replica !== undefined);
  }

  untilReady(): void {
    this.time.until(() => this.nodes.every((node) => node.replica === undefined || node.isReady));
  }

  /** Once all live nodes have applied the same index, their lines must be the same. */
  settledLines(): string[] {
    const live = this.nodes.filter((node) => node.replica !== undefined);
    this.time.until(() => {
      const views = live.map((node) => node.replica?.view());
      const [first] = views;
      return views.every(
        (view) => view?.appliedIndex === first?.appliedIndex && view?.appliedIndex === view?.commitIndex,
      );
    });
    const [first, ...others] = live.map((node) => node.machine?.lines ?? []);
    for (const lines of others) {
      if (JSON.stringify(lines) !== JSON.stringify(first)) throw new Error("two nodes disagree");
    }
    return first ?? [];
  }

  /** How every node stands, for a message. */
  describe(): string {
    return this.nodes
      .map(({ id, storeId, replica, failures, snapshots }) => {
        const { core } = replica ?? {};
        const members = core?.configuration.members.map(
          (member) => `${member.id}${member.kind[0]}:${member.storeId.slice(0, 4)}`,
        );
        const figures =
          core &&
          `${core.roleName} of ${core.leader} term ${core.term} log ${core.baseIndex}-${core.lastIndex} commit ${core.commitIndex}`;
        const failed = snapshots.at(-1)?.failure ?? "";
        return `n${id} ${storeId.slice(0, 4)} ${replica === undefined ? "down" : replica.view().reason} [${members}] ${figures} applied ${replica?.appliedIndex} ${failures[0]?.message ?? ""} ${failed}`;
      })
      .join("\n");
  }

  random(): number {
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#random;
  }

  randomId(): string {
    return Array.from({ length: 4 }, () => this.random().toString(16).padStart(8, "0")).join("");
  }
}
