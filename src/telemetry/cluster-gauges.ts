import { Gauge, type Registry } from "prom-client";
import type { ClusterView, MemberView } from "../api/port.js";

const ROLES: readonly MemberView["role"][] = ["leader", "follower", "candidate", "learner", "unknown"];

/** Registers gauges of this node's view of the cluster; they are read when metrics are. */
export function registerClusterGauges(registry: Registry, view: () => ClusterView): void {
  const registers = [registry];
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
  const perMember = (name: string, help: string) => new Gauge({ name, help, labelNames: ["member"], registers });
  const role = new Gauge({
    name: "raft_role",
    help: "1 for the role that this node has, 0 for the others.",
    labelNames: ["role"],
    registers,
    // The first to be collected of those that are set here: it sets them all from one view.
    collect: () => {
      const cluster = view();
      setCluster(cluster);
      setMembers(cluster);
    },
  });
  const term = gauge("raft_term", "Current term.");
  const leader = gauge("raft_leader_id", "Id of the leader as this node knows it; 0 when none is known.");
  const commit = gauge("raft_commit_index", "Index of the last entry known to be committed.");
  const applied = gauge("raft_applied_index", "Index of the last entry applied to the state.");
  const healthy = gauge("raft_cluster_healthy", "1 if a leader is known and a quorum was in touch lately.");
  const ready = gauge("raft_node_ready", "1 if this node serves.");
  const match = perMember("raft_member_match_index", "Up to here the member's durable log equals the leader's.");
  const lag = perMember("raft_member_lag_entries", "Entries that the member is behind the leader's last one.");

  function setCluster(cluster: ClusterView): void {
    const own = cluster.nodes.find((node) => node.id === cluster.nodeId)?.role ?? "unknown";
    for (const name of ROLES) role.set({ role: name }, name === own ? 1 : 0);
    term.set(cluster.term);
    leader.set(cluster.leaderId ?? 0);
    commit.set(cluster.commitIndex);
    applied.set(cluster.appliedIndex);
    healthy.set(cluster.healthy ? 1 : 0);
    ready.set(cluster.ready ? 1 : 0);
  }

  function setMembers(cluster: ClusterView): void {
    match.reset();
    lag.reset();
    for (const node of cluster.nodes) {
      if (node.matchIndex !== undefined) match.set({ member: String(node.id) }, node.matchIndex);
      if (node.lag !== undefined) lag.set({ member: String(node.id) }, node.lag);
    }
  }
}
