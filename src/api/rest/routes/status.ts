import { type Static, Type } from "typebox";
import type { StatusAnswer } from "../../../sequence/query.js";
import { instantText } from "../../answers.js";
import { scopeValues } from "../../commands.js";
import type { Backend, Reading } from "../../port.js";
import { consistencyField } from "../../request-fields.js";
import { problemResponses, statusAnswer } from "../answer-schemas.js";
import { scopeFieldsOf } from "../callers.js";
import type { RestApp } from "../edge.js";
import { closed, prefixParams, scopeProperties } from "../request-schemas.js";
import { answerOf } from "../results.js";

/** GET /status/:prefix: where a sequence stands, and which node says so. */
export function statusRoutes(app: RestApp, backend: Backend): void {
  const querystring = Type.Object({ consistency: Type.Optional(consistencyField), ...scopeProperties }, closed);
  app.get(
    "/status/:prefix",
    {
      config: { access: "client" },
      schema: {
        tags: ["sequences"],
        summary: "Where a sequence stands",
        params: prefixParams,
        querystring,
        response: { 200: statusAnswer, ...problemResponses },
      },
    },
    async (request, reply) => {
      const { prefix } = request.params;
      const scope = scopeValues(scopeFieldsOf(request.query));
      const consistency = request.query.consistency ?? "linearizable";
      const reading = await backend.query({ kind: "status", prefix, scope }, consistency);
      reply.header("cache-control", "no-store");
      return statusOf(answerOf(reading.answer, "status", prefix), reading);
    },
  );
}

function statusOf(status: StatusAnswer, reading: Reading): Static<typeof statusAnswer> {
  const { definition } = status;
  return {
    prefix: definition.prefix,
    current_counter: status.currentCounter,
    next_counter: status.nextCounter ?? null,
    next_full_number: status.nextFullNumber ?? null,
    period: status.period,
    total_generated: status.totalGenerated,
    released: status.released,
    reserved: status.reserved,
    is_active: definition.isActive,
    last_generated: status.lastGenerated === undefined ? null : instantText(status.lastGenerated),
    version: definition.version,
    cluster_healthy: reading.clusterHealthy,
    served_by: reading.servedBy,
    leader_id: reading.leaderId ?? null,
    applied_index: reading.appliedIndex,
    lag: reading.lag,
  };
}
