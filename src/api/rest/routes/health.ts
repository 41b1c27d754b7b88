import { Type } from "typebox";
import { nullableInteger } from "../answer-schemas.js";
import type { RestApp, RestOptions } from "../edge.js";

const READY_PATHS = ["/ready", "/readyz"];

/** /livez, /ready, /health and /metrics: open to everybody and never limited. */
export function healthRoutes(app: RestApp, { backend, metrics, version }: RestOptions): void {
  const tags = ["health"];
  const live = Type.Object({ status: Type.String() });
  app.get("/livez", { schema: { tags, summary: "200 while the process runs", response: { 200: live } } }, async () => ({
    status: "live",
  }));

  const readiness = Type.Object({ ready: Type.Boolean(), reason: Type.String() });
  for (const path of READY_PATHS) {
    const response = { 200: readiness, 503: readiness };
    app.get(path, { schema: { tags, summary: "200 while this node serves", response } }, async (_request, reply) => {
      const { ready, reason } = backend.cluster();
      reply.code(ready ? 200 : 503).header("cache-control", "no-store");
      return { ready, reason };
    });
  }

  const health = Type.Object({
    status: Type.String({ description: "ok, degraded (serves, without a quorum in touch) or unavailable" }),
    ready: Type.Boolean(),
    reason: Type.String(),
    cluster_healthy: Type.Boolean(),
    cluster_id: Type.String(),
    node_id: Type.Integer(),
    leader_id: nullableInteger,
    term: Type.Integer(),
    commit_index: Type.Integer(),
    applied_index: Type.Integer(),
    version: Type.String(),
    uptime_seconds: Type.Number(),
  });
  const summary = "Details; 503 while this node does not serve";
  app.get("/health", { schema: { tags, summary, response: { 200: health, 503: health } } }, async (_request, reply) => {
    const view = backend.cluster();
    reply.code(view.ready ? 200 : 503).header("cache-control", "no-store");
    return {
      status: view.ready ? (view.healthy ? "ok" : "degraded") : "unavailable",
      ready: view.ready,
      reason: view.reason,
      cluster_healthy: view.healthy,
      cluster_id: view.clusterId,
      node_id: view.nodeId,
      leader_id: view.leaderId ?? null,
      term: view.term,
      commit_index: view.commitIndex,
      applied_index: view.appliedIndex,
      version,
      uptime_seconds: Math.round(process.uptime()),
    };
  });

  const exposition = { description: "Prometheus text format", type: "string" } as const;
  app.get(
    "/metrics",
    { schema: { tags, summary: "Metrics", produces: ["text/plain"], response: { 200: exposition } } },
    async (_request, reply) => {
      reply.header("content-type", metrics.contentType);
      return metrics.metrics();
    },
  );
}
