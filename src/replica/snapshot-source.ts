import type { StorageFailure } from "../storage/log-store.js";
import type { SnapshotHeader } from "../storage/snapshot-header.js";
import { SnapshotEncoder } from "../storage/snapshot-stream.js";
import type { StateView } from "../storage/state-store.js";
import type { SnapshotSource } from "../transport/transport.js";
import { LIMITS } from "./options.js";
import type { Pace } from "./pace.js";
import type { Clock } from "./ports.js";

type Answer = (failure: Error | undefined, chunk: Uint8Array | undefined) => void;

/** A checkpoint's rows as a snapshot: chunk by chunk, as fast as they are taken and no faster than the pace. */
export class CheckpointSource implements SnapshotSource {
  readonly header: SnapshotHeader;
  readonly startedAt: number;
  readonly #view: StateView;
  readonly #pace: Pace;
  readonly #clock: Clock;
  readonly #over: (source: CheckpointSource, failure: string | undefined) => void;
  readonly #unreadable: (failure: StorageFailure) => void;
  readonly #encoder = new SnapshotEncoder();
  #stage: "header" | "rows" | "ended" = "header";
  #bytes = 0;
  /** Whoever waits for a chunk. */
  #asking: Answer | undefined;
  /** When the last chunk was handed out: monotonic ms. */
  #handedOutAt: number;
  #isOver = false;

  constructor(options: {
    readonly header: SnapshotHeader;
    readonly view: StateView;
    readonly pace: Pace;
    readonly clock: Clock;
    /** Called once; without a failure when all of it was taken. */
    readonly over: (source: CheckpointSource, failure: string | undefined) => void;
    /** This node's own state is damaged. */
    readonly unreadable: (failure: StorageFailure) => void;
  }) {
    this.header = options.header;
    this.#view = options.view;
    this.#pace = options.pace;
    this.#clock = options.clock;
    this.#over = options.over;
    this.#unreadable = options.unreadable;
    this.startedAt = options.clock.monotonic();
    this.#handedOutAt = this.startedAt;
  }

  /** Handed out so far. */
  get bytes(): number {
    return this.#bytes;
  }

  next(done: Answer): void {
    if (this.#isOver) {
      done(new Error("the snapshot is not sent any more"), undefined);
      return;
    }
    this.#asking = done;
    switch (this.#stage) {
      case "header":
        this.#stage = "rows";
        this.#handOut(this.#encoder.header(this.header));
        return;
      case "rows":
        this.#view.next(LIMITS.snapshotChunkBytes, (failure, rows) => {
          if (this.#isOver) return;
          if (failure !== undefined) {
            this.end(failure.message);
            this.#unreadable(failure);
          } else if (rows.length > 0) this.#handOut(this.#encoder.rows(rows));
          else {
            this.#stage = "ended";
            this.#handOut(this.#encoder.end());
          }
        });
        return;
      case "ended":
        // First it has ended well: who is answered closes it, as one who gives up would.
        this.#finish(undefined);
        this.#answer(undefined, undefined);
    }
  }

  #handOut(chunk: Uint8Array): void {
    this.#pace.spend(chunk.length, () => {
      if (this.#isOver) return;
      this.#bytes += chunk.length;
      this.#answer(undefined, chunk);
    });
  }

  #answer(failure: Error | undefined, chunk: Uint8Array | undefined): void {
    const asking = this.#asking;
    this.#asking = undefined;
    this.#handedOutAt = this.#clock.monotonic();
    asking?.(failure, chunk);
  }

  /** Whether nobody has asked for the next chunk for long. */
  isStalled(now: number): boolean {
    return this.#asking === undefined && now - this.#handedOutAt >= LIMITS.snapshotStallMs;
  }

  close(): void {
    this.#finish("the receiver gave it up");
  }

  /** Ends it from this side; whoever waits for a chunk is told why. */
  end(reason: string): void {
    if (this.#isOver) return;
    this.#finish(reason);
    this.#answer(new Error(reason), undefined);
  }

  #finish(failure: string | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#view.close();
    this.#over(this, failure);
  }
}
