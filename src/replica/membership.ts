import type { RaftCore } from "../raft/core.js";
import type { Configuration, LogIndex, NodeId } from "../raft/types.js";
import type { Description, Hello, PeerAddress, PeerMessage } from "../transport/transport.js";
import { openCore } from "./open-core.js";
import { LIMITS, type ReplicaOptions, type ReplicaPorts } from "./options.js";
import { OtherClusters, type Service, type Stand } from "./other-clusters.js";
import { PeerAddresses } from "./peer-addresses.js";
import type { PeerBook } from "./peer-book.js";
import { Seating } from "./seating.js";
import { Seats } from "./seats.js";

/** This node's place among the others: its seat, its core once it has one, and whom it keeps streams with. */
export class Membership {
  readonly #options: ReplicaOptions;
  readonly #ports: ReplicaPorts;
  readonly #peers: PeerBook;
  readonly #appliedIndex: () => LogIndex;
  readonly #opened: (core: RaftCore) => void;
  readonly #seats: Seats;
  readonly #seating: Seating;
  readonly #addresses: PeerAddresses;
  readonly #others: OtherClusters;
  readonly #listenMs: number;
  #dialled: readonly PeerAddress[] = [];
  #applied: Configuration | undefined;
  /** Monotonic ms; undefined before, and once the node has listened for long enough. */
  #listensSince: number | undefined;
  #core: RaftCore | undefined;

  constructor(
    options: ReplicaOptions,
    ports: ReplicaPorts,
    parts: {
      readonly peers: PeerBook;
      readonly appliedIndex: () => LogIndex;
      /** The node has its seat, and its core is open. */
      readonly opened: (core: RaftCore) => void;
      readonly failed: (failure: Error) => void;
    },
  ) {
    this.#options = options;
    this.#ports = ports;
    this.#peers = parts.peers;
    this.#appliedIndex = parts.appliedIndex;
    this.#opened = parts.opened;
    const { log, observer } = ports;
    const { nodeId, address, version, founders, contacts = [], named = [] } = options;
    const { recovery, storeId } = log;
    this.#addresses = new PeerAddresses({ patienceMs: LIMITS.addressPatienceMs, known: founders });
    this.#listenMs = options.loneFounderMs ?? LIMITS.loneFounderMs;
    this.#others = new OtherClusters({
      named,
      listenMs: this.#listenMs,
      observer,
      clusterId: () => this.clusterId,
      counts: (peer) => this.counts(peer),
    });
    this.#dialled = [...founders, ...contacts].filter(({ id }) => id !== nodeId);
    this.#seats = new Seats({
      self: { nodeId, storeId, address, version },
      founders,
      configuration: recovery.configurations.at(-1)?.configuration ?? recovery.baseConfiguration,
      empty: recovery.empty,
    });
    const seated = (configuration: Configuration) => this.#openCore(configuration);
    this.#seating = new Seating({ seats: this.#seats, log, observer, seated, failed: parts.failed });
  }

  /** Undefined while this node has no seat, and again once its seat was given to another store. */
  get core(): RaftCore | undefined {
    return this.#core;
  }

  /** Why the node has no seat, or serves nobody from it, in a sentence; "" while it does. */
  get reason(): string {
    const { reason } = this.#seating;
    return reason === "" ? this.#stand().reason : reason;
  }

  /** Whether callers need wait at all, as far as this node's place decides it. */
  get service(): Service {
    return this.#stand().service;
  }

  #stand(): Stand {
    if (this.#core !== undefined) return this.#others.stand(this.#core, this.#ports.clock.monotonic());
    return { service: this.#seating.isOutside ? "refused" : "held", reason: this.#seating.reason };
  }

  /** Peers that go by a membership without this store, though it has a seat in its own. */
  get strangersTo(): readonly NodeId[] {
    return this.#seats.strangersTo;
  }

  /** What an operator does about a node that was removed, in a sentence. */
  get wayBack(): string {
    return this.#seats.wayBack;
  }

  /** This store is a member in the configuration in force here. */
  get isMember(): boolean {
    return this.#seats.isMember;
  }

  /** Looks for the seat, now that the transport listens. */
  start(): void {
    this.#ports.transport.setPeers(this.#dialled);
    this.#listensSince = this.#ports.clock.monotonic();
    this.#seating.settle();
  }

  /** Of a configuration that has committed; "" before. */
  get clusterId(): string {
    return this.#seats.clusterId;
  }

  hello(): Hello {
    return this.#seats.hello();
  }

  describe(): Description {
    const { nodeId, storeId, clusterId, empty, version, configuration } = this.hello();
    return { nodeId, storeId, clusterId, empty, version, ...(configuration === undefined ? {} : { configuration }) };
  }

  admits(peer: NodeId, type: PeerMessage["type"]): boolean {
    return this.#seats.admits(peer, type);
  }

  /** Whether the peer's stream speaks for the store that holds its seat here. */
  counts(peer: NodeId): boolean {
    return this.#seats.counts(peer);
  }

  /** Whether what a leader says to the peer's seat may go out on its stream. */
  mayHear(peer: NodeId): boolean {
    return this.#seats.mayHear(peer);
  }

  /** Whether the peer counts this very store as the holder of this node's seat. */
  isCountedBy(peer: NodeId): boolean {
    return this.#seats.isCountedBy(peer);
  }

  /** Where a member says that it is reached, host:port; undefined while it is not heard. */
  addressToldBy(member: NodeId): string | undefined {
    return member === this.#options.nodeId ? this.#options.address : this.#seats.addressOf(member);
  }

  /** Who answers at an address that PEERS or JOIN names says which cluster it belongs to; "" to none. */
  told(address: string, clusterId: string): void {
    this.#others.told(address, clusterId);
  }

  received(from: NodeId, hello: Hello): void {
    if (this.#seating.received(from, hello)) this.#tellAllHello();
  }

  disconnected(peer: NodeId): void {
    this.#seats.disconnected(peer);
  }

  /** A configuration is in force: in the log, committed or not. */
  changed(configuration: Configuration): void {
    if (!this.#seating.adopt(configuration)) this.#core = undefined;
    this.#addresses.adopt(configuration, this.#ports.clock.monotonic());
    this.#setPeers();
    // What others hear from this node depends on the configuration that it goes by.
    this.#tellAllHello();
  }

  /** A configuration was applied: it has committed, and names the cluster once and for all. */
  applied(configuration: Configuration | undefined): void {
    if (configuration === this.#applied) return;
    this.#applied = configuration;
    if (configuration !== undefined && configuration.clusterId !== "" && this.#seats.named()) this.#tellAllHello();
  }

  /** Looks for peers that are dialled in vain, and lets those go that the core serves no more. */
  housekeep(now: number): void {
    this.#addresses.rotate(now, (peer) => this.#peers.isConnected(peer));
    if (this.#listensSince !== undefined && now - this.#listensSince >= this.#listenMs) {
      this.#listensSince = undefined;
      this.#seats.waitedForCalls();
      this.#seating.settle();
    }
    if (this.#core === undefined) return;
    this.#others.look(this.#core, now);
    this.#setPeers();
  }

  #setPeers(): void {
    const core = this.#core;
    if (core === undefined) return;
    const wanted = new Set([...core.configuration.members.map(({ id }) => id), ...core.peers]);
    wanted.delete(this.#options.nodeId);
    const newcomer = this.#leaderUnknown(core);
    if (newcomer !== undefined) wanted.delete(newcomer.id);
    const dialled = [...this.#addresses.of(wanted), ...(newcomer === undefined ? [] : [newcomer])];
    if (isSame(dialled, this.#dialled)) return;
    this.#dialled = dialled;
    this.#ports.transport.setPeers(dialled);
  }

  /** A leader that came to the cluster, or to its seat, while this node was away: where it says that it is reached. */
  #leaderUnknown({ leader: id }: RaftCore): PeerAddress | undefined {
    if (id === undefined || id === this.#options.nodeId || this.counts(id)) return undefined;
    const address = this.#seats.addressOfAsking(id);
    return address === undefined ? undefined : { id, address };
  }

  /** This store holds the node's seat: the core opens, on what the log recovered. */
  #openCore(baseConfiguration: Configuration): void {
    const appliedIndex = this.#appliedIndex();
    // What the log begins after has committed.
    if (baseConfiguration.clusterId !== "") this.#seats.named();
    const core = openCore(this.#options, this.#ports, { baseConfiguration, appliedIndex });
    this.#core = core;
    this.changed(core.configuration);
    this.#opened(core);
  }

  #tellAllHello(): void {
    for (const peer of this.#peers.connectedPeers) this.#ports.transport.send(peer, [this.hello()]);
  }
}

function isSame(one: readonly PeerAddress[], other: readonly PeerAddress[]): boolean {
  if (one.length !== other.length) return false;
  return one.every(({ id, address }, place) => id === other[place]?.id && address === other[place]?.address);
}
