import type { RaftCore } from "../raft/core.js";
import type { LogIndex, Member, NodeId, RoleName, Term } from "../raft/types.js";
import type { PeerStatus } from "../transport/transport.js";
import type { PeerBook } from "./peer-book.js";

export interface MemberReport {
  readonly id: NodeId;
  readonly kind: "voter" | "learner";
  readonly role: RoleName | "unknown";
  readonly address: string;
  readonly restAddress: string;
  readonly grpcAddress: string;
  readonly reachable: boolean;
  readonly term: Term | undefined;
  readonly lastIndex: LogIndex | undefined;
  readonly commitIndex: LogIndex | undefined;
  readonly appliedIndex: LogIndex | undefined;
  /** As the leader last told it. */
  readonly matchIndex: LogIndex | undefined;
}

export interface ReplicaView {
  readonly clusterId: string;
  readonly leader: NodeId | undefined;
  readonly term: Term;
  readonly commitIndex: LogIndex;
  readonly appliedIndex: LogIndex;
  readonly members: readonly MemberReport[];
  readonly healthy: boolean;
  readonly ready: boolean;
  /** Why not; "" when ready. */
  readonly reason: string;
}

/** What a node knows of itself beside its core. */
export interface SelfReport {
  readonly nodeId: NodeId;
  readonly appliedIndex: LogIndex;
  readonly restAddress: string;
  readonly grpcAddress: string;
  readonly reason: string;
}

export function statusOf(
  core: RaftCore,
  self: SelfReport,
  digests: Pick<PeerStatus, "stateDigest" | "rowsDigest">,
): PeerStatus {
  const { configuration, roleName: role, term, lastIndex, commitIndex } = core;
  const { appliedIndex, restAddress, grpcAddress } = self;
  const matches =
    role === "leader"
      ? configuration.members.map(({ id }) => ({ nodeId: id, matchIndex: core.matchIndexOf(id) ?? 0 }))
      : [];
  return {
    type: "status",
    role,
    term,
    lastIndex,
    commitIndex,
    appliedIndex,
    matches,
    restAddress,
    grpcAddress,
    ready: self.reason === "",
    ...digests,
  };
}

/** The view of a node that belongs to no cluster yet. */
export function viewOutside(self: SelfReport): ReplicaView {
  const { appliedIndex, reason } = self;
  const nothing = { clusterId: "", leader: undefined, term: 0, members: [], healthy: false, ready: false };
  return { ...nothing, commitIndex: appliedIndex, appliedIndex, reason };
}

export function viewOf(core: RaftCore, self: SelfReport, peers: PeerBook): ReplicaView {
  const own = statusOf(core, self, {});
  const told = (id: NodeId) => (id === self.nodeId ? own : peers.statusOf(id));
  const leaderStatus = core.leader === undefined ? undefined : told(core.leader);
  const report = ({ id, kind, address }: Member): MemberReport => {
    const status = told(id);
    return {
      id,
      kind,
      address,
      role: status?.role ?? "unknown",
      restAddress: status?.restAddress ?? "",
      grpcAddress: status?.grpcAddress ?? "",
      reachable: id === self.nodeId || peers.isConnected(id),
      term: status?.term,
      lastIndex: status?.lastIndex,
      commitIndex: status?.commitIndex,
      appliedIndex: status?.appliedIndex,
      matchIndex: leaderStatus?.matches.find(({ nodeId }) => nodeId === id)?.matchIndex,
    };
  };
  return {
    clusterId: core.configuration.clusterId,
    leader: core.leader,
    term: core.term,
    commitIndex: core.commitIndex,
    appliedIndex: self.appliedIndex,
    members: core.configuration.members.map(report),
    healthy: core.leader !== undefined && core.hasQuorum,
    ready: self.reason === "",
    reason: self.reason,
  };
}
