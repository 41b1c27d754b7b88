import { status } from "@grpc/grpc-js";
import { invariant } from "../assert.js";
import type { NodeId } from "../raft/types.js";
import { type Notice, PeerLink } from "./peer-link.js";
import { endInbound, PeerListener } from "./peer-listener.js";
import type { StreamEnd } from "./peer-stream.js";
import type { PeerAddress, PeerMessage, Transport, TransportEvents } from "./transport.js";
import { newCounters, type TransportStats } from "./transport-stats.js";

/** How often an idle stream says that it lives; half-way between noticing soon and costing nothing. */
const TICK_MS = 500;
/** Nodes that are no peers (yet) may call, but not without end. */
const STRANGERS_MAX = 16;

export interface GrpcTransportOptions {
  readonly nodeId: NodeId;
  /** What to bind to; an IPv6 address without brackets. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Milliseconds since the epoch. */
  readonly wall: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly notice: Notice;
}

/** The transport over @grpc/grpc-js: see README.md. */
export class GrpcTransport implements Transport {
  readonly #options: GrpcTransportOptions;
  readonly #listener: PeerListener;
  readonly #links = new Map<NodeId, PeerLink>();
  readonly #counters = newCounters();
  #events: TransportEvents | undefined;
  #tick: NodeJS.Timeout | undefined;
  #state: "new" | "starting" | "running" | "stopped" = "new";
  #port: number;

  constructor(options: GrpcTransportOptions) {
    this.#options = options;
    this.#port = options.port;
    this.#listener = new PeerListener(options.nodeId, {
      refuse: (from) => this.#refuse(from),
      accepted: (from, call) => this.#link(from).open(call, (end) => endInbound(call, end)),
    });
  }

  /** The port that is listened on, once `start` has resolved. */
  get port(): number {
    return this.#port;
  }

  get stats(): TransportStats {
    let peersConnected = 0;
    for (const link of this.#links.values()) if (link.connected) peersConnected += 1;
    return { ...this.#counters, peersConnected };
  }

  /** @throws Error with a sentence that names the address, when it cannot be listened on */
  async start(events: TransportEvents): Promise<void> {
    invariant(this.#state === "new", "a transport is started once");
    this.#state = "starting";
    this.#events = events;
    const { host, port } = this.#options;
    this.#port = await this.#listener.listen(`${host.includes(":") ? `[${host}]` : host}:${port}`);
    if (this.#state !== "starting") return;
    this.#state = "running";
    this.#tick = setInterval(() => this.#onTick(), TICK_MS);
    for (const link of this.#links.values()) link.dial();
  }

  setPeers(peers: readonly PeerAddress[]): void {
    if (this.#state === "stopped") return;
    const { nodeId } = this.#options;
    const next = new Map(peers.filter(({ id }) => id !== nodeId).map(({ id, address }) => [id, address]));
    for (const link of [...this.#links.values()]) {
      if (!link.known || next.has(link.peer)) continue;
      this.#links.delete(link.peer);
      link.close({ code: status.CANCELLED, details: `node ${nodeId} does not count this node among its peers` });
    }
    for (const [peer, address] of next) {
      const link = this.#link(peer);
      link.known = true;
      // The node with the higher id dials; the other waits for it.
      if (peer > nodeId) continue;
      link.dialAt(address);
      if (this.#state === "running") link.dial();
    }
  }

  send(to: NodeId, messages: readonly PeerMessage[]): void {
    if (messages.length === 0) return;
    const link = this.#links.get(to);
    if (link === undefined) this.#counters.framesDropped += 1;
    else link.send(messages);
  }

  async stop(): Promise<void> {
    if (this.#state === "stopped") return;
    this.#state = "stopped";
    this.#events = undefined;
    clearInterval(this.#tick);
    for (const link of this.#links.values()) {
      link.close({ code: status.UNAVAILABLE, details: `node ${this.#options.nodeId} is stopping` });
    }
    this.#links.clear();
    await this.#listener.close();
  }

  #link(peer: NodeId): PeerLink {
    const existing = this.#links.get(peer);
    if (existing !== undefined) return existing;
    const { nodeId, wall, random, notice } = this.#options;
    const link = new PeerLink({
      self: nodeId,
      peer,
      wall,
      random,
      notice,
      counters: this.#counters,
      events: () => this.#events,
      ended: () => {
        if (!link.known) this.#links.delete(peer);
      },
    });
    this.#links.set(peer, link);
    return link;
  }

  #refuse(from: NodeId): StreamEnd | undefined {
    if (this.#state === "stopped") return { code: status.UNAVAILABLE, details: "this node is stopping" };
    if (this.#links.has(from)) return undefined;
    let strangers = 0;
    for (const link of this.#links.values()) if (!link.known) strangers += 1;
    if (strangers < STRANGERS_MAX) return undefined;
    return { code: status.RESOURCE_EXHAUSTED, details: `${STRANGERS_MAX} nodes that are no peers are connected` };
  }

  #onTick(): void {
    for (const link of this.#links.values()) link.tick();
  }
}
