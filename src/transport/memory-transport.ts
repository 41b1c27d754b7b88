import { invariant } from "../assert.js";
import type { NodeId } from "../raft/types.js";
import { MemoryCalls } from "./memory-calls.js";
import { MemorySnapshots } from "./memory-snapshots.js";
import type { PeerAddress, PeerCalls, PeerMessage, Transport, TransportEvents } from "./transport.js";

/** One thing that is about to happen at `to`. */
export interface NetworkEvent {
  /** A part of a snapshot ("chunk": also what asks for it) and of a call go outside of the stream. */
  readonly kind: "stream" | "frame" | "chunk" | "call";
  readonly from: NodeId;
  readonly to: NodeId;
}

export interface MemoryNetworkOptions {
  /**
   * Calls back later, never at once, and after a delay of its own choosing: a simulator decides
   * when everything happens. Frames of one stream arrive in order whatever the delays are.
   */
  readonly defer: (callback: () => void, event: NetworkEvent) => void;
  /** A node's wall clock, ms. */
  readonly wall: (node: NodeId) => number;
  /**
   * What of a frame gets through, asked when it arrives: all, some or none of its messages.
   * Losing messages without ending the stream is harsher than TCP; `cut` ends streams.
   */
  readonly filter?: (from: NodeId, to: NodeId, messages: readonly PeerMessage[]) => readonly PeerMessage[];
  /** Whether a part of a snapshot or of a call gets lost, which ends it; asked when it arrives. */
  readonly loses?: (event: NetworkEvent) => boolean;
  /** Calls back after a time of the network's clock, unless cancelled. Absent: snapshots and calls may wait for ever. */
  readonly timer?: (delayMs: number, callback: () => void) => () => void;
}

interface Frame {
  readonly messages: readonly PeerMessage[];
  readonly clock: number;
}

/** A stream between two nodes, while it lives. */
interface Stream {
  open: boolean;
  /** Frames on their way, by the node they go to. */
  readonly underway: Map<NodeId, Frame[]>;
}

/** What one node has to do with one other. */
interface Side {
  stream: Stream | undefined;
  /** The stream that `connected` was called for. */
  announced: Stream | undefined;
}

interface Endpoint {
  readonly id: NodeId;
  /** What calls know it by. */
  readonly address: string;
  events: TransportEvents | undefined;
  peers: ReadonlySet<NodeId>;
  readonly sides: Map<NodeId, Side>;
}

/**
 * A network in memory, for tests and the simulator. Messages are passed on as the objects that they
 * are, not copied: sender and receiver share them, so neither may change one. A node is reached by
 * its id, whatever the addresses of peers say; only calls go by address.
 */
export class MemoryNetwork {
  readonly #options: MemoryNetworkOptions;
  readonly #endpoints = new Map<NodeId, Endpoint>();
  /** Pairs that cannot reach each other, as `pairOf` names them. */
  readonly #cut = new Set<string>();
  readonly #snapshots: MemorySnapshots;
  readonly #calls: MemoryCalls;

  constructor(options: MemoryNetworkOptions) {
    this.#options = options;
    const { defer, timer } = options;
    this.#snapshots = new MemorySnapshots({
      defer: (callback, from, to) => defer(callback, { kind: "chunk", from, to }),
      reaches: (from, to) => this.#reaches({ kind: "chunk", from, to }),
      listener: (id) => this.#endpoints.get(id),
      timer,
    });
    this.#calls = new MemoryCalls({
      defer: (callback, from, to) => defer(callback, { kind: "call", from, to }),
      reaches: (from, to) => this.#reaches({ kind: "call", from, to }),
      listener: (address) => [...this.#endpoints.values()].find((endpoint) => endpoint.address === address),
      timer,
    });
  }

  /**
   * A transport for one life of a node; a restarted node takes another.
   * @param address where calls reach it
   */
  transport(nodeId: NodeId, address = `node-${nodeId}:7070`): Transport {
    const endpoint: Endpoint = { id: nodeId, address, events: undefined, peers: new Set(), sides: new Map() };
    return {
      start: (events) => this.#start(endpoint, events),
      setPeers: (peers) => this.#setPeers(endpoint, peers),
      send: (to, messages) => this.#send(endpoint, to, messages),
      fetchSnapshot: (from, least, sink) => this.#snapshots.fetch(endpoint, { from, least, sink }),
      stop: () => this.#stop(endpoint),
    };
  }

  /** How a caller asks nodes by their address. @param from whose links the calls go over; 0: nobody's, never cut */
  calls(from: NodeId | 0): PeerCalls {
    return this.#calls.of(from);
  }

  /** Ends the stream between two nodes, and what else is under way between them, and keeps them apart. */
  cut(one: NodeId, other: NodeId): void {
    this.#cut.add(pairOf(one, other));
    this.#disconnect(one, other);
    this.#snapshots.cut((sender, receiver) => pairOf(sender, receiver) === pairOf(one, other));
    this.#calls.cut((caller, called) => pairOf(caller, called) === pairOf(one, other));
  }

  heal(one: NodeId, other: NodeId): void {
    this.#cut.delete(pairOf(one, other));
    this.#connectWanted();
  }

  async #start(endpoint: Endpoint, events: TransportEvents): Promise<void> {
    invariant(endpoint.events === undefined, "a transport is started once");
    if (this.#endpoints.has(endpoint.id)) throw new Error(`node ${endpoint.id} is on the network already`);
    endpoint.events = events;
    this.#endpoints.set(endpoint.id, endpoint);
    this.#connectWanted();
  }

  #setPeers(endpoint: Endpoint, peers: readonly PeerAddress[]): void {
    const next = new Set(peers.map(({ id }) => id).filter((id) => id !== endpoint.id));
    const dropped = [...endpoint.peers].filter((id) => !next.has(id));
    endpoint.peers = next;
    if (!this.#live(endpoint)) return;
    for (const id of dropped) this.#disconnect(endpoint.id, id);
    this.#connectWanted();
  }

  #send(endpoint: Endpoint, to: NodeId, messages: readonly PeerMessage[]): void {
    const side = endpoint.sides.get(to);
    const stream = side?.announced;
    // A stream is up for its sender once `connected` said so.
    if (stream === undefined || stream !== side?.stream || messages.length === 0) return;
    stream.underway.get(to)?.push({ messages, clock: this.#options.wall(endpoint.id) });
    this.#options.defer(() => this.#arrive(stream, endpoint.id, to), { kind: "frame", from: endpoint.id, to });
  }

  async #stop(endpoint: Endpoint): Promise<void> {
    if (!this.#live(endpoint)) return;
    for (const peer of endpoint.sides.keys()) this.#disconnect(endpoint.id, peer);
    this.#endpoints.delete(endpoint.id);
    this.#snapshots.gone(endpoint.id);
    this.#calls.cut((_caller, called) => called === endpoint.id);
  }

  #reaches(event: NetworkEvent): boolean {
    return !this.#cut.has(pairOf(event.from, event.to)) && this.#options.loses?.(event) !== true;
  }

  #live(endpoint: Endpoint): boolean {
    return this.#endpoints.get(endpoint.id) === endpoint;
  }

  /** The node with the higher id dials those it has as peers; whoever is called answers. */
  #connectWanted(): void {
    for (const dialler of this.#endpoints.values()) {
      for (const id of dialler.peers) {
        const acceptor = this.#endpoints.get(id);
        if (acceptor === undefined || id > dialler.id || this.#cut.has(pairOf(id, dialler.id))) continue;
        if (sideOf(dialler, id).stream === undefined) this.#connect(dialler, acceptor);
      }
    }
  }

  #connect(dialler: Endpoint, acceptor: Endpoint): void {
    const underway = new Map<NodeId, Frame[]>([
      [dialler.id, []],
      [acceptor.id, []],
    ]);
    const stream: Stream = { open: true, underway };
    sideOf(dialler, acceptor.id).stream = stream;
    sideOf(acceptor, dialler.id).stream = stream;
    this.#announceLater(dialler, acceptor.id);
    this.#announceLater(acceptor, dialler.id);
  }

  #disconnect(one: NodeId, other: NodeId): void {
    const first = this.#endpoints.get(one);
    const second = this.#endpoints.get(other);
    if (first === undefined || second === undefined) return;
    const side = sideOf(first, other);
    if (side.stream === undefined) return;
    side.stream.open = false;
    side.stream = undefined;
    sideOf(second, one).stream = undefined;
    this.#announceLater(first, other);
    this.#announceLater(second, one);
    // As a dialler would after its backoff: a stranger that calls is answered.
    this.#options.defer(() => this.#connectWanted(), { kind: "stream", from: one, to: other });
  }

  #announceLater(endpoint: Endpoint, peer: NodeId): void {
    this.#options.defer(() => this.#announce(endpoint, peer), { kind: "stream", from: peer, to: endpoint.id });
  }

  /** Tells what became of the stream since the last time. */
  #announce(endpoint: Endpoint, peer: NodeId): void {
    const side = sideOf(endpoint, peer);
    if (!this.#live(endpoint) || side.announced === side.stream) return;
    if (side.announced !== undefined) {
      side.announced = undefined;
      endpoint.events?.disconnected(peer);
    }
    if (side.stream === undefined || !this.#live(endpoint)) return;
    side.announced = side.stream;
    endpoint.events?.connected(peer);
  }

  #arrive(stream: Stream, from: NodeId, to: NodeId): void {
    const endpoint = this.#endpoints.get(to);
    const frame = stream.underway.get(to)?.shift();
    if (!stream.open || endpoint === undefined || frame === undefined) return;
    // The news of a stream may be slower than its first frame.
    this.#announce(endpoint, from);
    if (!stream.open) return;
    const { filter } = this.#options;
    const messages = filter === undefined ? frame.messages : filter(from, to, frame.messages);
    if (messages.length > 0) endpoint.events?.received(from, messages, frame.clock);
  }
}

function pairOf(one: NodeId, other: NodeId): string {
  return one < other ? `${one}-${other}` : `${other}-${one}`;
}

function sideOf(endpoint: Endpoint, peer: NodeId): Side {
  let side = endpoint.sides.get(peer);
  if (side === undefined) {
    side = { stream: undefined, announced: undefined };
    endpoint.sides.set(peer, side);
  }
  return side;
}
