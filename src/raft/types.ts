/**
 * The plain data of the consensus core. Words are those of Ongaro's dissertation; sections are
 * cited as §n.
 */

/** A seat in the cluster: a small positive integer. */
export type NodeId = number;

/** One step of logical time; 0 before the first election. */
export type Term = number;

/** A place in the log; the first entry has index 1, and 0 stands before it. */
export type LogIndex = number;

/** The pair that identifies an entry for ever (Log Matching, §3.5). */
export interface Position {
  readonly index: LogIndex;
  readonly term: Term;
}

export type MemberKind = "voter" | "learner";

export interface Member {
  readonly id: NodeId;
  /** Learners receive the log, but never vote and never count (§4.2.1). */
  readonly kind: MemberKind;
  /** The store that holds the seat: a node that comes back with another one is a stranger. */
  readonly storeId: string;
  /** host:port of the peer listener. */
  readonly address: string;
}

/** Who belongs to the cluster. In force as soon as it is in the log (§4.1). */
export interface Configuration {
  /** Empty only in the founding configuration, before the first entry names the cluster. */
  readonly clusterId: string;
  readonly members: readonly Member[];
}

export type EntryBody =
  /** Opens a term, so that entries of earlier terms commit (§3.6.2, §6.4). */
  | { readonly kind: "noop" }
  /** Opaque to the core. */
  | { readonly kind: "command"; readonly payload: Uint8Array }
  | { readonly kind: "configuration"; readonly configuration: Configuration };

export interface Entry extends Position {
  readonly body: EntryBody;
}

/** The round of a request that wants no answer unless it is refused: it carries a commit index only. */
export const NO_ROUND = 0;

/** What must be durable before any message that promises it leaves (§3.8): one write changes both. */
export interface HardState {
  readonly term: Term;
  readonly votedFor: NodeId | undefined;
}

/**
 * One durable write. At most one is in flight; writes happen in order, each atomically:
 * hard state, then truncation, then the new entries.
 */
export interface LogWrite {
  /** Absent: unchanged. */
  readonly hardState?: HardState;
  /** Remove every entry from this index on before appending. */
  readonly truncateFrom?: LogIndex;
  /** Consecutive; may be empty. */
  readonly entries: readonly Entry[];
}

interface Addressed {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly term: Term;
}

export interface VoteRequest extends Addressed {
  readonly type: "voteRequest";
  /** A poll that changes no state: would you vote for me in `term`? (§9.6) */
  readonly preVote: boolean;
  readonly lastLogIndex: LogIndex;
  readonly lastLogTerm: Term;
  /** The leader told the candidate to stand (§3.10): leader stickiness does not apply. */
  readonly leadershipTransfer: boolean;
}

export interface VoteReply extends Addressed {
  readonly type: "voteReply";
  readonly preVote: boolean;
  readonly granted: boolean;
}

export interface AppendRequest extends Addressed {
  readonly type: "appendRequest";
  readonly prevLogIndex: LogIndex;
  readonly prevLogTerm: Term;
  readonly leaderCommit: LogIndex;
  /** Rounds of contact in this term, counted by the leader from 1 on and echoed in replies (ReadIndex, §6.4). */
  readonly round: number;
  readonly entries: readonly Entry[];
}

export interface AppendReply extends Addressed {
  readonly type: "appendReply";
  readonly round: number;
  readonly outcome: /** Up to here the sender's *durable* log equals the leader's; proven by this very request. */
    | { readonly kind: "match"; readonly matchIndex: LogIndex }
    | {
        readonly kind: "conflict";
        /** prevLogIndex of the refused request: lets the leader drop stale refusals. */
        readonly rejectedIndex: LogIndex;
        /** The last index at which the logs may still agree, as far as the follower can tell. */
        readonly hintIndex: LogIndex;
        /** The follower's term at hintIndex. */
        readonly hintTerm: Term;
      };
}

export interface TimeoutNow extends Addressed {
  readonly type: "timeoutNow";
}

/** A follower asks for a read index on behalf of its clients (§6.4). */
export interface ReadRequest extends Addressed {
  readonly type: "readRequest";
  /** Used once over all lives of the node: an answer to a former life may still arrive. */
  readonly readId: number;
}

export interface ReadReply extends Addressed {
  readonly type: "readReply";
  readonly readId: number;
  readonly readIndex: LogIndex;
}

/** What the core receives. */
export type RaftMessage = VoteRequest | VoteReply | AppendRequest | AppendReply | TimeoutNow | ReadRequest | ReadReply;

/**
 * An AppendRequest as it leaves the core: the range of entries to send instead of the entries.
 * The core keeps terms and sizes only; the host fills in the bytes from its cache or its log.
 */
export interface OutgoingAppend extends Omit<AppendRequest, "entries"> {
  /** First entry to send: prevLogIndex + 1. */
  readonly firstIndex: LogIndex;
  /** Last entry to send, inclusive; firstIndex - 1 for none. */
  readonly lastIndex: LogIndex;
}

/** What the core sends. */
export type OutgoingMessage = Exclude<RaftMessage, AppendRequest> | OutgoingAppend;

export type RoleName = "follower" | "preCandidate" | "candidate" | "leader";

/** What happened, for logs and metrics: the core itself neither counts nor logs. */
export type Transition =
  | { readonly kind: "roleChanged"; readonly role: RoleName; readonly term: Term; readonly why: string }
  | { readonly kind: "leaderChanged"; readonly leader: NodeId | undefined; readonly term: Term }
  | { readonly kind: "termOpened"; readonly term: Term; readonly index: LogIndex }
  | { readonly kind: "configurationChanged"; readonly configuration: Configuration; readonly index: LogIndex }
  | { readonly kind: "truncated"; readonly from: LogIndex; readonly to: LogIndex }
  | { readonly kind: "transferEnded"; readonly target: NodeId; readonly outcome: "handedOver" | "timedOut" };

/** The answer to `readIndex`. */
export type ReadOutcome =
  | { readonly readId: number; readonly kind: "ready"; readonly readIndex: LogIndex }
  /** Not leader, or no longer: ask again elsewhere. */
  | { readonly readId: number; readonly kind: "refused" };
