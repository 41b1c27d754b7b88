import type {
  GetNextBatchRequest,
  GetNextBatchResponse,
  GetNextRequest,
  GetNextResponse,
} from "../../generated/sequentialid/sequential_id.js";
import type { Drawn } from "../../sequence/result.js";
import { type DrawAnswers, drawnEnds } from "../answers.js";
import type { BatchFields, DrawFields } from "../commands.js";
import { FULL_NUMBERS_MAX } from "../request-fields.js";
import { countRule, documentDateRule, idempotencyKeyRule, prefixRule, textRule } from "./field-rules.js";

/**
 * The fields of a draw, checked. The request serves as they are, since both have the same names and "" means absent.
 * @throws Problem VALIDATION_ERROR
 */
export function drawFieldsOf(request: GetNextRequest): DrawFields {
  prefixRule(request.prefix, "prefix");
  textRule(request.clientId, "client_id");
  textRule(request.correlationId, "correlation_id");
  idempotencyKeyRule(request.idempotencyKey, "idempotency_key");
  textRule(request.generatedBy, "generated_by");
  textRule(request.site, "site");
  textRule(request.partition, "partition");
  textRule(request.documentType, "document_type");
  documentDateRule(request.documentDate, "document_date");
  textRule(request.documentRef, "document_ref");
  return request;
}

/** @throws Problem VALIDATION_ERROR */
export function batchFieldsOf(request: GetNextBatchRequest): BatchFields {
  drawFieldsOf(request);
  countRule(request.count, "count");
  // Start and end of the answer describe one range.
  return { ...request, contiguous: request.contiguous ?? true };
}

export function nextResponseOf(drawn: Drawn, answers: DrawAnswers): GetNextResponse {
  const { counter, fullNumber } = answers.number(drawn);
  return {
    fullNumber,
    prefix: drawn.prefix,
    counter: BigInt(counter),
    generatedAt: answers.generatedAt(drawn),
    messageId: drawn.messageId,
    period: drawn.period,
    replayed: drawn.replayed,
  };
}

export function batchResponseOf(drawn: Drawn, answers: DrawAnswers): GetNextBatchResponse {
  const { first, last } = drawnEnds(drawn);
  return {
    fullNumbers: drawn.count <= FULL_NUMBERS_MAX ? answers.fullNumbers(drawn) : [],
    prefix: drawn.prefix,
    startCounter: BigInt(first),
    endCounter: BigInt(last),
    count: drawn.count,
    generatedAt: answers.generatedAt(drawn),
    batchId: drawn.messageId,
    ranges: answers.ranges(drawn).map((range) => ({
      ...range,
      firstCounter: BigInt(range.firstCounter),
      lastCounter: BigInt(range.lastCounter),
    })),
    period: drawn.period,
    replayed: drawn.replayed,
  };
}
