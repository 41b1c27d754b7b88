import type { Configuration, NodeId } from "../raft/types.js";
import type { Hello, PeerAddress, PeerMessage } from "../transport/transport.js";

export type Seat =
  /** No cluster yet: waiting until every founder is known, empty and of the same mind; one reason per founder. */
  | { readonly kind: "founding"; readonly waitingFor: readonly string[] }
  /** An empty node that joins: waiting until a configuration names it. */
  | { readonly kind: "joining" }
  /** This store holds the node's seat in that configuration. */
  | { readonly kind: "seated"; readonly configuration: Configuration }
  /** It was a member, and nobody is now: it follows, should the cluster take it back, and does nothing else. */
  | { readonly kind: "removed" }
  /** The seat belongs to another store, or there never was one: neither votes nor counts. */
  | { readonly kind: "foreign"; readonly why: string };

type SeenStore = Hello["seen"][number];

function idsOf(stores: readonly SeenStore[]): string {
  return stores.map(({ nodeId }) => nodeId).join(", ");
}

/** What is counted: it must come from the very store that holds the seat in this node's configuration. */
const COUNTED: ReadonlySet<PeerMessage["type"]> = new Set(["voteReply", "appendReply"]);

/** Whether this very store holds its node's seat there. */
export function holdsSeat(
  configuration: Configuration | undefined,
  { nodeId, storeId }: { readonly nodeId: NodeId; readonly storeId: string },
): boolean {
  return configuration?.members.some((member) => member.id === nodeId && member.storeId === storeId) === true;
}

/** Whether the node's seat was given to another store there. */
export function isDisplaced(
  configuration: Configuration | undefined,
  { nodeId, storeId }: { readonly nodeId: NodeId; readonly storeId: string },
): boolean {
  return configuration?.members.some((member) => member.id === nodeId && member.storeId !== storeId) === true;
}

/**
 * Who may speak: a seat belongs to the store that first took it. A voter whose disk was wiped must
 * not vote as if it remembered, so a node with an empty or a foreign directory stays out.
 *
 * Founding takes two rounds: a node founds the cluster only when every founder says that it is
 * empty, counts the same founders and has heard of exactly the same stores. Two different sets can so
 * never both be founded. A founder that is alone has nobody to ask: it waits for a call, because the
 * cluster that it once founded may have grown since, and its disk may have been wiped.
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
  /** The stores that held a seat before and hold it no more: a leader serves them until they know. */
  readonly #departed = new Map<NodeId, string>();
  /** The configuration's name for the cluster is one that has committed. */
  #isNamed = false;
  /** Nothing was ever written, and nothing is about to be. */
  #empty: boolean;
  /** A cluster that this node belongs to would have called by now. */
  #isUncalled = false;

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

  /** The node has listened for long enough that whoever knows it would have called. */
  waitedForCalls(): void {
    this.#isUncalled = true;
  }

  /** The newest configuration of the core is in force here too. */
  adopt(configuration: Configuration): void {
    for (const { id, storeId } of this.#configuration?.members ?? []) this.#departed.set(id, storeId);
    for (const { id } of configuration.members) this.#departed.delete(id);
    this.#configuration = configuration;
  }

  /** A configuration that names the cluster has committed; returns whether that is news. */
  named(): boolean {
    const isNews = !this.#isNamed;
    this.#isNamed = true;
    return isNews;
  }

  /** As it stands in a configuration that has committed; "" before. */
  get clusterId(): string {
    return this.#isNamed ? (this.#configuration?.clusterId ?? "") : "";
  }

  /** This store is a member, as far as this node knows. */
  get isMember(): boolean {
    return holdsSeat(this.#configuration, this.#self);
  }

  /** What an operator does about a node that was removed, in a sentence. */
  get wayBack(): string {
    return `Stop it, or let it in again (${this.#lettingIn}).`;
  }

  get #lettingIn(): string {
    const { nodeId, address } = this.#self;
    return `\`folio members add ${nodeId} ${address} --voter\``;
  }

  hello(): Hello {
    return {
      type: "hello",
      ...this.#self,
      clusterId: this.clusterId,
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
    // A configuration as it was told, but named only if its name has committed: what a node founds on, it is bound by.
    const told = [...this.#hellos.values()].flatMap(({ configuration, clusterId }) =>
      configuration === undefined ? [] : [{ ...configuration, clusterId }],
    );
    const naming = told.find((configuration) => holdsSeat(configuration, this.#self)) ?? told[0];
    if (naming !== undefined && holdsSeat(naming, this.#self)) return { kind: "seated", configuration: naming };
    if (!this.#empty) return { kind: "foreign", why: "its store has content but no membership" };
    if (this.#founders.length === 0) return { kind: "joining" };
    if (naming !== undefined) return { kind: "foreign", why: this.#whyOutside(naming) };
    const waitingFor = this.#founders.map(({ id }) => this.#objection(id)).filter((reason) => reason !== undefined);
    if (this.#founders.length === 1 && !this.#isUncalled)
      waitingFor.push("this node still listens for the call of a cluster that knows it");
    if (waitingFor.length > 0) return { kind: "founding", waitingFor };
    return { kind: "seated", configuration: this.#foundingConfiguration() };
  }

  #seatIn(configuration: Configuration): Seat {
    if (holdsSeat(configuration, this.#self)) return { kind: "seated", configuration };
    if (!isDisplaced(configuration, this.#self)) return { kind: "removed" };
    return { kind: "foreign", why: this.#whyOutside(configuration) };
  }

  #whyOutside(configuration: Configuration): string {
    const { nodeId, storeId } = this.#self;
    const member = configuration.members.find(({ id }) => id === nodeId);
    if (member === undefined) {
      return `node ${nodeId} is not a member of the cluster. Let it in (${this.#lettingIn}), or start it with JOIN instead of PEERS`;
    }
    return (
      `the seat of node ${nodeId} belongs to store ${member.storeId}, but this data directory holds store ` +
      `${storeId}: it was wiped or replaced, and must not vote as if it remembered. Put the node's own ` +
      "directory back, or stop it and let it begin anew with `folio repair --rejoin`, which frees the seat"
    );
  }

  /**
   * Whether a message of the peer is heard; README.md, Identity, says why that is safe. What counts is
   * heard from the store that holds the peer's seat here, and from nobody else. What asks is heard from
   * any store of the same committed cluster as well, unless it knows itself displaced: a leader may be
   * outside of this node's configuration, which may be old (§4.1).
   */
  admits(peer: NodeId, type: PeerMessage["type"]): boolean {
    const hello = this.#hellos.get(peer);
    if (hello === undefined || this.#configuration === undefined || this.#isOfAnotherCluster(hello)) return false;
    // The name is not asked where none has committed: a founding entry that never did may still stand in
    // one of the two logs, and only messages can mend that.
    if (holdsSeat(this.#configuration, hello)) return true;
    // It counts nowhere any more, but its leader learns whether it knows of its removal.
    if (COUNTED.has(type)) return this.#departed.get(peer) === hello.storeId;
    return this.#isOfThisCluster(hello) && !isDisplaced(hello.configuration, hello);
  }

  /** Whether the peer's stream speaks for the store that holds its seat here. */
  counts(peer: NodeId): boolean {
    return !this.#departed.has(peer) && this.admits(peer, "appendReply");
  }

  /** Whether what a leader says to the peer's seat may go out on its stream: not if another store is at its end. */
  mayHear(peer: NodeId): boolean {
    const hello = this.#hellos.get(peer);
    return hello === undefined || !isDisplaced(this.#configuration, hello);
  }

  /** Whether the peer counts this very store as the holder of this node's seat. */
  isCountedBy(peer: NodeId): boolean {
    return holdsSeat(this.#hellos.get(peer)?.configuration, this.#self);
  }

  /** Peers of this cluster that go by a membership without this store: it was removed while it was away, or is about to be. */
  get strangersTo(): readonly NodeId[] {
    if (!this.isMember) return [];
    return [...this.#hellos.values()]
      .filter((hello) => hello.configuration !== undefined && this.#isOfThisCluster(hello))
      .filter(({ configuration }) => !holdsSeat(configuration, this.#self))
      .map(({ nodeId }) => nodeId)
      .sort((a, b) => a - b);
  }

  /** Where the peer says it is reached, if it holds its seat; host:port. */
  addressOf(peer: NodeId): string | undefined {
    const hello = this.#hellos.get(peer);
    return hello !== undefined && holdsSeat(this.#configuration, hello) ? hello.address : undefined;
  }

  /** Where a peer that may ask this node says that it is reached; host:port. */
  addressOfAsking(peer: NodeId): string | undefined {
    return this.admits(peer, "appendRequest") ? this.#hellos.get(peer)?.address : undefined;
  }

  /** Why the peer's messages are not heard, for operators; undefined if they are, or if it only asks to be let in. */
  refusal(peer: NodeId): string | undefined {
    const hello = this.#hellos.get(peer);
    if (hello === undefined || this.#configuration === undefined) return undefined;
    if (this.#isOfAnotherCluster(hello)) {
      return `node ${peer} belongs to cluster ${hello.clusterId}, this node to ${this.clusterId}`;
    }
    if (!isDisplaced(this.#configuration, hello)) return undefined;
    return `node ${peer} holds store ${hello.storeId}, which has no seat in this cluster`;
  }

  /**
   * A name that has committed elsewhere and stands in this node's log is its cluster's, committed here or
   * not: names are drawn once. While none stands here that has, the members of its founding say it.
   */
  #isOfThisCluster({ clusterId }: Hello): boolean {
    if (clusterId === "") return false;
    if (clusterId === this.#configuration?.clusterId) return true;
    return !this.#isNamed && this.#toldName() === clusterId;
  }

  /** What those who hold a seat here call the cluster, if they are of one mind; else "". */
  #toldName(): string {
    const names = new Set<string>();
    for (const hello of this.#hellos.values()) {
      if (hello.clusterId !== "" && holdsSeat(this.#configuration, hello)) names.add(hello.clusterId);
    }
    const [name = ""] = names;
    return names.size === 1 ? name : "";
  }

  #isOfAnotherCluster(hello: Hello): boolean {
    return hello.clusterId !== "" && this.clusterId !== "" && hello.clusterId !== this.clusterId;
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
