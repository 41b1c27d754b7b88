import type { LogIndex, NodeId, Transition } from "../raft/types.js";

/** Time, timers and randomness as the replica sees them: the simulator has its own. */

export interface Clock {
  /** Milliseconds that never go back; only differences mean anything. */
  monotonic(): number;
  /** Milliseconds since the epoch; may jump. */
  wall(): number;
}

export interface Timer {
  cancel(): void;
}

export interface Timers {
  /** Calls once, not before delayMs have passed. */
  after(delayMs: number, callback: () => void): Timer;
  /**
   * Calls after the I/O that is ready now was read and handed out: what arrives together is
   * handled together, and a stall's buffered messages come before any timer is believed.
   */
  afterInput(callback: () => void): void;
}

export interface Randomness {
  /** Uniform unsigned 32-bit integer. */
  uint32(): number;
  /** 128 random bits as 32 hexadecimal digits. */
  id(): string;
}

/** Two nodes that applied the same entries do not hold the same: one of them is wrong. */
export interface StateDivergence {
  readonly peer: NodeId;
  /** After this entry. */
  readonly index: LogIndex;
  /** entries: what was applied, or what came of it. rows: what the state store holds. */
  readonly what: "entries" | "rows";
}

/** A snapshot that was sent to a peer (undefined: to whoever takes a backup), or fetched from one. */
export interface SnapshotMoved {
  readonly direction: "sent" | "fetched";
  readonly peer: NodeId | undefined;
  /** Its last entry. */
  readonly index: LogIndex;
  readonly bytes: number;
  readonly durationMs: number;
  /** Why it came to nothing, in a sentence; undefined: all of it was sent, or is in force here. */
  readonly failure: string | undefined;
}

/** What the replica reports as it goes; telemetry counts and logs it, the replica does neither. */
export interface ReplicaObserver {
  transition(transition: Transition): void;
  /** The leader packed one entry. */
  entryPacked(packed: { readonly commands: number; readonly bytes: number }): void;
  /** One synced write of the log ended. */
  logWritten(write: { readonly entries: number; readonly bytes: number; readonly durationMs: number }): void;
  entryApplied(applied: { readonly index: LogIndex; readonly commands: number }): void;
  checkpointWritten(checkpoint: { readonly bytes: number; readonly durationMs: number }): void;
  /** The log on disk begins after this entry now. */
  logCut(cut: { readonly baseIndex: LogIndex; readonly entries: number }): void;
  snapshotMoved(moved: SnapshotMoved): void;
  /** Told once per peer and kind, and again after it was mended. */
  stateDiverged(divergence: StateDivergence): void;
  /** Something an operator should read, in a sentence. */
  notice(level: "info" | "warn" | "error", message: string, details?: Readonly<Record<string, unknown>>): void;
}
