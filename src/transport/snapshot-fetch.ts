import { Client, type ClientReadableStream, credentials, type Metadata } from "@grpc/grpc-js";
import { invariant } from "../assert.js";
import type { LogIndex, NodeId } from "../raft/types.js";
import { FETCH_OPTIONS, identify, identityOf, PEER_SERVICE } from "./peer-protocol.js";
import { decodeChunk, encodeFetch } from "./snapshot-codec.js";
import { snapshotFailure } from "./snapshot-limits.js";
import type { SnapshotFetch, SnapshotSink } from "./transport.js";

export interface GrpcSnapshotFetchOptions {
  readonly self: NodeId;
  readonly from: NodeId;
  /** host:port */
  readonly address: string;
  readonly least: LogIndex;
  readonly sink: SnapshotSink;
  /** How long to wait for the connection, and for each chunk. */
  readonly idleMs: number;
  /** It ended by itself, before the sink hears of it. */
  readonly over: (fetch: GrpcSnapshotFetch) => void;
}

/**
 * One snapshot on its way to this node, over a channel of its own: nothing that the streams between
 * peers have to say waits behind it. The sink hears things in microtasks of their own, because
 * grpc-js would swallow what it throws.
 */
export class GrpcSnapshotFetch implements SnapshotFetch {
  readonly #options: GrpcSnapshotFetchOptions;
  readonly #client: Client;
  readonly #call: ClientReadableStream<Buffer>;
  #idle: NodeJS.Timeout | undefined;
  /** A chunk is on its way to the sink, or with it. */
  #isHeld = false;
  /** The sender said that this is all. */
  #isEnded = false;
  #isOver = false;

  constructor(options: GrpcSnapshotFetchOptions) {
    this.#options = options;
    const { self, address, least } = options;
    const { path, requestSerialize, responseDeserialize } = PEER_SERVICE.fetchSnapshot;
    this.#client = new Client(`dns:${address}`, credentials.createInsecure(), FETCH_OPTIONS);
    this.#call = this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      encodeFetch(least),
      identify(self),
    );
    this.#call.on("error", (error: Error) => this.#end(error.message));
    this.#call.on("metadata", (metadata: Metadata) => this.#checkAnswerer(metadata));
    this.#call.on("data", (bytes: Buffer) => this.#read(bytes));
    // Comes after an error, and otherwise only when the sender closed the stream in order.
    this.#call.on("end", () => this.#finish());
    this.#await();
  }

  cancel(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#idle);
    this.#call.cancel();
    this.#client.close();
  }

  #checkAnswerer(metadata: Metadata): void {
    const answerer = identityOf(metadata);
    const { from, address } = this.#options;
    if (answerer !== from) this.#end(`${address} answers as node ${answerer ?? "without a name"}`);
  }

  #await(): void {
    const { idleMs } = this.#options;
    this.#idle = setTimeout(() => this.#end(`nothing came for ${idleMs} ms`), idleMs);
  }

  #read(bytes: Buffer): void {
    if (this.#isOver) return;
    this.#call.pause();
    clearTimeout(this.#idle);
    const chunk = this.#decode(bytes);
    if (chunk === undefined) return;
    this.#isHeld = true;
    queueMicrotask(() => {
      if (!this.#isOver) this.#options.sink.chunk(chunk, this.#takenOnce());
    });
  }

  #takenOnce(): () => void {
    let isTaken = false;
    return () => {
      invariant(!isTaken, "a chunk is taken once");
      isTaken = true;
      this.#isHeld = false;
      if (this.#isOver) return;
      if (this.#isEnded) {
        this.#end(undefined);
        return;
      }
      this.#await();
      this.#call.resume();
    };
  }

  /** The stream ends right behind its last chunk, paused or not: the sink has yet to take that. */
  #finish(): void {
    this.#isEnded = true;
    if (!this.#isHeld) this.#end(undefined);
  }

  #decode(bytes: Buffer): Uint8Array | undefined {
    try {
      return decodeChunk(bytes);
    } catch (error) {
      this.#end(`malformed chunk: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  }

  #end(reason: string | undefined): void {
    if (this.#isOver) return;
    this.cancel();
    const { from, sink, over } = this.#options;
    over(this);
    queueMicrotask(() => sink.ended(reason === undefined ? undefined : snapshotFailure(from, reason)));
  }
}
