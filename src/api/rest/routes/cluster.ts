import type { Static } from "typebox";
import type { Backend, ClusterView, MemberView } from "../../port.js";
import { clusterAnswer, problemResponses } from "../answer-schemas.js";
import type { RestApp } from "../edge.js";

/** GET /cluster: the members as the asked node sees them. */
export function clusterRoutes(app: RestApp, backend: Backend): void {
  app.get(
    "/cluster",
    {
      config: { access: "client" },
      schema: {
        tags: ["cluster"],
        summary: "The members, their roles and how far each trails the leader",
        response: { 200: clusterAnswer, ...problemResponses },
      },
    },
    async (_request, reply) => {
      reply.header("cache-control", "no-store");
      return clusterOf(backend.cluster());
    },
  );
}

function clusterOf(view: ClusterView): Static<typeof clusterAnswer> {
  return {
    cluster_id: view.clusterId,
    node_id: view.nodeId,
    leader_id: view.leaderId ?? null,
    term: view.term,
    commit_index: view.commitIndex,
    applied_index: view.appliedIndex,
    healthy: view.healthy,
    ready: view.ready,
    reason: view.reason,
    nodes: view.nodes.map(memberOf),
  };
}

function memberOf(member: MemberView): Static<typeof clusterAnswer>["nodes"][number] {
  return {
    id: member.id,
    kind: member.kind,
    role: member.role,
    address: member.address,
    rest_address: member.restAddress,
    grpc_address: member.grpcAddress,
    reachable: member.reachable,
    term: member.term ?? null,
    last_index: member.lastIndex ?? null,
    commit_index: member.commitIndex ?? null,
    applied_index: member.appliedIndex ?? null,
    match_index: member.matchIndex ?? null,
    lag: member.lag ?? null,
  };
}
