import type { Command } from "../sequence/command.js";
import type { Query, QueryAnswer } from "../sequence/query.js";
import type { CommandResult } from "../sequence/result.js";

export type Consistency = "linearizable" | "local";

export interface ProposeOptions {
  /** Milliseconds from now; at most REQUEST_DEADLINE_MS, which is also the default. */
  readonly deadlineMs?: number;
}

export interface Reading {
  readonly answer: QueryAnswer;
  readonly servedBy: number;
  readonly leaderId: number | undefined;
  /** The log index that the answer reflects. */
  readonly appliedIndex: number;
  /** How many committed entries this node knows of and has not applied. */
  readonly lag: number;
  readonly clusterHealthy: boolean;
}

export interface MemberView {
  readonly id: number;
  readonly kind: "voter" | "learner";
  readonly role: "leader" | "follower" | "candidate" | "learner" | "unknown";
  /** Peer address, host:port. */
  readonly address: string;
  readonly restAddress: string;
  readonly grpcAddress: string;
  readonly reachable: boolean;
  readonly term: number | undefined;
  readonly lastIndex: number | undefined;
  readonly commitIndex: number | undefined;
  readonly appliedIndex: number | undefined;
  /** Durable and equal to the leader's log up to here, as far as the asked node knows. */
  readonly matchIndex: number | undefined;
  /** Entries behind the leader's last one. */
  readonly lag: number | undefined;
}

export interface ClusterView {
  readonly clusterId: string;
  readonly nodeId: number;
  readonly leaderId: number | undefined;
  readonly term: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly nodes: readonly MemberView[];
  /** A leader is known and a quorum was in touch lately, as far as this node can tell. */
  readonly healthy: boolean;
  /** This node serves: it belongs to a cluster, has a session, knows a leader, and is not stopping. */
  readonly ready: boolean;
  /** Why it is not ready, in a sentence; "" when it is. */
  readonly reason: string;
}

/**
 * All that an edge sees of the node. Both calls reject with OperatingFailure only
 * (src/failure.ts); what the domain refuses is a value.
 */
export interface Backend {
  propose(command: Command, options?: ProposeOptions): Promise<CommandResult>;
  query(query: Query, consistency: Consistency): Promise<Reading>;
  cluster(): ClusterView;
}

/** What an operator wants of the membership. */
export type MembershipChange =
  /**
   * The node that answers at the address (host:port of its peer listener) becomes a learner, and with `voter` a voter
   * once it has caught up. A member stays what it is.
   */
  | { readonly kind: "add"; readonly id: number; readonly address: string; readonly voter: boolean }
  /** A learner that has caught up becomes a voter. */
  | { readonly kind: "promote"; readonly id: number }
  | { readonly kind: "remove"; readonly id: number }
  /** Leadership is handed over; undefined: to whoever is furthest. */
  | { readonly kind: "transfer"; readonly id: number | undefined };

export interface MemberSeat {
  readonly id: number;
  readonly kind: "voter" | "learner";
  /** Peer address, host:port. */
  readonly address: string;
}

export type MembershipOutcome =
  /** It is so now. */
  | {
      readonly kind: "done";
      readonly members: readonly MemberSeat[];
      /** As the answering node knows it. */
      readonly leaderId: number | undefined;
    }
  /** The cluster will not have it, or not now; nothing changed. */
  | { readonly kind: "refused"; readonly detail: string }
  /** There is no such member; nothing changed. */
  | { readonly kind: "absent"; readonly detail: string };

/** What operators do to the cluster itself. Any node takes it and sees to it that the leader hears of it. */
export interface Administration {
  /**
   * Resolves when the change has committed. Rejects with OperatingFailure only.
   *
   * @param deadlineMs from now; at most REQUEST_DEADLINE_MS, which is also the default
   */
  changeMembers(change: MembershipChange, deadlineMs?: number): Promise<MembershipOutcome>;
  /**
   * A consistent copy of this node's state, in the format of a backup file, read while it is iterated; to end the
   * iteration early lets go of it. Iterating throws OperatingFailure where it cannot be taken.
   */
  backup(): AsyncIterable<Uint8Array>;
}
