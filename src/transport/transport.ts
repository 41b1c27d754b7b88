import type { Configuration, LogIndex, NodeId, RaftMessage, RoleName, Term } from "../raft/types.js";

export interface Hello {
  readonly type: "hello";
  readonly nodeId: NodeId;
  readonly storeId: string;
  /** Empty while the sender belongs to no cluster yet. */
  readonly clusterId: string;
  /** The sender has neither voted nor stored anything. */
  readonly empty: boolean;
  /** The founders that the sender counts, itself included, ascending; a store not heard of is "". */
  readonly seen: readonly { readonly nodeId: NodeId; readonly storeId: string }[];
  /** The membership the sender goes by. */
  readonly configuration: Configuration | undefined;
  /** host:port of the sender's peer listener. */
  readonly address: string;
  readonly version: string;
}

/** Tagged commands on their way to the leader. */
export interface Forward {
  readonly type: "forward";
  readonly forwardId: number;
  /** An encoded folio.log.v1.Group. */
  readonly group: Uint8Array;
  readonly commandCount: number;
}

/** None of the forward's commands was proposed, for certain. */
export interface ForwardRejected {
  readonly type: "forwardRejected";
  readonly forwardId: number;
  readonly reason: "notLeader" | "overloaded" | "clockSkew";
  readonly leaderId: NodeId | undefined;
}

/** How a node is doing: told to every peer now and then, so that each node can show the whole cluster. */
export interface PeerStatus {
  readonly type: "status";
  readonly role: RoleName;
  readonly term: Term;
  readonly lastIndex: LogIndex;
  readonly commitIndex: LogIndex;
  readonly appliedIndex: LogIndex;
  /** Empty unless the sender leads: what it knows of every member's durable log. */
  readonly matches: readonly { readonly nodeId: NodeId; readonly matchIndex: LogIndex }[];
  /** Where clients reach the sender, host:port. */
  readonly restAddress: string;
  readonly grpcAddress: string;
  readonly ready: boolean;
}

export type PeerMessage = RaftMessage | Hello | Forward | ForwardRejected | PeerStatus;

export interface PeerAddress {
  readonly id: NodeId;
  /** host:port */
  readonly address: string;
}

export interface TransportEvents {
  /**
   * A frame arrived: everything `from` had to say in one turn. `clock` is the sender's wall clock
   * in ms when it sent. Raft messages carry `from` and `to` filled in.
   */
  readonly received: (from: NodeId, messages: readonly PeerMessage[], clock: number) => void;
  /** A stream to the peer is up; called again after every reconnect. */
  readonly connected: (peer: NodeId) => void;
  readonly disconnected: (peer: NodeId) => void;
}

/**
 * Carries messages between peers: best effort, in order while a stream lives, never twice. One
 * stream per pair, opened by the node with the higher id, reconnected with backoff.
 */
export interface Transport {
  /** Begins to listen and to dial. Events never fire synchronously from within a call. */
  start(events: TransportEvents): Promise<void>;
  /** Replaces the set of peers to keep streams with (self excluded). Streams to others are closed. */
  setPeers(peers: readonly PeerAddress[]): void;
  /**
   * Sends the messages as one frame (split where it would pass the size limit). Dropped when no
   * stream is up or its buffer is full: the sender of a message that matters sends it again.
   * An AppendRequest's entries are the very objects of the log: nothing is changed or kept.
   */
  send(to: NodeId, messages: readonly PeerMessage[]): void;
  stop(): Promise<void>;
}
