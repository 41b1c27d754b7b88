import { status } from "@grpc/grpc-js";
import type { NodeId } from "../raft/types.js";
import { Backoff } from "./backoff.js";
import { PeerDialler } from "./peer-dialler.js";
import { type FrameCall, PeerStream, type StreamEnd } from "./peer-stream.js";
import type { PeerMessage, TransportEvents } from "./transport.js";
import type { TransportCounters } from "./transport-stats.js";

const BACKOFF_MIN_MS = 50;
const BACKOFF_MAX_MS = 2_000;
/** A stream that lived this long was healthy: the next one is dialled without waiting long. */
const HEALTHY_AFTER_MS = 1_000;
/** Ticks without a sound after which another stream is dialled beside the silent one. */
const SILENT_TICKS_MAX = 4;
const BUFFER_LIMIT_BYTES = 32 * 1024 * 1024;

/** Something an operator should read, in a sentence. */
export type Notice = (level: "info" | "warn", message: string, details: Readonly<Record<string, unknown>>) => void;

export interface PeerLinkOptions {
  readonly self: NodeId;
  readonly peer: NodeId;
  readonly wall: () => number;
  readonly random: () => number;
  readonly notice: Notice;
  readonly counters: TransportCounters;
  /** Undefined once the transport has stopped. */
  readonly events: () => TransportEvents | undefined;
  /** The stream ended by itself. */
  readonly ended: (link: PeerLink) => void;
}

/** What this node has to do with one other node: a stream, a way to dial it, or both. */
export class PeerLink {
  readonly #options: PeerLinkOptions;
  readonly #backoff: Backoff;
  /** In setPeers; otherwise a stranger that called. */
  known = false;
  #stream: PeerStream | undefined;
  /** The stream that `connected` was called for. */
  #announced: PeerStream | undefined;
  #dialler: PeerDialler | undefined;
  #openedAtMs = 0;
  /** Why no stream came up: told once, until the reason changes. */
  #lastFailure: string | undefined;

  constructor(options: PeerLinkOptions) {
    this.#options = options;
    this.#backoff = new Backoff({ minMs: BACKOFF_MIN_MS, maxMs: BACKOFF_MAX_MS, random: options.random });
  }

  get peer(): NodeId {
    return this.#options.peer;
  }

  get connected(): boolean {
    return this.#stream !== undefined;
  }

  /** The address to dial the peer at, from now on. A stream to another address is closed. */
  dialAt(address: string): void {
    if (this.#dialler?.address === address) return;
    if (this.#dialler !== undefined) {
      this.#dialler.stop();
      this.#closeStream({ code: status.CANCELLED, details: "the peer's address changed" });
    }
    const { self, peer } = this.#options;
    this.#dialler = new PeerDialler({
      self,
      peer,
      address,
      backoff: this.#backoff,
      wanted: () => this.#wanting,
      connected: ({ call, hangUp }) => this.open(call, hangUp),
      failed: (reason) => this.#onFailure(address, reason),
    });
  }

  /** Dials now, where this node is the one to dial and no sound stream is up. */
  dial(): void {
    if (this.#wanting) this.#dialler?.dial();
  }

  /** Takes a stream into use. It replaces an older one: whoever opened it had a reason to. */
  open(call: FrameCall, endCall: (end: StreamEnd) => void): void {
    const { self, peer, wall, counters, events, notice } = this.#options;
    const older = this.#stream;
    const stream = new PeerStream({
      ends: { from: peer, to: self },
      call,
      endCall,
      counters,
      wall,
      bufferLimitBytes: BUFFER_LIMIT_BYTES,
      events: {
        received: (messages, clock) => events()?.received(peer, messages, clock),
        ended: (end) => this.#onEnded(end),
        oversize: (bytes) => notice("warn", `a message to node ${peer} is too large to be sent`, { peer, bytes }),
      },
    });
    this.#stream = stream;
    this.#openedAtMs = performance.now();
    this.#lastFailure = undefined;
    counters.streamsOpened += 1;
    older?.close({ code: status.ABORTED, details: "replaced by a newer stream" });
    queueMicrotask(() => this.#announce());
  }

  send(messages: readonly PeerMessage[]): void {
    if (this.#stream === undefined) this.#options.counters.framesDropped += 1;
    else this.#stream.send(messages);
  }

  tick(): void {
    this.#stream?.tick();
    this.dial();
  }

  close(end: StreamEnd): void {
    this.#dialler?.stop();
    this.#dialler = undefined;
    this.#closeStream(end);
  }

  get #wanting(): boolean {
    return this.#stream === undefined || this.#stream.silentTicks >= SILENT_TICKS_MAX;
  }

  #closeStream(end: StreamEnd): void {
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.close(end);
    queueMicrotask(() => this.#announce());
  }

  #onEnded(end: StreamEnd): void {
    const { peer, notice, ended } = this.#options;
    this.#stream = undefined;
    const level = end.code === status.INVALID_ARGUMENT ? "warn" : "info";
    notice(level, `the stream to node ${peer} ended`, { peer, reason: end.details });
    if (performance.now() - this.#openedAtMs >= HEALTHY_AFTER_MS) this.#backoff.reset();
    this.#dialler?.dialLater();
    ended(this);
    queueMicrotask(() => this.#announce());
  }

  /**
   * Tells what became of the stream since the last time: never from within a call of the transport,
   * nor from within grpc-js, which would swallow what a listener throws. Reading begins here, so
   * that `connected` comes before the first frame.
   */
  #announce(): void {
    const { peer, events } = this.#options;
    if (this.#announced === this.#stream) return;
    if (this.#announced !== undefined) {
      this.#announced = undefined;
      events()?.disconnected(peer);
    }
    const stream = this.#stream;
    if (stream === undefined) return;
    this.#announced = stream;
    events()?.connected(peer);
    stream.begin();
  }

  #onFailure(address: string, reason: string): void {
    const { peer, notice } = this.#options;
    // gRPC ends some reasons with the time of day.
    const timeless = reason.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "");
    if (this.#lastFailure === timeless) return;
    this.#lastFailure = timeless;
    notice("warn", `node ${peer} cannot be reached at ${address}; trying on`, { peer, reason });
  }
}
