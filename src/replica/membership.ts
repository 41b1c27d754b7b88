import type { RaftCore } from "../raft/core.js";
import type { Configuration, LogIndex, Member, NodeId } from "../raft/types.js";
import type { Hello } from "../transport/transport.js";
import { openCore } from "./open-core.js";
import type { ReplicaOptions, ReplicaPorts } from "./options.js";
import type { PeerBook } from "./peer-book.js";
import { Seating } from "./seating.js";
import { Seats } from "./seats.js";

/** This node's place among the others: its seat, its core once it has one, and whom it keeps streams with. */
export class Membership {
  readonly #options: ReplicaOptions;
  readonly #ports: ReplicaPorts;
  readonly #peers: PeerBook;
  readonly #appliedIndex: () => LogIndex;
  readonly #opened: () => void;
  readonly #seating: Seating;
  #core: RaftCore | undefined;

  constructor(
    options: ReplicaOptions,
    ports: ReplicaPorts,
    parts: {
      readonly peers: PeerBook;
      readonly appliedIndex: () => LogIndex;
      /** The node has its seat, and its core is open. */
      readonly opened: () => void;
      readonly failed: (failure: Error) => void;
    },
  ) {
    this.#options = options;
    this.#ports = ports;
    this.#peers = parts.peers;
    this.#appliedIndex = parts.appliedIndex;
    this.#opened = parts.opened;
    const { log, observer } = ports;
    const { nodeId, address, version, founders } = options;
    const { recovery, storeId } = log;
    const seats = new Seats({
      self: { nodeId, storeId, address, version },
      founders,
      configuration: recovery.configurations.at(-1)?.configuration ?? recovery.baseConfiguration,
      empty: recovery.empty,
    });
    const seated = (configuration: Configuration) => this.#openCore(configuration);
    this.#seating = new Seating({ seats, log, observer, seated, failed: parts.failed });
  }

  /** Undefined before this node has its seat. */
  get core(): RaftCore | undefined {
    return this.#core;
  }

  /** Why the node has no seat, in a sentence; "" while it has. */
  get reason(): string {
    return this.#seating.reason;
  }

  /** Looks for the seat, now that the transport listens. */
  start(): void {
    this.#ports.transport.setPeers(this.#options.founders.filter(({ id }) => id !== this.#options.nodeId));
    this.#seating.settle();
  }

  hello(): Hello {
    return this.#seating.hello();
  }

  admits(peer: NodeId): boolean {
    return this.#seating.admits(peer);
  }

  received(from: NodeId, hello: Hello): void {
    if (this.#seating.received(from, hello)) this.#tellAllHello();
  }

  disconnected(peer: NodeId): void {
    this.#seating.disconnected(peer);
  }

  /** A configuration is in force: in the log, committed or not. */
  changed(configuration: Configuration): void {
    this.#seating.adopt(configuration);
    const { nodeId, founders } = this.#options;
    // PEERS counts for those it names: it is how a member that moved is found again.
    const addressOf = ({ id, address }: Member) => founders.find((founder) => founder.id === id)?.address ?? address;
    const others = configuration.members.filter(({ id }) => id !== nodeId);
    this.#ports.transport.setPeers(others.map((member) => ({ id: member.id, address: addressOf(member) })));
  }

  /** This store holds the node's seat: the core opens, on what the log recovered. */
  #openCore(baseConfiguration: Configuration): void {
    const appliedIndex = this.#appliedIndex();
    this.#core = openCore(this.#options, this.#ports, { baseConfiguration, appliedIndex });
    this.changed(this.#core.configuration);
    this.#tellAllHello();
    this.#opened();
  }

  #tellAllHello(): void {
    for (const peer of this.#peers.connectedPeers) this.#ports.transport.send(peer, [this.#seating.hello()]);
  }
}
