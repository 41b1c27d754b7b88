import type { LogIndex, NodeId } from "../raft/types.js";
import { SnapshotDamaged } from "../storage/snapshot-damaged.js";
import type { SnapshotHeader } from "../storage/snapshot-header.js";
import { SnapshotDecoder, type SnapshotPart } from "../storage/snapshot-stream.js";
import type { StateBuilder, StateRow } from "../storage/state-store.js";
import type { SnapshotFetch, SnapshotSink, Transport } from "../transport/transport.js";
import { LIMITS } from "./options.js";
import type { Clock } from "./ports.js";

/** A state that stands beside the one in force: whole and durable. */
export interface BuiltSnapshot {
  readonly header: SnapshotHeader;
  readonly builder: StateBuilder;
}

/** One snapshot on its way from a peer into a state that is built aside. Ends once, as `built` or as `failed`. */
export class SnapshotTransfer implements SnapshotSink {
  readonly from: NodeId;
  readonly builder: StateBuilder;
  readonly startedAt: number;
  readonly #least: LogIndex;
  readonly #clusterId: string;
  readonly #isOvertaken: (index: LogIndex) => boolean;
  readonly #clock: Clock;
  readonly #built: (snapshot: BuiltSnapshot) => void;
  readonly #failed: (reason: string) => void;
  readonly #decoder = new SnapshotDecoder();
  #fetch: SnapshotFetch | undefined;
  #header: SnapshotHeader | undefined;
  #bytes = 0;
  /** Since when the sender is awaited; undefined while this node is at it. */
  #awaitedSince: number | undefined;
  #isOver = false;

  constructor(options: {
    readonly from: NodeId;
    readonly least: LogIndex;
    readonly builder: StateBuilder;
    /** Whose snapshot it must be; "": whoever this node follows names it. */
    readonly clusterId: string;
    /** Whether this node knows as much already. */
    readonly isOvertaken: (index: LogIndex) => boolean;
    readonly clock: Clock;
    readonly built: (snapshot: BuiltSnapshot) => void;
    /** In a sentence; the builder is the caller's to clear away. */
    readonly failed: (reason: string) => void;
  }) {
    this.from = options.from;
    this.builder = options.builder;
    this.#least = options.least;
    this.#clusterId = options.clusterId;
    this.#isOvertaken = options.isOvertaken;
    this.#clock = options.clock;
    this.#built = options.built;
    this.#failed = options.failed;
    this.startedAt = options.clock.monotonic();
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Of the snapshot's last entry; 0 before it is known. */
  get index(): LogIndex {
    return this.#header?.position.index ?? 0;
  }

  start(transport: Pick<Transport, "fetchSnapshot">): void {
    this.#awaitedSince = this.#clock.monotonic();
    this.#fetch = transport.fetchSnapshot(this.from, this.#least, this);
  }

  chunk(bytes: Uint8Array, taken: () => void): void {
    if (this.#isOver) return;
    this.#awaitedSince = undefined;
    this.#bytes += bytes.length;
    const part = this.#decoded(bytes);
    if (part === undefined) return;
    if (part.kind === "rows") this.#add(part.rows, taken);
    else if (part.kind === "end") this.#awaitNext(taken);
    else this.#begin(part.header, taken);
  }

  /** Damaged on its way or at its source: either way nothing of it is used. */
  #decoded(bytes: Uint8Array): SnapshotPart | undefined {
    try {
      return this.#decoder.take(bytes);
    } catch (error) {
      if (!(error instanceof SnapshotDamaged)) throw error;
      this.#fail(error.message);
      return undefined;
    }
  }

  #begin(header: SnapshotHeader, taken: () => void): void {
    const { clusterId, position } = header;
    this.#header = header;
    if (this.#clusterId !== "" && clusterId !== this.#clusterId) {
      this.#fail(`it is of cluster ${clusterId}, and this node belongs to ${this.#clusterId}`);
    } else if (position.index < this.#least) {
      this.#fail(`it ends at entry ${position.index}, and ${this.#least} is needed`);
    } else if (this.#isOvertaken(position.index)) {
      this.#fail("this node caught up without it");
    } else this.#awaitNext(taken);
  }

  #add(rows: readonly StateRow[], taken: () => void): void {
    this.builder.add(rows, (failure) => {
      if (this.#isOver) return;
      if (failure !== undefined) this.#fail(failure.message);
      else this.#awaitNext(taken);
    });
  }

  #awaitNext(taken: () => void): void {
    this.#awaitedSince = this.#clock.monotonic();
    taken();
  }

  ended(failure: Error | undefined): void {
    if (this.#isOver) return;
    this.#awaitedSince = undefined;
    const header = this.#header;
    if (failure !== undefined) this.#fail(failure.message);
    else if (!this.#decoder.isComplete || header === undefined) this.#fail("it broke off before its end");
    else {
      this.builder.finish((unfinished) => {
        if (this.#isOver) return;
        if (unfinished !== undefined) this.#fail(unfinished.message);
        else {
          this.#isOver = true;
          this.#built({ header, builder: this.builder });
        }
      });
    }
  }

  endIfStalled(now: number): void {
    if (this.isSilent(now, LIMITS.snapshotStallMs)) this.#fail("nothing was heard of it for too long");
  }

  /** Whether the sender has been awaited for so long, in ms. */
  isSilent(now: number, forMs: number): boolean {
    return this.#awaitedSince !== undefined && now - this.#awaitedSince >= forMs;
  }

  cancel(reason: string): void {
    this.#fail(reason);
  }

  #fail(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#fetch?.cancel();
    this.#failed(reason);
  }
}
