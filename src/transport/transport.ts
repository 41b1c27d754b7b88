import type { Configuration, LogIndex, NodeId, RaftMessage, RoleName, Term } from "../raft/types.js";

export interface Hello {
  readonly type: "hello";
  readonly nodeId: NodeId;
  readonly storeId: string;
  /** As it stands in a configuration that has committed; empty before. */
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

/** Witnesses what a node's state contains after the entry at `index`: equal on all nodes, or one of them is wrong. */
export interface StateDigest {
  readonly index: LogIndex;
  /** 16 bytes. */
  readonly hash: Uint8Array;
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
  /** Rolling over everything that was applied; absent before the first entry. */
  readonly stateDigest?: StateDigest;
  /** Over the rows themselves, at the newest index at which every node takes one; absent before. */
  readonly rowsDigest?: StateDigest;
}

export type PeerMessage = RaftMessage | Hello | Forward | ForwardRejected | PeerStatus;

export interface PeerAddress {
  readonly id: NodeId;
  /** host:port */
  readonly address: string;
}

/** What takes a snapshot in at the receiving node. */
export interface SnapshotSink {
  /** The next chunk, to be kept but not changed; the one after it comes only after `taken`, which may be called at once. */
  chunk(bytes: Uint8Array, taken: () => void): void;
  /** Once, and nothing after it; not after `cancel`. Undefined: the sender said that this is all, and all was taken. */
  ended(failure: Error | undefined): void;
}

/** What a snapshot is read from at the node that sends it. */
export interface SnapshotSource {
  /**
   * Asked again only when the chunk before has left this node. `done` once, at once or later: with a
   * failure, a chunk of about 256 KiB at most, or neither at the end. May still be under way when `close` is called.
   */
  next(done: (failure: Error | undefined, chunk: Uint8Array | undefined) => void): void;
  /** Called exactly once, whatever becomes of the transfer; nothing is asked after it. */
  close(): void;
}

export type SnapshotAnswer =
  | { readonly source: SnapshotSource }
  /** A sentence. */
  | { readonly refusal: string };

/** What an operator, or a node that joins, wants of the cluster. */
export type ChangeMembersRequest =
  /** As a learner, under this address (host:port). `nodeId` 0: the leader chooses one. */
  | { readonly kind: "add"; readonly nodeId: NodeId | 0; readonly storeId: string; readonly address: string }
  /** Makes a learner that has caught up a voter. */
  | { readonly kind: "promote"; readonly nodeId: NodeId }
  /** With a store: only while that one holds the seat. Done where it holds it no more. */
  | { readonly kind: "remove"; readonly nodeId: NodeId; readonly storeId?: string }
  /** Hands leadership over; undefined: to whoever is furthest. */
  | { readonly kind: "transfer"; readonly nodeId: NodeId | undefined };

export interface ChangeMembersReply {
  /**
   * done: it has committed, or was so already. notLeader: ask the node that is named. refused: not now, or not at all.
   * unknown: it may still happen.
   */
  readonly outcome: "done" | "notLeader" | "refused" | "unknown";
  /** A sentence; "" when done. */
  readonly reason: string;
  readonly leaderId?: NodeId;
  /** host:port of the leader's peer listener; "" when it is not known. */
  readonly leaderAddress: string;
  /** The node the request was about; the chosen id where the leader chose; 0 where there is none. */
  readonly nodeId: NodeId | 0;
  /** The membership the answering node goes by. */
  readonly configuration?: Configuration;
}

/** Who answers at an address. */
export interface Description {
  readonly nodeId: NodeId;
  readonly storeId: string;
  /** Of a committed configuration; "" while the node belongs to no cluster. */
  readonly clusterId: string;
  /** The node has neither voted nor stored anything. */
  readonly empty: boolean;
  readonly version: string;
  /** The membership it goes by. */
  readonly configuration?: Configuration;
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
  /**
   * A node, perhaps no peer of this one, asks for a snapshot that reaches at least to `least`. `done` once, at once or
   * later; a source that is handed over is closed in any case, also when the asking node has gone meanwhile.
   */
  readonly snapshotRequested: (from: NodeId, least: LogIndex, done: (answer: SnapshotAnswer) => void) => void;
  /** Anybody on the peer network may ask. `done` once, at once or later. */
  readonly membersChangeRequested: (request: ChangeMembersRequest, done: (reply: ChangeMembersReply) => void) => void;
  /** Anybody on the peer network may ask. */
  readonly describeRequested: () => Description;
}

/** A snapshot on its way to this node. */
export interface SnapshotFetch {
  /** Ends it; the sink hears nothing more. Nothing happens when it has ended already. */
  cancel(): void;
}

/**
 * Carries messages between peers: best effort, in order while a stream lives, never twice. One
 * stream per pair, opened by the node with the higher id (by the other only when that does not
 * come about), reconnected with backoff.
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
  /**
   * Pulls a snapshot that reaches at least to `least` from a peer, on a channel of its own, as fast as the sink takes
   * it. Not repeated when it fails. The sink never hears anything from within this call.
   */
  fetchSnapshot(from: NodeId, least: LogIndex, sink: SnapshotSink): SnapshotFetch;
  /** Afterwards no event fires, no sink hears anything, and every source has been closed. */
  stop(): Promise<void>;
}

/** Asks whichever node answers at an address; the asker need not be a member, nor have an id. */
export interface PeerCalls {
  /** @throws PeerCallFailure with a sentence that names the address; when it is "unanswered", what was asked for may have happened */
  changeMembers(address: string, request: ChangeMembersRequest, deadlineMs: number): Promise<ChangeMembersReply>;
  /** @throws PeerCallFailure with a sentence that names the address */
  describe(address: string, deadlineMs: number): Promise<Description>;
}

export class PeerCallFailure extends Error {
  override readonly name = "PeerCallFailure";
  /** unreachable: it did not get there. unanswered: nobody knows whether it did. refused: the node would not hear it. */
  readonly kind: "unreachable" | "unanswered" | "refused";

  constructor(kind: PeerCallFailure["kind"], message: string) {
    super(message);
    this.kind = kind;
  }
}
