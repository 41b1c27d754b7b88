import type { FastifyReply, FastifyRequest } from "fastify";
import { type Static, Type } from "typebox";
import { type DrawFields, drawCommand } from "../../commands.js";
import { prefixField } from "../../request-fields.js";
import { drawnAnswer, problemResponses } from "../answer-schemas.js";
import { callerOf, drawFieldsOf, markDraw, proposeOptionsOf } from "../callers.js";
import type { DrawEdge, RestApp } from "../edge.js";
import { closed, drawProperties, idempotencyHeaders, prefixParams } from "../request-schemas.js";
import { resultOf } from "../results.js";

/** POST /next and GET /next/:prefix: one number. */
export function nextRoutes(app: RestApp, edge: DrawEdge): void {
  const config = { access: "client" } as const;
  const shared = {
    tags: ["numbers"],
    headers: idempotencyHeaders,
    response: { 200: drawnAnswer, ...problemResponses },
  };

  const body = Type.Object({ prefix: prefixField, ...drawProperties }, closed);
  app.post("/next", { config, schema: { ...shared, summary: "Draw the next number", body } }, (request, reply) =>
    draw(edge, drawFieldsOf(request.body.prefix, request.body, request), request, reply),
  );

  const querystring = Type.Object(drawProperties, closed);
  const summary = "Draw the next number, for callers that can only GET; prefer POST";
  app.get(
    "/next/:prefix",
    { config, exposeHeadRoute: false, schema: { ...shared, summary, params: prefixParams, querystring } },
    (request, reply) => draw(edge, drawFieldsOf(request.params.prefix, request.query, request), request, reply),
  );
}

async function draw(
  { backend, answers }: DrawEdge,
  fields: DrawFields,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Static<typeof drawnAnswer>> {
  const drawn = resultOf(
    await backend.propose(drawCommand(fields, callerOf(request)), proposeOptionsOf(request)),
    "drawn",
  );
  markDraw(drawn, reply);
  const { counter, fullNumber } = answers.number(drawn);
  return {
    full_number: fullNumber,
    counter,
    prefix: drawn.prefix,
    period: drawn.period,
    generated_at: answers.generatedAt(drawn),
    message_id: drawn.messageId,
  };
}
