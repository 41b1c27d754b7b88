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
  /** The members of the very first start, this node included; empty on a node that joins a cluster. */
  readonly founders: readonly PeerAddress[];
  /** Whom a node that joins keeps streams with until it has its seat. */
  readonly contacts?: readonly PeerAddress[];
  /** host:port of everybody else that PEERS or JOIN names, where the host asks them for their cluster (`Replica.told`). */
  readonly named?: readonly string[];
  /** How long a founder that is alone listens before it founds, and a lone voter before it serves. */
  readonly loneFounderMs?: number;
  readonly electionTimeoutMs: number;
  readonly heartbeatMs: number;
  readonly maxClockSkewMs: number;
  /** How long a command may wait at most. */
  readonly requestDeadlineMs: number;
  /** The log is cut when it holds more than either below the durable checkpoint (absent: DEFAULTS); */
  readonly logEntriesMax?: number;
  readonly logBytesMax?: number;
  /** and this many entries of that stay, for peers that are a little behind. */
  readonly logTailEntries?: number;
  /** All snapshots that this node sends, together. */
  readonly snapshotBytesPerSecond?: number;
  /** The state's rows are compared with the peers' at every multiple of this index, and at each day's first entry. */
  readonly rowsDigestIntervalEntries?: number;
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
  /** Entries that one write removes below a new base. */
  cutEntriesMax: 4_096,
  /** While a snapshot is on its way, the log behind it is kept up to so many times its maxima. */
  pinnedLogFactor: 2,
  /** Snapshots that are read from this node at once. */
  snapshotsServedMax: 2,
  /** A snapshot is sent in chunks of about this size; a single larger row goes alone. */
  snapshotChunkBytes: 262_144,
  /** A transfer of which nothing was heard for so long has ended. */
  snapshotStallMs: 15_000,
  /** After a snapshot was sent, the log behind it is kept so long for a peer that does not match yet. */
  snapshotPinMs: 60_000,
  /** After a failed transfer the next one begins not before this. */
  snapshotRetryMs: 500,
  /** and each failure in a row doubles that, so many times at most. */
  snapshotRetryDoublingsMax: 4,
  /**
   * A founder that is alone listens so long before it founds: longer than the longest pause between two
   * attempts of a peer to reach it (transport, backoff). A lone voter that PEERS or JOIN names others beside listens
   * as long before it serves.
   */
  loneFounderMs: 2_500,
  /** How long a change of membership may wait, for its turn and for its commit. */
  memberChangeMs: 4_000,
  memberChangesMax: 64,
  /** A digest of the state is taken at every multiple of this index, and so many of them are remembered. */
  digestIntervalEntries: 64,
  digestsKept: 256,
  rowsDigestsKept: 4,
  /** Rows are read and hashed no faster than that, beside everything else. */
  rowsDigestBytesPerSecond: 16_777_216,
  /** A node that dials in vain tries the member's other address after this. */
  addressPatienceMs: 3_000,
} as const;

/** What a node goes by unless it is told otherwise. */
export const DEFAULTS = {
  logEntriesMax: 100_000,
  logBytesMax: 134_217_728,
  logTailEntries: 10_000,
  snapshotBytesPerSecond: 33_554_432,
  rowsDigestIntervalEntries: 131_072,
} as const;
