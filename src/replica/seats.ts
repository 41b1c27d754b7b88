import type { Configuration, NodeId } from "../raft/types.js";
import type { Hello, PeerAddress } from "../transport/transport.js";

export type Seat =
  /** No cluster yet: waiting until every founder is known, empty and of the same mind; one reason per founder. */
  | { readonly kind: "founding"; readonly waitingFor: readonly string[] }
  /** This store holds the node's seat in that configuration. */
  | { readonly kind: "seated"; readonly configuration: Configuration }
  /** The seat belongs to another store, or there is none: neither votes nor counts. */
  | { readonly kind: "foreign"; readonly why: string };

type SeenStore = Hello["seen"][number];

function idsOf(stores: readonly SeenStore[]): string {
  return stores.map(({ nodeId }) => nodeId).join(", ");
}

/**
 * Who may speak: a seat belongs to the store that first took it. A voter whose disk was wiped must
 * not vote as if it remembered, so a node with an empty or a foreign directory stays out.
 *
 * Founding takes two rounds: a node founds the cluster only when every founder says that it is
 * empty, counts the same founders and has heard of exactly the same stores. Two different sets can so
 * never both be founded.
 */
export class Seats {
  readonly #self: {
    readonly nodeId: NodeId;
    readonly storeId: string;
    readonly address: string;
    readonly version: string;
  };
  readonly #founders: readonly PeerAddress[];
  /** The newest hello of every stream that is up. */
  readonly #hellos = new Map<NodeId, Hello>();
  #configuration: Configuration | undefined;
  /** Nothing was ever written, and nothing is about to be. */
  #empty: boolean;

  constructor(options: {
    readonly self: {
      readonly nodeId: NodeId;
      readonly storeId: string;
      readonly address: string;
      readonly version: string;
    };
    readonly founders: readonly PeerAddress[];
    readonly configuration: Configuration | undefined;
    /** Nothing was ever written to this store. */
    readonly empty: boolean;
  }) {
    this.#self = options.self;
    this.#founders = options.founders;
    this.#configuration = options.configuration;
    this.#empty = options.empty;
  }

  /**
   * The founding configuration is being written: from now on this node is not empty, also while the
   * disk is slow. Who asks is told the configuration as soon as it stands.
   */
  found(): void {
    this.#empty = false;
  }

  /** The newest configuration of the core is in force here too. */
  adopt(configuration: Configuration): void {
    this.#configuration = configuration;
  }

  hello(): Hello {
    return {
      type: "hello",
      ...this.#self,
      clusterId: this.#configuration?.clusterId ?? "",
      empty: this.#empty && this.#configuration === undefined,
      seen: this.#seen(),
      configuration: this.#configuration,
    };
  }

  /** Returns whether what this node has seen has changed: then the others should hear of it. */
  received(hello: Hello): boolean {
    const before = JSON.stringify(this.#seen());
    this.#hellos.set(hello.nodeId, hello);
    return JSON.stringify(this.#seen()) !== before;
  }

  disconnected(peer: NodeId): void {
    this.#hellos.delete(peer);
  }

  /** Where this node stands; once seated, only `adopt` changes it. */
  seat(): Seat {
    if (this.#configuration !== undefined) return this.#seatIn(this.#configuration);
    for (const { configuration } of this.#hellos.values()) {
      if (configuration !== undefined) return this.#seatIn(configuration);
    }
    if (!this.#empty) return { kind: "foreign", why: "its store has content but no membership" };
    const waitingFor = this.#founders.map(({ id }) => this.#objection(id)).filter((reason) => reason !== undefined);
    if (waitingFor.length > 0) return { kind: "founding", waitingFor };
    return { kind: "seated", configuration: this.#foundingConfiguration() };
  }

  /**
   * Whether the peer's stream speaks for the store that holds the peer's seat. The cluster's name is
   * not asked: a founding entry that never committed may still stand in one of the two logs, and only
   * messages can mend that. A store holds a seat in one cluster only.
   */
  admits(peer: NodeId): boolean {
    const hello = this.#hellos.get(peer);
    if (hello === undefined || this.#configuration === undefined) return false;
    return this.#configuration.members.some((member) => member.id === peer && member.storeId === hello.storeId);
  }

  /** Why the peer's messages are not heard, for operators; undefined if they are. */
  refusal(peer: NodeId): string | undefined {
    const hello = this.#hellos.get(peer);
    if (hello === undefined || this.#configuration === undefined || this.admits(peer)) return undefined;
    const { clusterId } = this.#configuration;
    if (hello.clusterId !== "" && clusterId !== "" && hello.clusterId !== clusterId) {
      return `node ${peer} belongs to cluster ${hello.clusterId}, this node to ${clusterId}`;
    }
    return `node ${peer} holds store ${hello.storeId}, which has no seat in this cluster`;
  }

  #seatIn(configuration: Configuration): Seat {
    const { nodeId, storeId } = this.#self;
    const member = configuration.members.find(({ id }) => id === nodeId);
    if (member === undefined) return { kind: "foreign", why: `node ${nodeId} is not a member of the cluster` };
    if (member.storeId === storeId) return { kind: "seated", configuration };
    return {
      kind: "foreign",
      why:
        `the seat of node ${nodeId} belongs to store ${member.storeId}, but this data directory holds store ` +
        `${storeId}: it was wiped or replaced, and must not vote as if it remembered. Put the node's own ` +
        "directory back, or give the seat up",
    };
  }

  /** Every founder that this node counts, ascending; the store id is "" until it is known. */
  #seen(): SeenStore[] {
    return this.#founders
      .map(({ id }) => ({ nodeId: id, storeId: this.#storeOf(id) }))
      .sort((a, b) => a.nodeId - b.nodeId);
  }

  #storeOf(founder: NodeId): string {
    return founder === this.#self.nodeId ? this.#self.storeId : (this.#hellos.get(founder)?.storeId ?? "");
  }

  /**
   * Why the founder does not found with this node yet. Undefined: it is empty, counts the same founders
   * and has heard of the very stores that this node has heard of, all of them.
   */
  #objection(founder: NodeId): string | undefined {
    if (founder === this.#self.nodeId) return undefined;
    const hello = this.#hellos.get(founder);
    if (hello === undefined) return `node ${founder} was not heard yet`;
    const own = this.#seen();
    if (idsOf(hello.seen) !== idsOf(own)) {
      return `node ${founder} counts nodes ${idsOf(hello.seen)} as founders, this node ${idsOf(own)}: PEERS must be the same`;
    }
    if (!hello.empty) return `node ${founder} is not empty, but tells no membership (yet)`;
    const unheard = hello.seen.filter(({ storeId }) => storeId === "");
    if (unheard.length > 0) return `node ${founder} has not heard of ${idsOf(unheard)} yet`;
    return JSON.stringify(hello.seen) === JSON.stringify(own)
      ? undefined
      : `node ${founder} has heard of other stores than this node`;
  }

  #foundingConfiguration(): Configuration {
    return {
      clusterId: "",
      members: this.#founders.map(({ id, address }) => ({
        id,
        kind: "voter",
        storeId: this.#storeOf(id),
        address,
      })),
    };
  }
}
