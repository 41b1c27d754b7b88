import { invariant } from "../assert.js";
import type { SnapshotAnswer, SnapshotFetch, SnapshotSink, SnapshotSource } from "./transport.js";

export interface MemorySnapshotOptions {
  readonly sink: SnapshotSink;
  /** Asks the sending node, as its transport would. */
  readonly request: (done: (answer: SnapshotAnswer) => void) => void;
  /** What a refusal or a failure at the sender is to the receiver. */
  readonly failure: (reason: string) => Error;
  /** Calls back later at the sending node. Where the network loses that, it calls `cut`. */
  readonly toSource: (callback: () => void) => void;
  /** Calls back later at the receiving node. Where the network loses that, it calls `cut`. */
  readonly toSink: (callback: () => void) => void;
  /** Calls back later at the receiving node, which notices by itself that the sender is lost. */
  readonly noticed: (callback: () => void) => void;
  /** The receiver waits for a chunk from now on; returns how to stop the clock. Absent: for ever. */
  readonly awaiting?: (tooLong: () => void) => () => void;
  /** Nothing is under way any more, on neither side. */
  readonly over: () => void;
}

/**
 * One snapshot on its way between two nodes of a network in memory: a chunk at a time, and each step's
 * delay and fate are the network's to decide. Both ends are told what they would be told by a real one.
 */
export class MemorySnapshot implements SnapshotFetch {
  readonly #options: MemorySnapshotOptions;
  #isRequested = false;
  #source: SnapshotSource | undefined;
  #isSinkDone = false;
  #isSourceDone = false;
  #isOver = false;
  #stopClock: (() => void) | undefined;

  constructor(options: MemorySnapshotOptions) {
    this.#options = options;
    this.#await();
    options.toSource(() => {
      if (this.#isSourceDone) return;
      this.#isRequested = true;
      options.request((answer) => this.#answered(answer));
    });
  }

  /** The sender is at it, or thinks about it. */
  get isServed(): boolean {
    return this.#isRequested && !this.#isSourceDone;
  }

  cancel(): void {
    if (this.#isSinkDone) return;
    this.#endSink();
    this.#options.toSource(() => this.#endSource());
  }

  /** The network lost a part of it, or one of the nodes: both sides' ends close, each where it still lives. */
  cut(reason: string): void {
    this.#endSource();
    if (!this.#isSinkDone) this.#options.noticed(() => this.#end(this.#options.failure(reason)));
  }

  /** The receiving node is gone: nobody is there to hear more. */
  receiverGone(): void {
    this.#endSink();
    this.#endSource();
  }

  #answered(answer: SnapshotAnswer): void {
    invariant(this.#source === undefined, "a request for a snapshot is answered once");
    if ("refusal" in answer) {
      this.#tellFailure(answer.refusal);
      return;
    }
    this.#source = answer.source;
    // Cut or cancelled while the sender was thinking.
    if (this.#isSourceDone) answer.source.close();
    else this.#ask(answer.source);
  }

  #ask(source: SnapshotSource): void {
    if (this.#isSourceDone) return;
    let isAnswered = false;
    source.next((failure, chunk) => {
      invariant(!isAnswered, "a source answers once each time it is asked");
      isAnswered = true;
      if (this.#isSourceDone) return;
      if (failure !== undefined) {
        this.#tellFailure(failure.message);
        return;
      }
      if (chunk === undefined) this.#endSource();
      this.#options.toSink(() => this.#arrive(source, chunk));
    });
  }

  #tellFailure(reason: string): void {
    if (this.#isSourceDone) return;
    this.#endSource();
    this.#options.toSink(() => this.#end(this.#options.failure(reason)));
  }

  #arrive(source: SnapshotSource, chunk: Uint8Array | undefined): void {
    if (this.#isSinkDone) return;
    if (chunk === undefined) {
      this.#end(undefined);
      return;
    }
    this.#stopClock?.();
    let isTaken = false;
    this.#options.sink.chunk(chunk, () => {
      invariant(!isTaken, "a chunk is taken once");
      isTaken = true;
      if (this.#isSinkDone) return;
      this.#await();
      this.#options.toSource(() => this.#ask(source));
    });
  }

  #await(): void {
    this.#stopClock = this.#options.awaiting?.(() => {
      this.#options.toSource(() => this.#endSource());
      this.#end(this.#options.failure("no chunk came for too long"));
    });
  }

  #end(failure: Error | undefined): void {
    if (this.#isSinkDone) return;
    this.#endSink();
    this.#options.sink.ended(failure);
  }

  #endSink(): void {
    this.#isSinkDone = true;
    this.#stopClock?.();
    this.#checkOver();
  }

  #endSource(): void {
    if (this.#isSourceDone) return;
    this.#isSourceDone = true;
    this.#source?.close();
    this.#checkOver();
  }

  #checkOver(): void {
    if (this.#isOver || !this.#isSinkDone || !this.#isSourceDone) return;
    this.#isOver = true;
    this.#options.over();
  }
}
