import { type TSchema, Type } from "typebox";
import { PROBLEM_CODES } from "../problem.js";

const nullable = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);
export const nullableInteger = nullable(Type.Integer());
export const nullableText = nullable(Type.String());
export const instant = Type.String({ description: "RFC 3339, UTC" });

const problemSchema = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.Unsafe<string>({ type: "string", enum: [...PROBLEM_CODES] }),
    request_id: Type.String(),
    errors: Type.Optional(
      Type.Array(Type.Object({ field: Type.String(), expected: Type.String(), message: Type.String() })),
    ),
  },
  { description: "RFC 9457" },
);

const problemContent = { "application/problem+json": { schema: problemSchema } };

/** Security of routes that no configuration opens to everybody. */
export const KEY_NEEDED = [{ key: [] }];

/** What every route may answer besides its own. */
export const problemResponses = {
  "4xx": { description: "The request was refused; nothing changed.", content: problemContent },
  "5xx": {
    description: "503 NOT_EXECUTED: retry freely. 504 OUTCOME_UNKNOWN: retry a draw with the same Idempotency-Key.",
    content: problemContent,
  },
};

export const drawnAnswer = Type.Object({
  full_number: Type.String({ examples: ["SG000001"] }),
  counter: Type.Integer(),
  prefix: Type.String(),
  period: Type.String({ description: 'The series: "" when it never resets, else 2026, 2026-11 or 2026-11-20' }),
  generated_at: instant,
  message_id: Type.String(),
});

const rangeAnswer = Type.Object({
  first_counter: Type.Integer(),
  last_counter: Type.Integer(),
  first_full_number: Type.String(),
  last_full_number: Type.String(),
});

export const batchAnswer = Type.Object({
  prefix: Type.String(),
  count: Type.Integer(),
  first_counter: Type.Integer(),
  last_counter: Type.Integer(),
  ranges: Type.Array(rangeAnswer),
  full_numbers: Type.Optional(Type.Array(Type.String(), { description: "All of them; absent with expand=false" })),
  contiguous: Type.Boolean({ description: "The numbers form one range" }),
  period: Type.String(),
  generated_at: instant,
  batch_id: Type.String(),
});

export const definitionAnswer = Type.Object({
  prefix: Type.String(),
  format_template: Type.String(),
  padding_length: Type.Integer(),
  separator: Type.String(),
  start: Type.Integer(),
  step: Type.Integer(),
  maximum: Type.Integer(),
  reset_rule: Type.String(),
  time_zone: Type.String(),
  fiscal_year_start: Type.Integer(),
  scope: Type.String(),
  gap_policy: Type.String(),
  profile: Type.String(),
  is_active: Type.Boolean(),
  description: Type.String(),
  version: Type.Integer(),
  explicit: Type.Boolean({ description: "Configured by somebody, or come to life by a draw" }),
  created_at: instant,
  updated_at: instant,
});

export const statusAnswer = Type.Object({
  prefix: Type.String(),
  current_counter: Type.Integer(),
  next_counter: nullableInteger,
  next_full_number: nullableText,
  period: Type.String(),
  total_generated: Type.Integer(),
  released: Type.Integer(),
  reserved: Type.Integer(),
  is_active: Type.Boolean(),
  last_generated: nullable(instant),
  version: Type.Integer(),
  cluster_healthy: Type.Boolean(),
  served_by: Type.Integer(),
  leader_id: nullableInteger,
  applied_index: Type.Integer(),
  lag: Type.Integer({ description: "Committed entries that this node knows of and has not applied" }),
});

const skippedRange = Type.Object({ first_counter: Type.Integer(), last_counter: Type.Integer() });

export const auditAnswer = Type.Object({
  records: Type.Array(
    Type.Object({
      message_id: Type.String(),
      kind: Type.String(),
      prefix: Type.String(),
      time: instant,
      principal: Type.String(),
      client_id: Type.String(),
      generated_by: Type.String(),
      correlation_id: Type.String(),
      request_id: Type.String(),
      period: Type.Optional(Type.String()),
      epoch: Type.Optional(Type.Integer()),
      scope_key: Type.Optional(Type.String()),
      ranges: Type.Optional(Type.Array(skippedRange)),
      first_full_number: Type.Optional(Type.String()),
      last_full_number: Type.Optional(Type.String()),
      count: Type.Optional(Type.Integer()),
      document_ref: Type.Optional(Type.String()),
      document_date: Type.Optional(Type.String()),
      idempotency_key: Type.Optional(Type.String()),
      old_value: Type.Optional(Type.Integer()),
      new_value: Type.Optional(Type.Integer()),
      reason: Type.Optional(Type.String()),
      force: Type.Optional(Type.Boolean()),
      skipped: Type.Optional(skippedRange),
      version: Type.Optional(Type.Integer()),
      change: Type.Optional(Type.Object({}, { additionalProperties: true })),
    }),
  ),
  next: Type.Union([Type.String(), Type.Null()], { description: "Pass as `after`; null at the end" }),
});

export const clusterAnswer = Type.Object({
  cluster_id: Type.String(),
  node_id: Type.Integer(),
  leader_id: nullableInteger,
  term: Type.Integer(),
  commit_index: Type.Integer(),
  applied_index: Type.Integer(),
  healthy: Type.Boolean(),
  ready: Type.Boolean(),
  reason: Type.String(),
  nodes: Type.Array(
    Type.Object({
      id: Type.Integer(),
      kind: Type.String(),
      role: Type.String(),
      address: Type.String(),
      rest_address: Type.String(),
      grpc_address: Type.String(),
      reachable: Type.Boolean(),
      term: nullableInteger,
      last_index: nullableInteger,
      commit_index: nullableInteger,
      applied_index: nullableInteger,
      match_index: nullableInteger,
      lag: nullableInteger,
    }),
  ),
});

export const membershipAnswer = Type.Object({
  message: Type.String(),
  leader_id: nullableInteger,
  members: Type.Array(Type.Object({ id: Type.Integer(), kind: Type.String(), address: Type.String() })),
});
