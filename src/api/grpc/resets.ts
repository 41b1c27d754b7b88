import type { ResetCounterRequest, ResetCounterResponse } from "../../generated/sequentialid/sequential_id.js";
import type { ResetDone } from "../../sequence/result.js";
import { resetSentence } from "../answers.js";
import type { ResetFields } from "../commands.js";
import { snakeCase } from "../problem.js";
import {
  optionalSafeNumber,
  periodRule,
  prefixRule,
  reasonRule,
  safeNumber,
  textRule,
  versionRule,
} from "./field-rules.js";

const inScope: ReadonlySet<string> = new Set(["site", "partition", "documentType", "period"]);

/** A field of a Reset command as a caller of ResetCounter knows it. */
export function resetFieldName(field: string): string {
  return inScope.has(field) ? `scope.${snakeCase(field)}` : snakeCase(field);
}

/** @throws Problem VALIDATION_ERROR */
export function resetFieldsOf(request: ResetCounterRequest): ResetFields {
  prefixRule(request.prefix, "prefix");
  const newValue = safeNumber(request.newValue, "new_value");
  reasonRule(request.reason, "reason");
  textRule(request.clientId, "client_id");
  textRule(request.correlationId, "correlation_id");
  const expectedVersion = optionalSafeNumber(request.expectedVersion, "expected_version");
  versionRule(expectedVersion, "expected_version");
  const { site = "", partition = "", documentType = "", period = "" } = request.scope ?? {};
  textRule(site, "scope.site");
  textRule(partition, "scope.partition");
  textRule(documentType, "scope.document_type");
  periodRule(period, "scope.period");
  return {
    prefix: request.prefix,
    newValue,
    reason: request.reason,
    force: request.force,
    expectedVersion,
    site,
    partition,
    documentType,
    period,
    clientId: request.clientId,
    correlationId: request.correlationId,
  };
}

export function resetResponseOf(done: ResetDone): ResetCounterResponse {
  return {
    success: true,
    message: resetSentence(done),
    oldValue: BigInt(done.oldValue),
    newValue: BigInt(done.newValue),
  };
}
