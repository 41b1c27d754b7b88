import type { LogIndex, NodeId } from "../raft/types.js";
import { MemorySnapshot } from "./memory-snapshot.js";
import { SNAPSHOT_IDLE_MS, SNAPSHOTS_SERVED_MAX, snapshotFailure, TOO_MANY_SNAPSHOTS } from "./snapshot-limits.js";
import type { SnapshotFetch, SnapshotSink, TransportEvents } from "./transport.js";

/** A node as far as snapshots go. */
interface Party {
  readonly id: NodeId;
  readonly peers: ReadonlySet<NodeId>;
  /** Undefined before it has started. */
  readonly events: TransportEvents | undefined;
}

export interface MemorySnapshotsOptions {
  /** Calls back later at `to`. */
  readonly defer: (callback: () => void, from: NodeId, to: NodeId) => void;
  /** Asked when a step arrives: whether it gets through. */
  readonly reaches: (from: NodeId, to: NodeId) => boolean;
  readonly listener: (id: NodeId) => Party | undefined;
  readonly timer: ((delayMs: number, callback: () => void) => () => void) | undefined;
}

interface Transfer {
  readonly sender: NodeId;
  readonly receiver: NodeId;
  readonly snapshot: MemorySnapshot;
}

export interface SnapshotRequest {
  readonly from: NodeId;
  readonly least: LogIndex;
  readonly sink: SnapshotSink;
}

/** The snapshots that are on their way in a network in memory. */
export class MemorySnapshots {
  readonly #options: MemorySnapshotsOptions;
  readonly #transfers = new Set<Transfer>();

  constructor(options: MemorySnapshotsOptions) {
    this.#options = options;
  }

  fetch(receiver: Party, { from, least, sink }: SnapshotRequest): SnapshotFetch {
    if (this.#options.listener(receiver.id) !== receiver) return { cancel: () => {} };
    const { defer, timer } = this.#options;
    const step = (callback: () => void, origin: NodeId, target: NodeId): void => {
      defer(
        () => (this.#options.reaches(origin, target) ? callback() : snapshot.cut("the connection broke")),
        origin,
        target,
      );
    };
    const failure = (reason: string): Error => snapshotFailure(from, reason);
    const transfer = { sender: from, receiver: receiver.id };
    const snapshot: MemorySnapshot = new MemorySnapshot({
      sink,
      failure,
      request: (done) => {
        const events = this.#options.listener(from)?.events;
        if (!receiver.peers.has(from)) done({ refusal: "it is no peer, so its address is not known" });
        else if (events === undefined) snapshot.cut("it cannot be reached");
        else if (this.#servedBy(from) > SNAPSHOTS_SERVED_MAX) done({ refusal: TOO_MANY_SNAPSHOTS });
        else events.snapshotRequested(receiver.id, least, done);
      },
      toSource: (callback) => step(callback, receiver.id, from),
      toSink: (callback) => step(callback, from, receiver.id),
      noticed: (callback) => defer(callback, from, receiver.id),
      ...(timer === undefined ? {} : { awaiting: (tooLong: () => void) => timer(SNAPSHOT_IDLE_MS, tooLong) }),
      over: () => this.#transfers.delete(entry),
    });
    const entry: Transfer = { ...transfer, snapshot };
    this.#transfers.add(entry);
    return snapshot;
  }

  cut(isCut: (sender: NodeId, receiver: NodeId) => boolean): void {
    for (const { sender, receiver, snapshot } of [...this.#transfers]) {
      if (isCut(sender, receiver)) snapshot.cut("the connection broke");
    }
  }

  /** The node sends and receives no more. */
  gone(node: NodeId): void {
    for (const { sender, receiver, snapshot } of [...this.#transfers]) {
      if (receiver === node) snapshot.receiverGone();
      else if (sender === node) snapshot.cut("the node is gone");
    }
  }

  #servedBy(sender: NodeId): number {
    return [...this.#transfers].filter((transfer) => transfer.sender === sender && transfer.snapshot.isServed).length;
  }
}
