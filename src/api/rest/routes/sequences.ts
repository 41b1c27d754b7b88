import { Type } from "typebox";
import type { Backend } from "../../port.js";
import { PAGE_LIMIT_DEFAULT, pageLimitField, prefixField } from "../../request-fields.js";
import { definitionAnswer, nullableText, problemResponses } from "../answer-schemas.js";
import { definitionOf } from "../definitions.js";
import type { RestApp } from "../edge.js";
import { closed } from "../request-schemas.js";
import { answerOf } from "../results.js";

/** GET /sequences: all definitions by prefix, in pages. */
export function sequencesRoutes(app: RestApp, backend: Backend): void {
  const querystring = Type.Object({ after: Type.Optional(prefixField), limit: Type.Optional(pageLimitField) }, closed);
  const answer = Type.Object({ sequences: Type.Array(definitionAnswer), next: nullableText });
  app.get(
    "/sequences",
    {
      config: { access: "client" },
      schema: {
        tags: ["sequences"],
        summary: "All definitions, in pages",
        querystring,
        response: { 200: answer, ...problemResponses },
      },
    },
    async (request, reply) => {
      const { after = "", limit = PAGE_LIMIT_DEFAULT } = request.query;
      const reading = await backend.query({ kind: "definitions", after, limit }, "linearizable");
      const { definitions, next } = answerOf(reading.answer, "definitions", after);
      reply.header("cache-control", "no-store");
      return { sequences: definitions.map(definitionOf), next: next ?? null };
    },
  );
}
