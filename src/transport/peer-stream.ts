import { type ClientDuplexStream, type ServerDuplexStream, status } from "@grpc/grpc-js";
import type { StreamEnds } from "./message-mapping.js";
import { decodeFrame } from "./peer-decoder.js";
import { encodeFrames } from "./peer-encoder.js";
import { FRAME_LIMIT_BYTES, MESSAGE_LIMIT_BYTES } from "./peer-protocol.js";
import type { PeerMessage } from "./transport.js";
import type { TransportCounters } from "./transport-stats.js";

/** Frames waiting behind a write are joined up to here; joining costs a copy. */
const JOIN_LIMIT_BYTES = 256 * 1024;

export type FrameCall = ClientDuplexStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>;

/** Why a stream ended; what this side ends, the other gets as a gRPC status. */
export interface StreamEnd {
  readonly code: status;
  readonly details: string;
}

export interface PeerStreamEvents {
  readonly received: (messages: readonly PeerMessage[], clock: number) => void;
  /** Once, and nothing after it. Not called for `close`: the caller knows. */
  readonly ended: (end: StreamEnd) => void;
  /** A message was dropped that is larger than any frame may be: sending it again will not help. */
  readonly oversize: (bytes: number) => void;
}

export interface PeerStreamOptions {
  readonly ends: StreamEnds;
  readonly call: FrameCall;
  /** Ends the call so that the other side learns of it. */
  readonly endCall: (end: StreamEnd) => void;
  readonly events: PeerStreamEvents;
  readonly counters: TransportCounters;
  /** Milliseconds since the epoch. */
  readonly wall: () => number;
  /** Unsent bytes beyond which frames are dropped. */
  readonly bufferLimitBytes: number;
}

/** One live gRPC stream between this node and a peer, whichever side opened it. */
export class PeerStream {
  readonly #options: PeerStreamOptions;
  /** Encoded frames behind the write in flight. */
  readonly #waiting: Buffer[] = [];
  #unsentBytes = 0;
  #writing = false;
  #over = false;
  #sentSinceTick = false;
  #silentTicks = 0;

  constructor(options: PeerStreamOptions) {
    this.#options = options;
    const { call } = options;
    call.on("error", (error: Error) => this.#end(error.message));
    call.on("end", () => this.#end("the peer ended the stream"));
    call.on("close", () => this.#end("the stream was closed"));
    call.on("cancelled", () => this.#end("the peer or its connection is gone"));
  }

  /** Begins to read; nothing is received before. */
  begin(): void {
    this.#options.call.on("data", (bytes: Buffer) => this.#read(bytes));
  }

  /** Whole ticks since anything arrived. Counted, not timed: a stall of this process is not silence. */
  get silentTicks(): number {
    return this.#silentTicks;
  }

  send(messages: readonly PeerMessage[]): void {
    if (messages.length === 0) return;
    for (const frame of encodeFrames(messages, this.#options.wall(), FRAME_LIMIT_BYTES)) this.#push(frame);
  }

  /** Once per interval: an idle stream says that it lives, and a silent one is noticed. */
  tick(): void {
    this.#silentTicks += 1;
    if (!this.#sentSinceTick)
      for (const frame of encodeFrames([], this.#options.wall(), FRAME_LIMIT_BYTES)) this.#push(frame);
    this.#sentSinceTick = false;
  }

  /** Ends the stream from this side; no event follows. */
  close(end: StreamEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#waiting.length = 0;
    this.#options.endCall(end);
  }

  #push(frame: Buffer): void {
    const { bufferLimitBytes, counters } = this.#options;
    const size = frame.byteLength;
    if (size > MESSAGE_LIMIT_BYTES) this.#options.events.oversize(size);
    if (this.#over || size > MESSAGE_LIMIT_BYTES || this.#unsentBytes + size > bufferLimitBytes) {
      counters.framesDropped += 1;
      return;
    }
    this.#unsentBytes += size;
    this.#sentSinceTick = true;
    this.#waiting.push(frame);
    if (this.#writing) return;
    // What else is sent in this turn goes along.
    this.#writing = true;
    queueMicrotask(() => this.#writeNext());
  }

  /**
   * One write at a time: grpc-js would queue them one by one behind the socket, which costs a turn
   * of the event loop each. What gathers behind a write leaves with the next as one frame.
   */
  #writeNext(): void {
    const first = this.#waiting[0];
    this.#writing = first !== undefined;
    if (first === undefined || this.#over) return;
    let count = 1;
    let size = first.byteLength;
    for (let next = this.#waiting[count]; next !== undefined; next = this.#waiting[count]) {
      if (size + next.byteLength > JOIN_LIMIT_BYTES) break;
      size += next.byteLength;
      count += 1;
    }
    const frames = this.#waiting.splice(0, count);
    const bytes = count === 1 ? first : Buffer.concat(frames, size);
    this.#options.counters.framesSent += 1;
    this.#options.counters.bytesSent += size;
    this.#options.call.write(bytes, (error: Error | null | undefined) => {
      this.#unsentBytes -= size;
      // A failed write also ends the call, and that is where it is reported.
      if (!error) this.#writeNext();
    });
  }

  #read(bytes: Buffer): void {
    if (this.#over) return;
    const { counters, ends, events } = this.#options;
    this.#silentTicks = 0;
    counters.framesReceived += 1;
    counters.bytesReceived += bytes.byteLength;
    const frame = this.#decode(bytes, ends);
    if (frame === undefined) return;
    counters.messagesUnknown += frame.unknownCount;
    if (frame.messages.length > 0) events.received(frame.messages, frame.clock);
  }

  /** Whatever a peer sends, this node goes on: the stream that carried it does not. */
  #decode(bytes: Buffer, ends: StreamEnds): ReturnType<typeof decodeFrame> | undefined {
    try {
      return decodeFrame(bytes, ends);
    } catch (error) {
      const details = `malformed frame: ${error instanceof Error ? error.message : String(error)}`;
      this.#options.counters.streamsMalformed += 1;
      this.#end(details, status.INVALID_ARGUMENT);
      return undefined;
    }
  }

  /** Ended by what came from outside: this side's half, and its connection, end too. */
  #end(details: string, code = status.CANCELLED): void {
    if (this.#over) return;
    const end = { code, details };
    this.close(end);
    this.#options.events.ended(end);
  }
}
