import { status } from "@grpc/grpc-js";
import type { NodeId } from "../raft/types.js";
import { Backoff } from "./backoff.js";
import { connectionTrouble } from "./connection-trouble.js";
import { type OutboundCall, PeerDialler } from "./peer-dialler.js";
import { type FrameCall, PeerStream, type StreamEnd } from "./peer-stream.js";
import type { PeerMessage, TransportEvents } from "./transport.js";
import type { TransportCounters } from "./transport-stats.js";

const BACKOFF_MIN_MS = 50;
const BACKOFF_MAX_MS = 2_000;
/** A stream that lived this long was healthy: the next one is dialled without waiting long. */
const HEALTHY_AFTER_MS = 1_000;
/** Ticks without a sound after which another stream is dialled beside the silent one. */
const SILENT_TICKS_MAX = 4;
/**
 * Ticks without a stream after which the node with the lower id dials, too: the other may not know
 * it yet (it joins), or may look for it where it no longer is.
 */
const PATIENCE_TICKS = 4;
/**
 * The same before the first stream: this node has just started, and who looked for it in vain
 * meanwhile may by now wait long between two attempts.
 */
const FIRST_PATIENCE_TICKS = 1;
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
  /** This node opened the stream. */
  #isOutbound = false;
  #ticksWithoutStream = 0;
  #patienceTicks = FIRST_PATIENCE_TICKS;
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

  /** A stream is up that this node opened, and the peer is heard on it. */
  get holdsOwnStream(): boolean {
    return this.#isOutbound && this.#isSound;
  }

  get #isSound(): boolean {
    return this.#stream !== undefined && this.#stream.silentTicks < SILENT_TICKS_MAX;
  }

  /** The node with the higher id dials; the other leaves it to that one as long as it can. */
  get #yields(): boolean {
    return this.#options.self < this.#options.peer;
  }

  /** The address to dial the peer at, from now on. A stream that was dialled at another address is closed. */
  dialAt(address: string): void {
    if (this.#dialler?.address === address) return;
    if (this.#dialler !== undefined) {
      this.#dialler.stop();
      if (this.#isOutbound) this.#closeStream({ code: status.CANCELLED, details: "the peer's address changed" });
    }
    const { self, peer } = this.#options;
    this.#dialler = new PeerDialler({
      self,
      peer,
      address,
      backoff: this.#backoff,
      wanted: () => this.#wanting,
      connected: (outbound) => this.#dialled(outbound),
      failed: (reason) => this.#onFailure(address, reason),
    });
  }

  /** Dials now, where it is this node's turn and no sound stream is up. */
  dial(): void {
    if (this.#wanting) this.#dialler?.dial();
  }

  /** Takes a stream into use that the peer opened. It replaces an older one: whoever opened it had a reason to. */
  accept(call: FrameCall, endCall: (end: StreamEnd) => void): void {
    this.#isOutbound = false;
    this.#open(call, endCall);
  }

  #dialled({ call, hangUp }: OutboundCall): void {
    // Both dialled at once: the one that the node with the higher id opened stays, on both sides.
    if (this.#yields && this.#isSound && !this.#isOutbound) {
      hangUp();
      return;
    }
    this.#isOutbound = true;
    this.#open(call, hangUp);
  }

  #open(call: FrameCall, endCall: (end: StreamEnd) => void): void {
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
    this.#patienceTicks = PATIENCE_TICKS;
    this.#openedAtMs = performance.now();
    this.#lastFailure = undefined;
    counters.streamsOpened += 1;
    older?.close({ code: status.ABORTED, details: "replaced by a newer stream" });
    queueMicrotask(() => this.#announce());
  }

  /** On the stream that `connected` was told of: what is an answer there would be none on another. */
  send(messages: readonly PeerMessage[]): void {
    if (this.#stream === undefined || this.#stream !== this.#announced) this.#options.counters.framesDropped += 1;
    else this.#stream.send(messages);
  }

  tick(): void {
    this.#stream?.tick();
    this.#ticksWithoutStream = this.#stream === undefined ? this.#ticksWithoutStream + 1 : 0;
    this.dial();
  }

  close(end: StreamEnd): void {
    this.#dialler?.stop();
    this.#dialler = undefined;
    this.#closeStream(end);
  }

  get #wanting(): boolean {
    if (this.#stream === undefined) return !this.#yields || this.#ticksWithoutStream >= this.#patienceTicks;
    return !this.#isSound && (!this.#yields || this.#isOutbound);
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
    notice("warn", `node ${peer} cannot be reached at ${address}; trying on`, {
      peer,
      reason: connectionTrouble(reason),
    });
  }
}
