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

/** Where a log begins anew: what lies at or below it is in the state, not in the log (§5.1). */
export interface LogCut {
  /** The log begins after it. */
  readonly position: Position;
  /** In force at the position. */
  readonly configuration: Configuration;
  /** False: every stored entry goes, because a snapshot replaced a log that was shorter or diverged. */
  readonly keepsTail: boolean;
  /** Given when a snapshot was installed: the generation of the state that is in force from this write on. */
  readonly stateGeneration?: number;
}

/**
 * One durable write. At most one is in flight; writes happen in order, each atomically:
 * hard state, then truncation, then the new base, then the new entries.
 */
export interface LogWrite {
  /** Absent: unchanged. */
  readonly hardState?: HardState;
  /** Remove every entry from this index on before appending. */
  readonly truncateFrom?: LogIndex;
  /** Absent: unchanged. */
  readonly base?: LogCut;
  /** Consecutive; may be empty. */
  readonly entries: readonly Entry[];
}

/** A write for the host to make: durable first, then `persisted(ticket)`, then what waited for it is sent. */
export interface Write {
  readonly ticket: number;
  readonly log: LogWrite;
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
      }
    /** The sender fetches a snapshot: contact and round count, nothing else moves. */
    | { readonly kind: "installing" };
}

/**
 * The leader can not send what the follower needs next: fetch a snapshot that reaches at least to
 * `lastIncludedIndex` (§5.2). It counts as a heartbeat; the snapshot travels on a channel of its own.
 */
export interface InstallSnapshot extends Addressed {
  readonly type: "installSnapshot";
  readonly lastIncludedIndex: LogIndex;
  readonly lastIncludedTerm: Term;
  /** As in an append request; echoed in the reply. */
  readonly round: number;
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
export type RaftMessage =
  | VoteRequest
  | VoteReply
  | AppendRequest
  | AppendReply
  | InstallSnapshot
  | TimeoutNow
  | ReadRequest
  | ReadReply;

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

/** A snapshot that the host has built from another node's: durable, and not in force yet. */
export interface InstalledSnapshot {
  /** Its state contains every entry up to here. */
  readonly position: Position;
  /**
   * The current term of the node that sent it, when it began to. All of it was committed in that term or an
   * earlier one, so every leader of that term or a later one holds it: without it, a follower that is still in an
   * older term would promise a log to a deposed leader that this one does not have.
   */
  readonly term: Term;
  /** In force at the position. */
  readonly configuration: Configuration;
  /** Names the built state; the log's next write puts it in force. */
  readonly stateGeneration: number;
}

/**
 * What became of a snapshot that is to be put in force. Overtaken: this node knows as much already, or leads, and
 * nothing has changed. Tail kept: the log holds that very entry, and what follows it stays (§5.2). Log replaced: all
 * of it was shorter, or divergent.
 */
export type InstallOutcome = "overtaken" | "tailKept" | "logReplaced";

/** One change of membership: at most one voter comes or goes at a time (§4.1). */
export type MemberChange =
  /** Receives the log, counts nowhere (§4.2.1). */
  | { readonly kind: "addLearner"; readonly member: Omit<Member, "kind"> }
  /** A learner that has caught up becomes a voter. */
  | { readonly kind: "promote"; readonly id: NodeId }
  /** Any member, the leader included (§4.2.2). */
  | { readonly kind: "remove"; readonly id: NodeId }
  | { readonly kind: "readdress"; readonly id: NodeId; readonly address: string };

export type MemberChangeRefusal =
  | "notLeader"
  /** Leadership is being handed over. */
  | "transferring"
  /** No entry of this term has committed yet (classic bug 12). */
  | "termNotOpen"
  /** The change before it has not committed yet. */
  | "changeUnderway"
  /** A learner is promoted when it holds nearly all of the log (§4.2.1). */
  | "notCaughtUp"
  | "unknownMember"
  /** Another store holds that seat, or another seat is held by that store. */
  | "seatTaken"
  /** Of the voters there would be, no majority answers now: the change might never commit, nor anything after it. */
  | "quorumAtRisk"
  /** Somebody has to decide. */
  | "lastVoter";

/** The answer to `changeMembers`. */
export type MemberChangeAnswer =
  /** In force from now on; done when the entry at `position` commits. */
  | { readonly kind: "appended"; readonly position: Position }
  /** It is so already, in a configuration that has committed. */
  | { readonly kind: "unchanged" }
  | { readonly kind: "refused"; readonly reason: MemberChangeRefusal };

/** The answer to `readIndex`. */
export type ReadOutcome =
  | { readonly readId: number; readonly kind: "ready"; readonly readIndex: LogIndex }
  /** Not leader, or no longer: ask again elsewhere. */
  | { readonly readId: number; readonly kind: "refused" };
