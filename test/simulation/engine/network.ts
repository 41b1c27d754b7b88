import type { NodeId, RaftMessage } from "../../../src/raft/types.js";
import { MemorySnapshots } from "../../../src/transport/memory-snapshots.js";
import type { PeerAddress, PeerMessage, Transport, TransportEvents } from "../../../src/transport/transport.js";
import { describeMessage } from "./describe-message.js";
import type { EventQueue } from "./event-queue.js";
import type { NodeTime } from "./node-time.js";
import type { Random } from "./random.js";
import type { Trace } from "./trace.js";

/** How one direction between two nodes behaves now. */
export interface LinkWeather {
  /** Nothing gets through, and nobody is told. */
  blocked: boolean;
  /** Probabilities per frame, or per Raft message where they are reordered. */
  loss: number;
  duplication: number;
  /** Each Raft message travels on its own, at its own speed. */
  reordering: boolean;
  delayMs: number;
  jitterMs: number;
}

/** One stream between two nodes. */
interface Stream {
  open: boolean;
  /** Who was told of it. */
  readonly announced: Set<NodeId>;
  /** A hello got lost in it: only a new stream brings another. */
  lostHello: boolean;
}

interface Endpoint {
  readonly id: NodeId;
  readonly storeId: string;
  readonly time: NodeTime;
  events: TransportEvents | undefined;
  peers: ReadonlySet<NodeId>;
  /** By peer: the news of an ended stream that this node has not heard yet. It comes before any news of the next. */
  readonly leaving: Map<NodeId, () => void>;
}

interface Link {
  readonly weather: LinkWeather;
  arrivesAtMs: number;
}

const RECONNECT_MS = 5;
/** After so long without a stream the node with the lower id dials, too. */
const DIAL_PATIENCE_MS = 2000;
/** All of them: the compiler asks for a new one. */
const RAFT_MESSAGES: Readonly<Record<RaftMessage["type"], true>> = {
  voteRequest: true,
  voteReply: true,
  appendRequest: true,
  appendReply: true,
  installSnapshot: true,
  timeoutNow: true,
  readRequest: true,
  readReply: true,
};
const RAFT_TYPES: ReadonlySet<string> = new Set(Object.keys(RAFT_MESSAGES));

/**
 * The network between the nodes. Harsher than the contract of a Transport for Raft messages, which
 * may be lost, repeated and overtaken at any time, as long as the store that sent them lives; other messages keep the contract of one stream:
 * in order, at most once, lost only silently or with the stream.
 */
export class SimulatedNetwork {
  readonly #queue: EventQueue;
  readonly #random: Random;
  #calm: LinkWeather;
  readonly #endpoints = new Map<NodeId, Endpoint>();
  readonly #streams = new Map<string, Stream>();
  readonly #links = new Map<number, Link>();
  readonly #snapshots: MemorySnapshots;
  #isBreakingStreams = true;
  readonly #trace: Trace | undefined;

  constructor(options: {
    readonly queue: EventQueue;
    readonly random: Random;
    readonly calm: LinkWeather;
    readonly trace: Trace | undefined;
  }) {
    this.#queue = options.queue;
    this.#random = options.random;
    this.#calm = options.calm;
    this.#trace = options.trace;
    this.#snapshots = new MemorySnapshots({
      defer: (callback, from, to) => this.#carryChunk(callback, from, to),
      reaches: (from, to) => {
        const { blocked, loss } = this.weather(from, to);
        // What a calm link loses, the stream repeats; a rough one breaks it.
        const mayBreak = this.#isBreakingStreams && loss > this.#calm.loss;
        return !blocked && !(mayBreak && this.#random.chance(loss));
      },
      listener: (id) => this.#endpoints.get(id),
      timer: undefined,
    });
  }

  /** A transport for one life of a node. `watch` sees everything that leaves. */
  transport(
    { id, storeId, time }: Pick<Endpoint, "id" | "storeId" | "time">,
    watch: (messages: readonly PeerMessage[]) => void,
  ): Transport {
    const endpoint: Endpoint = { id, storeId, time, events: undefined, peers: new Set(), leaving: new Map() };
    return {
      start: async (events) => {
        endpoint.events = events;
        this.#endpoints.set(id, endpoint);
      },
      setPeers: (peers) => this.#setPeers(endpoint, peers),
      send: (to, messages) => {
        watch(messages);
        this.#send(endpoint, to, messages);
      },
      fetchSnapshot: (from, least, sink) => this.#snapshots.fetch(endpoint, { from, least, sink }),
      stop: async () => this.vanish(id),
    };
  }

  weather(from: NodeId, to: NodeId): LinkWeather {
    return this.#link(from, to).weather;
  }

  /** Links that are calmed down from now on lose nothing. */
  loseNothing(): void {
    this.#calm = { ...this.#calm, loss: 0 };
  }

  /** Every direction as it was at first; streams that lost a hello begin anew. */
  calmDown(from: NodeId, to: NodeId): void {
    Object.assign(this.#link(from, to).weather, this.#calm);
    const stream = this.#streams.get(pairOf(from, to));
    if (stream?.lostHello === true) this.reset(from, to);
    this.#connectLater(from, to);
  }

  /** Ends the stream between two nodes; both are told, and it is tried again. */
  reset(one: NodeId, other: NodeId): void {
    const stream = this.#streams.get(pairOf(one, other));
    if (stream === undefined) return;
    stream.open = false;
    this.#streams.delete(pairOf(one, other));
    for (const [id, peer] of [
      [one, other],
      [other, one],
    ] as const) {
      const endpoint = this.#endpoints.get(id);
      if (endpoint === undefined || !stream.announced.has(id)) continue;
      const tell = () => {
        if (endpoint.leaving.get(peer) !== tell) return;
        endpoint.leaving.delete(peer);
        endpoint.events?.disconnected(peer);
      };
      endpoint.leaving.set(peer, tell);
      this.#queue.schedule(this.#random.between(0, 1), "input", endpoint.time, tell);
    }
    this.#connectLater(one, other);
  }

  /** Links that are rough for ever lose messages for ever, but no stream of a snapshot breaks each time that it is tried. */
  breakNoStreams(): void {
    this.#isBreakingStreams = false;
  }

  /** Every snapshot on its way is cut off. */
  cutSnapshots(): void {
    this.#snapshots.cut(() => true);
  }

  /** The node is gone: its streams end. */
  vanish(id: NodeId): void {
    const endpoint = this.#endpoints.get(id);
    if (endpoint === undefined) return;
    this.#endpoints.delete(id);
    for (const peer of [...this.#endpoints.keys()]) this.reset(id, peer);
    this.#snapshots.gone(id);
  }

  #setPeers(endpoint: Endpoint, peers: readonly PeerAddress[]): void {
    const before = endpoint.peers;
    endpoint.peers = new Set(peers.map(({ id }) => id).filter((id) => id !== endpoint.id));
    for (const id of before) if (!endpoint.peers.has(id) && this.#isLive(endpoint)) this.reset(endpoint.id, id);
    for (const id of endpoint.peers) this.#connectLater(endpoint.id, id);
  }

  #connectLater(one: NodeId, other: NodeId): void {
    const delayMs = RECONNECT_MS * this.#random.between(0.2, 2);
    this.#queue.schedule(delayMs, "world", undefined, () => this.#connect(one, other));
  }

  /**
   * The node with the higher id dials those it has as peers; whoever is called answers. Where it does not know the other,
   * that one dials when it has waited for long.
   */
  #connect(one: NodeId, other: NodeId, hasWaited = false): void {
    const pair = pairOf(one, other);
    const dialler = this.#endpoints.get(Math.max(one, other));
    const acceptor = this.#endpoints.get(Math.min(one, other));
    if (dialler === undefined || acceptor === undefined || this.#streams.has(pair)) return;
    if (!dialler.peers.has(acceptor.id)) {
      if (!acceptor.peers.has(dialler.id)) return;
      if (!hasWaited) {
        this.#queue.schedule(DIAL_PATIENCE_MS, "world", undefined, () => this.#connect(one, other, true));
        return;
      }
    }
    if (this.weather(one, other).blocked || this.weather(other, one).blocked) return;
    const stream: Stream = { open: true, announced: new Set(), lostHello: false };
    this.#streams.set(pair, stream);
    for (const [endpoint, peer] of [
      [dialler, acceptor.id],
      [acceptor, dialler.id],
    ] as const) {
      this.#queue.schedule(this.#random.between(0, 1), "input", endpoint.time, () =>
        this.#announce(stream, endpoint, peer),
      );
    }
  }

  #announce(stream: Stream, endpoint: Endpoint, peer: NodeId): void {
    if (!stream.open || stream.announced.has(endpoint.id)) return;
    stream.announced.add(endpoint.id);
    endpoint.leaving.get(peer)?.();
    endpoint.events?.connected(peer);
  }

  #send(endpoint: Endpoint, to: NodeId, messages: readonly PeerMessage[]): void {
    const stream = this.#streams.get(pairOf(endpoint.id, to));
    if (stream === undefined || !stream.announced.has(endpoint.id) || !this.#isLive(endpoint)) return;
    const link = this.#link(endpoint.id, to);
    const { weather } = link;
    if (!weather.reordering) {
      this.#sendInOrder(stream, endpoint, to, messages);
      return;
    }
    for (const message of messages) {
      if (isRaft(message)) this.#sendAlone(stream, endpoint, to, message);
      else this.#sendInOrder(stream, endpoint, to, [message]);
    }
  }

  #sendInOrder(stream: Stream, from: Endpoint, to: NodeId, messages: readonly PeerMessage[]): void {
    const link = this.#link(from.id, to);
    const { weather } = link;
    if (weather.blocked || (weather.loss > 0 && this.#random.chance(weather.loss))) {
      this.#lose(stream, from.id, to, messages);
      return;
    }
    const delayMs = weather.delayMs + this.#random.unit() * weather.jitterMs;
    link.arrivesAtMs = Math.max(link.arrivesAtMs, this.#queue.nowMs + delayMs);
    this.#deliver(stream, from, to, messages, link.arrivesAtMs - this.#queue.nowMs);
    if (weather.duplication === 0 || !this.#random.chance(weather.duplication)) return;
    const repeated = messages.filter(isRaft);
    if (repeated.length > 0) this.#deliver(stream, from, to, repeated, delayMs + this.#random.between(0, 500));
  }

  #sendAlone(stream: Stream, from: Endpoint, to: NodeId, message: RaftMessage): void {
    const { weather } = this.#link(from.id, to);
    const copies = this.#random.chance(weather.duplication) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      if (weather.blocked || this.#random.chance(weather.loss)) {
        this.#lose(stream, from.id, to, [message]);
        continue;
      }
      // Now and then very late: an answer from another age.
      const lateMs = this.#random.chance(0.05) ? this.#random.between(50, 1500) : 0;
      const delayMs = weather.delayMs + this.#random.unit() * weather.jitterMs * 4 + lateMs;
      this.#deliver(stream, from, to, [message], delayMs);
    }
  }

  #lose(stream: Stream, from: NodeId, to: NodeId, messages: readonly PeerMessage[]): void {
    for (const message of messages) {
      this.#trace?.note(`n${from}`, `-x-> n${to} lost: ${describeMessage(message)}`);
      if (message.type !== "hello" || stream.lostHello) continue;
      stream.lostHello = true;
      // A blocked direction mends its stream when it is free again, a lossy one soon.
      if (!this.weather(from, to).blocked) {
        this.#queue.schedule(20, "world", undefined, () => {
          if (stream.open) this.reset(from, to);
        });
      }
    }
  }

  #deliver(stream: Stream, from: Endpoint, to: NodeId, messages: readonly PeerMessage[], delayMs: number): void {
    const target = this.#endpoints.get(to);
    if (target === undefined) return;
    const clock = from.time.wall();
    if (this.#trace !== undefined) {
      for (const message of messages) {
        const arrival = (this.#queue.nowMs + delayMs).toFixed(3);
        this.#trace.note(`n${from.id}`, `---> n${to} at ${arrival}: ${describeMessage(message)}`);
      }
    }
    const event = this.#queue.schedule(delayMs, "input", target.time, () => {
      if (!this.#isLive(target)) return;
      if (stream.open) this.#announce(stream, target, from.id);
      // Raft messages may outlive their stream, and the process; everything else dies with it.
      const arrived = stream.open ? messages : this.#isReplaced(from) ? [] : messages.filter(isRaft);
      if (arrived.length > 0) target.events?.received(from.id, arrived, clock);
    });
    for (const message of messages) if (message.type === "appendRequest") event.heartbeatTerm = message.term;
  }

  #carryChunk(callback: () => void, from: NodeId, to: NodeId): void {
    const { delayMs, jitterMs } = this.weather(from, to);
    const target = this.#endpoints.get(to);
    this.#queue.schedule(delayMs + this.#random.unit() * jitterMs, "input", target?.time, callback);
  }

  /** Another store runs under its id: whoever speaks for a store, speaks on a stream of its own. */
  #isReplaced({ id, storeId }: Endpoint): boolean {
    const now = this.#endpoints.get(id);
    return now !== undefined && now.storeId !== storeId;
  }

  #isLive(endpoint: Endpoint): boolean {
    return this.#endpoints.get(endpoint.id) === endpoint;
  }

  #link(from: NodeId, to: NodeId): Link {
    const key = from * 64 + to;
    let link = this.#links.get(key);
    if (link === undefined) {
      link = { weather: { ...this.#calm }, arrivesAtMs: 0 };
      this.#links.set(key, link);
    }
    return link;
  }
}

function isRaft(message: PeerMessage): message is RaftMessage {
  return RAFT_TYPES.has(message.type);
}

function pairOf(one: NodeId, other: NodeId): string {
  return one < other ? `${one}-${other}` : `${other}-${one}`;
}
