import { status } from "@grpc/grpc-js";
import { invariant } from "../assert.js";
import { endInbound, type SnapshotCall } from "./peer-listener.js";
import type { StreamEnd } from "./peer-stream.js";
import { encodeChunk } from "./snapshot-codec.js";
import { SNAPSHOTS_SERVED_MAX, TOO_MANY_SNAPSHOTS } from "./snapshot-limits.js";
import type { SnapshotAnswer, SnapshotSource } from "./transport.js";

/** The snapshots that this node is sending. */
export class ServedSnapshots {
  readonly #stallMs: number;
  readonly #open = new Set<ServedSnapshot>();

  /** @param stallMs how long a receiver may leave a chunk untaken */
  constructor(stallMs: number) {
    this.#stallMs = stallMs;
  }

  /** @param request called later; its answer may come when the caller has gone, and its source is closed all the same */
  serve(call: SnapshotCall, request: (done: (answer: SnapshotAnswer) => void) => void): void {
    if (this.#open.size >= SNAPSHOTS_SERVED_MAX) {
      endInbound(call, { code: status.RESOURCE_EXHAUSTED, details: TOO_MANY_SNAPSHOTS });
      return;
    }
    const served = new ServedSnapshot({ call, stallMs: this.#stallMs, over: () => this.#open.delete(served) });
    this.#open.add(served);
    // Not from within grpc-js, which would swallow what it throws.
    queueMicrotask(() => request((answer) => served.answered(answer)));
  }

  endAll(end: StreamEnd): void {
    for (const served of [...this.#open]) served.end(end);
  }
}

/** One snapshot on its way to another node: a chunk is read when the one before has left. */
class ServedSnapshot {
  readonly #call: SnapshotCall;
  readonly #stallMs: number;
  readonly #over: () => void;
  #source: SnapshotSource | undefined;
  #stalled: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(options: { readonly call: SnapshotCall; readonly stallMs: number; readonly over: () => void }) {
    this.#call = options.call;
    this.#stallMs = options.stallMs;
    this.#over = options.over;
    this.#call.on("cancelled", () => this.#finish());
    this.#call.on("close", () => this.#finish());
  }

  answered(answer: SnapshotAnswer): void {
    invariant(this.#source === undefined, "a request for a snapshot is answered once");
    if ("refusal" in answer) {
      this.end({ code: status.FAILED_PRECONDITION, details: answer.refusal });
      return;
    }
    this.#source = answer.source;
    // The caller has gone while the host was thinking.
    if (this.#isOver) answer.source.close();
    else this.#ask(answer.source);
  }

  /** Ends it early, so that the receiver learns why. */
  end(end: StreamEnd): void {
    if (this.#isOver) return;
    endInbound(this.#call, end);
    this.#finish();
  }

  #ask(source: SnapshotSource): void {
    if (this.#isOver) return;
    let isAnswered = false;
    source.next((failure, chunk) => {
      invariant(!isAnswered, "a source answers once each time it is asked");
      isAnswered = true;
      if (this.#isOver) return;
      if (failure !== undefined) this.end({ code: status.ABORTED, details: failure.message });
      else if (chunk !== undefined) this.#write(source, chunk);
      else {
        this.#call.end();
        this.#finish();
      }
    });
  }

  /** Written means that the receiver's window let it through: what it does not take stays in the source. */
  #write(source: SnapshotSource, chunk: Uint8Array): void {
    const details = `the receiver took nothing for ${this.#stallMs} ms`;
    this.#stalled = setTimeout(() => this.end({ code: status.DEADLINE_EXCEEDED, details }), this.#stallMs);
    this.#call.write(encodeChunk(chunk), (error: Error | null | undefined) => {
      clearTimeout(this.#stalled);
      // A failed write also ends the call, and that is where it is noticed.
      if (!error) queueMicrotask(() => this.#ask(source));
    });
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#stalled);
    this.#over();
    this.#source?.close();
  }
}
