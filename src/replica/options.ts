import type { Machine } from "../machine/machine.js";
import type { NodeId } from "../raft/types.js";
import type { LogStore, StorageFailure } from "../storage/log-store.js";
import type { StateStore } from "../storage/state-store.js";
import type { PeerAddress, Transport } from "../transport/transport.js";
import type { Clock, Randomness, ReplicaObserver, Timers } from "./ports.js";

export interface ReplicaOptions {
  readonly nodeId: NodeId;
  /** host:port of this node's peer listener, as others reach it. */
  readonly address: string;
  readonly restAddress: string;
  readonly grpcAddress: string;
  readonly version: string;
  /** The members of the very first start, this node included. */
  readonly founders: readonly PeerAddress[];
  readonly electionTimeoutMs: number;
  readonly heartbeatMs: number;
  readonly maxClockSkewMs: number;
  /** How long a command may wait at most. */
  readonly requestDeadlineMs: number;
}

/** Everything the replica reaches the world through. */
export interface ReplicaPorts {
  readonly log: LogStore;
  readonly state: StateStore;
  readonly machines: readonly Machine[];
  readonly transport: Transport;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly randomness: Randomness;
  readonly observer: ReplicaObserver;
  /** The process must end: what is on disk can no longer be trusted or reached. */
  readonly fatal: (failure: StorageFailure | Error) => void;
}

/** Limits on everything that could grow (STYLE rule 6). */
export const LIMITS = {
  /** Commands waiting at their origin. */
  waitersMax: 32_768,
  /** How far request numbers may run ahead of the oldest that still waits. */
  requestSpanMax: 1_048_576,
  /** Commands and bytes of one entry; an ordinal has to fit 16 bits. */
  entryCommandsMax: 8_192,
  entryBytesMax: 1_048_576,
  /**
   * Append requests with entries on their way to one peer, and entries of one of them. So many times
   * entryBytesMax is what a peer far behind makes the leader read and send in one turn: it must
   * be read faster than an election timeout, and fit the transport's buffer. More would win
   * nothing: what does not fit the window gathers and goes with the next request.
   */
  appendsInFlightMax: 8,
  appendEntriesMax: 256,
  /** Forwarded commands waiting at the leader to be packed. */
  forwardedMax: 65_536,
  /** Entries of the leader that are not committed yet; beyond it, packing waits. */
  uncommittedEntriesMax: 256,
  /** Reads waiting at one node. */
  readsMax: 32_768,
  /** Entries applied in one turn, so that input is looked at in between. */
  applyEntriesPerTurnMax: 512,
  /** Recent entries kept in memory for peers and for apply. */
  cacheBytesMax: 33_554_432,
  /** A checkpoint is written when the overlay holds this much, or when the newest is this old. */
  checkpointBytes: 8_388_608,
  checkpointIntervalMs: 500,
  /** Deadlines, retries and reports are looked at this often. */
  housekeepingMs: 100,
  statusIntervalMs: 500,
} as const;
