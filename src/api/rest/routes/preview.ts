import { Type } from "typebox";
import { scopeValues } from "../../commands.js";
import type { Backend } from "../../port.js";
import { previewCountField } from "../../request-fields.js";
import { problemResponses } from "../answer-schemas.js";
import { scopeFieldsOf } from "../callers.js";
import type { RestApp } from "../edge.js";
import { closed, prefixParams, scopeProperties } from "../request-schemas.js";
import { answerOf } from "../results.js";

const COUNT_DEFAULT = 10;

/** GET /preview/:prefix: the next numbers, drawing nothing. */
export function previewRoutes(app: RestApp, backend: Backend): void {
  const querystring = Type.Object({ count: Type.Optional(previewCountField), ...scopeProperties }, closed);
  const answer = Type.Object({
    prefix: Type.String(),
    period: Type.String(),
    count: Type.Integer({ description: "Fewer than asked for where the maximum is near" }),
    full_numbers: Type.Array(Type.String()),
  });
  app.get(
    "/preview/:prefix",
    {
      config: { access: "client" },
      schema: {
        tags: ["sequences"],
        summary: "The next numbers as they would be drawn now, drawing nothing",
        params: prefixParams,
        querystring,
        response: { 200: answer, ...problemResponses },
      },
    },
    async (request, reply) => {
      const { prefix } = request.params;
      const scope = scopeValues(scopeFieldsOf(request.query));
      const count = request.query.count ?? COUNT_DEFAULT;
      const reading = await backend.query({ kind: "preview", prefix, scope, count }, "linearizable");
      const { fullNumbers, period } = answerOf(reading.answer, "preview", prefix);
      reply.header("cache-control", "no-store");
      return { prefix, period, count: fullNumbers.length, full_numbers: [...fullNumbers] };
    },
  );
}
