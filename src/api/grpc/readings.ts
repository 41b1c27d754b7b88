import {
  type GetStatusRequest,
  type GetStatusResponse,
  type HealthResponse,
  HealthResponse_Status,
} from "../../generated/sequentialid/sequential_id.js";
import type { Query, StatusAnswer } from "../../sequence/query.js";
import { instantText } from "../answers.js";
import { scopeValues } from "../commands.js";
import type { ClusterView, Consistency, Reading } from "../port.js";
import { configInfoOf } from "./configs.js";
import { consistencyRule, prefixRule, textRule } from "./field-rules.js";

/** @throws Problem VALIDATION_ERROR */
export function statusQueryOf(request: GetStatusRequest): { readonly query: Query; readonly consistency: Consistency } {
  prefixRule(request.prefix, "prefix");
  consistencyRule(request.consistency, "consistency");
  textRule(request.site, "site");
  textRule(request.partition, "partition");
  textRule(request.documentType, "document_type");
  return {
    query: { kind: "status", prefix: request.prefix, scope: scopeValues(request) },
    consistency: request.consistency === "local" ? "local" : "linearizable",
  };
}

/** next_counter 0 with an empty next_full_number: the maximum is reached. leader_id 0: none is known. */
export function statusResponseOf(status: StatusAnswer, reading: Reading): GetStatusResponse {
  const { definition } = status;
  return {
    prefix: definition.prefix,
    currentCounter: BigInt(status.currentCounter),
    isActive: definition.isActive,
    lastGenerated: status.lastGenerated === undefined ? "" : instantText(status.lastGenerated),
    totalGenerated: BigInt(status.totalGenerated),
    config: configInfoOf(definition),
    nextCounter: BigInt(status.nextCounter ?? 0),
    nextFullNumber: status.nextFullNumber ?? "",
    period: status.period,
    clusterHealthy: reading.clusterHealthy,
    servedBy: BigInt(reading.servedBy),
    leaderId: BigInt(reading.leaderId ?? 0),
    appliedIndex: BigInt(reading.appliedIndex),
  };
}

export function healthResponseOf(view: ClusterView, version: string): HealthResponse {
  return {
    status: view.ready ? HealthResponse_Status.SERVING : HealthResponse_Status.NOT_SERVING,
    message: view.ready ? "serving" : view.reason,
    details: {
      version,
      node_id: String(view.nodeId),
      leader_id: view.leaderId === undefined ? "" : String(view.leaderId),
      term: String(view.term),
      commit_index: String(view.commitIndex),
      applied_index: String(view.appliedIndex),
      cluster_id: view.clusterId,
      cluster_healthy: String(view.healthy),
    },
  };
}
