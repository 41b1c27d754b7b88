import type { RaftCore } from "../raft/core.js";
import type { LogIndex, NodeId } from "../raft/types.js";
import type { StateBuilder, StateStore } from "../storage/state-store.js";
import type { Transport } from "../transport/transport.js";
import type { Life } from "./life.js";
import { LIMITS } from "./options.js";
import type { Clock, ReplicaObserver } from "./ports.js";
import { type BuiltSnapshot, SnapshotTransfer } from "./snapshot-transfer.js";

/** A leader that has not said it for so many heartbeats needs no snapshot for this node any more. */
const HEARTBEATS_MISSED_MAX = 3;
/** A failure says nothing of one that comes so long after its pause: a node's life has many, far apart. */
const FORGOTTEN_MS = LIMITS.snapshotRetryMs * 2 ** LIMITS.snapshotRetryDoublingsMax;

/**
 * Fetches a snapshot when the leader says that this node needs one: one at a time, built aside while this
 * node's own state goes on, and handed over when all of it is durable. A transfer that fails is begun
 * anew, from whoever leads then: the leader says again and again what is needed.
 */
export class SnapshotFetching {
  readonly #options: SnapshotFetchingOptions;
  /** A state is being built aside, or what was built is being put in force or cleared away. */
  #state: "idle" | "preparing" | "underway" | "built" | "clearing" = "idle";
  #transfer: SnapshotTransfer | undefined;
  #notBefore = Number.NEGATIVE_INFINITY;
  /** When the leader last said that it is needed. */
  #wantedAt = Number.NEGATIVE_INFINITY;
  #failures = 0;

  constructor(options: SnapshotFetchingOptions) {
    this.#options = options;
  }

  /** A snapshot is on its way, or about to be in force. */
  get isUnderway(): boolean {
    return this.#state !== "idle" && this.#state !== "clearing";
  }

  /** One is on its way, or the leader says with every heartbeat that one is needed, and the next attempt waits. */
  isNeeded(now: number): boolean {
    return this.isUnderway || now - this.#wantedAt < HEARTBEATS_MISSED_MAX * this.#options.heartbeatMs;
  }

  /** The leader lacks what this node's log needs next. */
  wanted(core: RaftCore, { from, least }: { readonly from: NodeId; readonly least: LogIndex }, now: number): void {
    const { state, life } = this.#options;
    this.#wantedAt = now;
    this.#leaveSilentSender(from, now);
    if (this.#state !== "idle" || now < this.#notBefore || life.isStopping) return;
    this.#state = "preparing";
    state.build(state.generation + 1, (failure, builder) => {
      if (failure !== undefined || builder === undefined) {
        this.#state = "idle";
        this.#failed(from, { index: 0, bytes: 0, startedAt: now, reason: failure?.message ?? "no room was made" });
      } else if (life.isStopping) this.#clear(builder);
      else this.#begin(core, builder, { from, least });
    });
  }

  /**
   * Another leads than whoever sends, and that one says nothing: it may stand still, or be cut off. Without
   * this node the new leader may have no majority, and would wait for as long as a sender may be silent.
   */
  #leaveSilentSender(leader: NodeId, now: number): void {
    const transfer = this.#transfer;
    if (transfer === undefined || transfer.from === leader) return;
    if (!transfer.isSilent(now, this.#options.electionTimeoutMs)) return;
    transfer.cancel(`nothing was heard of it for a while, and node ${leader} leads now`);
    // The one that failed is not the one that is asked next.
    this.#notBefore = now;
  }

  #begin(
    core: RaftCore,
    builder: StateBuilder,
    { from, least }: { readonly from: NodeId; readonly least: LogIndex },
  ): void {
    const { transport, clock, clusterId, life } = this.#options;
    this.#state = "underway";
    const transfer: SnapshotTransfer = new SnapshotTransfer({
      from,
      least,
      builder,
      clock,
      clusterId: clusterId(),
      isOvertaken: (index) => index <= core.commitIndex,
      built: (snapshot) => life.guarded(() => this.#built(transfer, snapshot)),
      failed: (reason) => this.#transferFailed(transfer, reason),
    });
    this.#transfer = transfer;
    transfer.start(transport);
  }

  #built(transfer: SnapshotTransfer, snapshot: BuiltSnapshot): void {
    this.#transfer = undefined;
    this.#state = "built";
    this.#options.install(snapshot, (outcome) => {
      const { from, startedAt, bytes } = transfer;
      const { index } = snapshot.header.position;
      if (outcome === "overtaken") {
        // It came whole: nothing speaks against whoever sent it.
        this.#failures = 0;
        this.#failed(from, { index, bytes, startedAt, reason: "this node caught up without it" });
        this.#clear(snapshot.builder);
        return;
      }
      this.#state = "idle";
      this.#failures = 0;
      this.#wantedAt = Number.NEGATIVE_INFINITY;
      const durationMs = this.#options.clock.monotonic() - startedAt;
      const moved = { direction: "fetched", peer: from, index, bytes, durationMs, failure: undefined } as const;
      this.#options.observer.snapshotMoved(moved);
    });
  }

  #transferFailed(transfer: SnapshotTransfer, reason: string): void {
    const { from, startedAt, bytes, index } = transfer;
    this.#transfer = undefined;
    this.#failed(from, { index, bytes, startedAt, reason });
    this.#clear(transfer.builder);
  }

  #failed(
    peer: NodeId,
    { index, bytes, startedAt, reason }: { index: LogIndex; bytes: number; startedAt: number; reason: string },
  ): void {
    const now = this.#options.clock.monotonic();
    if (startedAt - this.#notBefore > FORGOTTEN_MS) this.#failures = 0;
    const pauseMs = LIMITS.snapshotRetryMs * 2 ** Math.min(this.#failures, LIMITS.snapshotRetryDoublingsMax);
    this.#failures++;
    this.#notBefore = now + pauseMs;
    const durationMs = now - startedAt;
    this.#options.observer.snapshotMoved({ direction: "fetched", peer, index, bytes, durationMs, failure: reason });
  }

  #clear(builder: StateBuilder): void {
    this.#state = "clearing";
    builder.abandon(() => {
      this.#state = "idle";
    });
  }

  /** Gives up a transfer of which nothing is heard any more. */
  housekeep(now: number): void {
    this.#transfer?.endIfStalled(now);
  }

  /** The node ends: what is only half there goes. What is about to be in force still gets there. */
  stop(reason: string): void {
    this.#transfer?.cancel(reason);
  }
}

export interface SnapshotFetchingOptions {
  readonly transport: Transport;
  readonly state: StateStore;
  readonly life: Life;
  readonly clock: Clock;
  readonly observer: ReplicaObserver;
  readonly electionTimeoutMs: number;
  readonly heartbeatMs: number;
  /** The committed name of this node's cluster; "" while it knows none. */
  readonly clusterId: () => string;
  /** Puts what was built in force; `done` once: when it is, or when it turned out to be of no use any more. */
  readonly install: (snapshot: BuiltSnapshot, done: (outcome: "inForce" | "overtaken") => void) => void;
}
