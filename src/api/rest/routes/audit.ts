import { type Static, Type } from "typebox";
import type { AuditQuery, AuditRecord } from "../../../sequence/query.js";
import type { NumberRange } from "../../../sequence/result.js";
import { instantText } from "../../answers.js";
import { isDay } from "../../calendar-day.js";
import type { Backend } from "../../port.js";
import { invalidField } from "../../problem.js";
import {
  auditKindField,
  INSTANT_EXPECTED,
  instantField,
  messageIdField,
  PAGE_LIMIT_DEFAULT,
  pageLimitField,
  textField,
} from "../../request-fields.js";
import { auditAnswer, problemResponses } from "../answer-schemas.js";
import type { RestApp } from "../edge.js";
import { namedChange } from "../field-names.js";
import { closed, prefixParams } from "../request-schemas.js";
import { answerOf } from "../results.js";

const querystring = Type.Object(
  {
    after: Type.Optional(messageIdField),
    limit: Type.Optional(pageLimitField),
    kind: Type.Optional(auditKindField),
    from: Type.Optional(instantField),
    to: Type.Optional(instantField),
    client_id: Type.Optional(textField),
    generated_by: Type.Optional(textField),
    correlation_id: Type.Optional(textField),
  },
  closed,
);

/** GET /audit/:prefix: what happened to a sequence, in pages. */
export function auditRoutes(app: RestApp, backend: Backend): void {
  app.get(
    "/audit/:prefix",
    {
      config: { access: "client" },
      schema: {
        tags: ["audit"],
        summary: "Every draw, reset and change of definition, in pages",
        params: prefixParams,
        querystring,
        response: { 200: auditAnswer, ...problemResponses },
      },
    },
    async (request, reply) => {
      const { prefix } = request.params;
      const reading = await backend.query(auditQuery(prefix, request.query), "linearizable");
      const { records, next } = answerOf(reading.answer, "audit", prefix);
      reply.header("cache-control", "no-store");
      return { records: records.map(recordOf), next: next ?? null };
    },
  );
}

function auditQuery(prefix: string, query: Static<typeof querystring>): AuditQuery {
  const { after = "", limit = PAGE_LIMIT_DEFAULT } = query;
  const filter = {
    ...(query.kind === undefined ? {} : { kinds: [query.kind] }),
    ...(query.from === undefined ? {} : { from: timeOf("from", query.from) }),
    ...(query.to === undefined ? {} : { to: timeOf("to", query.to) }),
    ...(query.client_id === undefined ? {} : { clientId: query.client_id }),
    ...(query.generated_by === undefined ? {} : { generatedBy: query.generated_by }),
    ...(query.correlation_id === undefined ? {} : { correlationId: query.correlation_id }),
  };
  return { kind: "audit", prefix, after, limit, filter };
}

const DAY_LENGTH = "YYYY-MM-DD".length;

function timeOf(field: string, text: string): number {
  const time = Date.parse(text);
  // Date.parse takes 30 February for 2 March.
  if (Number.isNaN(time) || !isDay(text.slice(0, DAY_LENGTH))) throw invalidField(field, INSTANT_EXPECTED);
  return time;
}

function recordOf(record: AuditRecord): Static<typeof auditAnswer>["records"][number] {
  return {
    message_id: record.messageId,
    kind: record.kind,
    prefix: record.prefix,
    time: instantText(record.time),
    principal: record.principal,
    client_id: record.clientId,
    generated_by: record.generatedBy,
    correlation_id: record.correlationId,
    request_id: record.requestId,
    ...given("period", record.period),
    ...given("epoch", record.epoch),
    ...given("scope_key", record.scopeKey),
    ...given("ranges", record.ranges?.map(rangeOf)),
    ...given("first_full_number", record.firstFullNumber),
    ...given("last_full_number", record.lastFullNumber),
    ...given("count", record.count),
    ...given("document_ref", record.documentRef),
    ...given("document_date", record.documentDate),
    ...given("idempotency_key", record.idempotencyKey),
    ...given("old_value", record.oldValue),
    ...given("new_value", record.newValue),
    ...given("reason", record.reason),
    ...given("force", record.force),
    ...given("skipped", record.skipped === undefined ? undefined : rangeOf(record.skipped)),
    ...given("version", record.version),
    ...given("change", record.change === undefined ? undefined : namedChange(record.change)),
  };
}

function rangeOf({ first, last }: NumberRange): { first_counter: number; last_counter: number } {
  return { first_counter: first, last_counter: last };
}

function given<Name extends string, Value>(name: Name, value: Value | undefined): { [Key in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { [Key in Name]?: Value });
}
