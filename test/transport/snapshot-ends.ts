import type { SnapshotSink, SnapshotSource } from "../../src/transport/transport.js";
import type { Witness } from "./witness.js";

/** A snapshot of numbered chunks, as the sending host would read it. */
export class CountingSource implements SnapshotSource {
  readonly #chunkBytes: number;
  readonly #chunks: number;
  readonly #failsAt: number;
  /** Chunks that were asked for. */
  asked = 0;
  closed = 0;
  #isAsked = false;
  #closing: () => void = () => {};
  readonly untilClosed = new Promise<void>((resolve) => {
    this.#closing = resolve;
  });

  /** @param options.failsAt the number of the chunk that cannot be read */
  constructor(options: { readonly chunks: number; readonly chunkBytes?: number; readonly failsAt?: number }) {
    this.#chunks = options.chunks;
    this.#chunkBytes = options.chunkBytes ?? 100;
    this.#failsAt = options.failsAt ?? Number.POSITIVE_INFINITY;
  }

  next(done: (failure: Error | undefined, chunk: Uint8Array | undefined) => void): void {
    if (this.#isAsked) throw new Error("asked again before it answered");
    if (this.closed > 0) throw new Error("asked after it was closed");
    this.#isAsked = true;
    const number = this.asked++;
    setImmediate(() => {
      this.#isAsked = false;
      if (number >= this.#failsAt) done(new Error("the disk is gone"), undefined);
      else done(undefined, number < this.#chunks ? chunkOf(number, this.#chunkBytes) : undefined);
    });
  }

  close(): void {
    this.closed += 1;
    this.#closing();
  }
}

export function chunkOf(number: number, bytes: number): Uint8Array {
  const chunk = new Uint8Array(bytes).fill(number % 251);
  new DataView(chunk.buffer).setUint32(0, number);
  return chunk;
}

/** Takes a snapshot in, at once or when the test says so. */
export class Basket implements SnapshotSink {
  /** Number of the next chunk that may come. */
  count = 0;
  bytes = 0;
  /** "whole", or what the failure says. */
  readonly endings: string[] = [];
  /** Called with each chunk's number; keeps the chunk until it resolves. */
  hold: (number: number) => Promise<void> | undefined = () => undefined;
  readonly #waiting = new Set<() => void>();

  chunk(bytes: Uint8Array, taken: () => void): void {
    const number = this.count++;
    this.bytes += bytes.byteLength;
    if (this.endings.length > 0) this.endings.push("a chunk after the end");
    else if (Buffer.compare(bytes, chunkOf(number, bytes.byteLength)) !== 0) this.endings.push(`not chunk ${number}`);
    const held = this.hold(number);
    if (held === undefined) taken();
    else void held.then(taken);
    for (const look of [...this.#waiting]) look();
  }

  ended(failure: Error | undefined): void {
    this.endings.push(failure === undefined ? "whole" : failure.message);
    for (const look of [...this.#waiting]) look();
  }

  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  async untilEnded(): Promise<string> {
    await this.until(() => this.endings.length > 0);
    return this.endings.join("; ");
  }
}

/** The node answers each request for a snapshot with the next of these. */
export function offers(witness: Witness, ...sources: readonly CountingSource[]): void {
  let given = 0;
  witness.onSnapshot = (_from, _least, done) => {
    const source = sources[given++];
    done(source === undefined ? { refusal: "none is left" } : { source });
  };
}

/** Something that a test decides when to let happen. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
