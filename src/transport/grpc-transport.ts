import { status } from "@grpc/grpc-js";
import { invariant } from "../assert.js";
import type { LogIndex, NodeId } from "../raft/types.js";
import { type Notice, PeerLink } from "./peer-link.js";
import { endInbound, type InboundCall, PeerListener, type SnapshotCall } from "./peer-listener.js";
import { PeerQuestions } from "./peer-questions.js";
import type { StreamEnd } from "./peer-stream.js";
import { GrpcSnapshotFetch } from "./snapshot-fetch.js";
import { SNAPSHOT_IDLE_MS, SNAPSHOT_STALL_MS, snapshotFailure } from "./snapshot-limits.js";
import { ServedSnapshots } from "./snapshot-serving.js";
import type { PeerAddress, PeerMessage, SnapshotFetch, SnapshotSink, Transport, TransportEvents } from "./transport.js";
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
  /** How long the receiver of a snapshot waits for a chunk, and its sender for one to be taken; for tests. */
  readonly snapshotIdleMs?: number;
  readonly snapshotStallMs?: number;
}

/** The transport over @grpc/grpc-js: see README.md. */
export class GrpcTransport implements Transport {
  readonly #options: GrpcTransportOptions;
  readonly #listener: PeerListener;
  readonly #links = new Map<NodeId, PeerLink>();
  /** Of the peers, whoever dials: snapshots are fetched there. */
  #addresses: ReadonlyMap<NodeId, string> = new Map();
  readonly #served: ServedSnapshots;
  readonly #questions = new PeerQuestions(() => this.#events);
  readonly #fetches = new Set<SnapshotFetch>();
  readonly #counters = newCounters();
  #events: TransportEvents | undefined;
  #tick: NodeJS.Timeout | undefined;
  #state: "new" | "starting" | "running" | "stopped" = "new";
  #port: number;

  constructor(options: GrpcTransportOptions) {
    this.#options = options;
    this.#port = options.port;
    this.#served = new ServedSnapshots(options.snapshotStallMs ?? SNAPSHOT_STALL_MS);
    const events = {
      refuse: (from: NodeId) => this.#refuse(from),
      accepted: (from: NodeId, call: InboundCall) => this.#link(from).accept(call, (end) => endInbound(call, end)),
      snapshotWanted: (from: NodeId, least: LogIndex, call: SnapshotCall) => this.#serve(from, least, call),
    };
    this.#listener = new PeerListener(options.nodeId, events, this.#questions);
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
    this.#addresses = next;
    for (const link of [...this.#links.values()]) {
      if (!link.known || next.has(link.peer)) continue;
      this.#links.delete(link.peer);
      link.close({ code: status.CANCELLED, details: `node ${nodeId} does not count this node among its peers` });
    }
    for (const [peer, address] of next) {
      const link = this.#link(peer);
      link.known = true;
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

  fetchSnapshot(from: NodeId, least: LogIndex, sink: SnapshotSink): SnapshotFetch {
    const { nodeId: self, snapshotIdleMs: idleMs = SNAPSHOT_IDLE_MS } = this.#options;
    const address = this.#addresses.get(from);
    if (address === undefined || this.#state !== "running") return this.#fetchNothing(from, sink);
    const over = (ended: SnapshotFetch) => this.#fetches.delete(ended);
    const fetch = new GrpcSnapshotFetch({ self, from, address, least, sink, idleMs, over });
    this.#fetches.add(fetch);
    return fetch;
  }

  async stop(): Promise<void> {
    if (this.#state === "stopped") return;
    this.#state = "stopped";
    this.#events = undefined;
    clearInterval(this.#tick);
    const end = { code: status.UNAVAILABLE, details: `node ${this.#options.nodeId} is stopping` };
    for (const fetch of this.#fetches) fetch.cancel();
    this.#fetches.clear();
    this.#served.endAll(end);
    this.#questions.end();
    for (const link of this.#links.values()) link.close(end);
    this.#links.clear();
    await this.#listener.close();
  }

  #fetchNothing(from: NodeId, sink: SnapshotSink): SnapshotFetch {
    let isCancelled = false;
    queueMicrotask(() => {
      if (isCancelled || this.#state === "stopped") return;
      sink.ended(snapshotFailure(from, "it is no peer, so its address is not known"));
    });
    return {
      cancel: () => {
        isCancelled = true;
      },
    };
  }

  #serve(from: NodeId, least: LogIndex, call: SnapshotCall): void {
    this.#served.serve(call, (done) => {
      if (this.#events === undefined) done({ refusal: "this node is stopping" });
      else this.#events.snapshotRequested(from, least, done);
    });
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
    const link = this.#links.get(from);
    // Both dialled at once: this node's stream stays.
    if (from < this.#options.nodeId && link?.holdsOwnStream === true) {
      return { code: status.ALREADY_EXISTS, details: "a stream between the two is up" };
    }
    if (link !== undefined) return undefined;
    let strangers = 0;
    for (const link of this.#links.values()) if (!link.known) strangers += 1;
    if (strangers < STRANGERS_MAX) return undefined;
    return { code: status.RESOURCE_EXHAUSTED, details: `${STRANGERS_MAX} nodes that are no peers are connected` };
  }

  #onTick(): void {
    for (const link of this.#links.values()) link.tick();
  }
}
