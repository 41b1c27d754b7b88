import type { FastifyReply, FastifyRequest } from "fastify";
import { type Static, Type } from "typebox";
import type { Drawn } from "../../../sequence/result.js";
import { type DrawAnswers, drawnEnds } from "../../answers.js";
import { type BatchFields, batchCommand } from "../../commands.js";
import { invalidField } from "../../problem.js";
import { FULL_NUMBERS_MAX, prefixField } from "../../request-fields.js";
import { batchAnswer, problemResponses } from "../answer-schemas.js";
import { callerOf, drawFieldsOf, markDraw, proposeOptionsOf } from "../callers.js";
import type { DrawEdge, RestApp } from "../edge.js";
import { batchProperties, closed, idempotencyHeaders, prefixParams } from "../request-schemas.js";
import { resultOf } from "../results.js";

const bodyWithoutPrefix = Type.Object(batchProperties, closed);

/** POST /batch and POST /batch/:prefix: many numbers as one record. */
export function batchRoutes(app: RestApp, edge: DrawEdge): void {
  const config = { access: "client" } as const;
  const shared = {
    tags: ["numbers"],
    summary: "Draw many numbers",
    headers: idempotencyHeaders,
    response: { 200: batchAnswer, ...problemResponses },
  };

  const body = Type.Object({ prefix: prefixField, ...batchProperties }, closed);
  app.post("/batch", { config, schema: { ...shared, body } }, (request, reply) =>
    draw(edge, request.body.prefix, request.body, request, reply),
  );
  app.post(
    "/batch/:prefix",
    { config, schema: { ...shared, params: prefixParams, body: bodyWithoutPrefix } },
    (request, reply) => draw(edge, request.params.prefix, request.body, request, reply),
  );
}

async function draw(
  { backend, answers }: DrawEdge,
  prefix: string,
  body: Static<typeof bodyWithoutPrefix>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Static<typeof batchAnswer>> {
  const expand = body.expand ?? true;
  if (expand && body.count > FULL_NUMBERS_MAX) {
    throw invalidField("expand", `false for a count above ${FULL_NUMBERS_MAX}: the answer then holds ranges only`);
  }
  const fields: BatchFields = {
    ...drawFieldsOf(prefix, body, request),
    count: body.count,
    contiguous: body.contiguous ?? false,
  };
  const drawn = resultOf(
    await backend.propose(batchCommand(fields, callerOf(request)), proposeOptionsOf(request)),
    "drawn",
  );
  markDraw(drawn, reply);
  return answerOfBatch(answers, drawn, expand);
}

function answerOfBatch(answers: DrawAnswers, drawn: Drawn, expand: boolean): Static<typeof batchAnswer> {
  const { first, last } = drawnEnds(drawn);
  return {
    prefix: drawn.prefix,
    count: drawn.count,
    first_counter: first,
    last_counter: last,
    ranges: answers.ranges(drawn).map((range) => ({
      first_counter: range.firstCounter,
      last_counter: range.lastCounter,
      first_full_number: range.firstFullNumber,
      last_full_number: range.lastFullNumber,
    })),
    ...(expand ? { full_numbers: answers.fullNumbers(drawn) } : {}),
    contiguous: drawn.ranges.length === 1,
    period: drawn.period,
    generated_at: answers.generatedAt(drawn),
    batch_id: drawn.messageId,
  };
}
