import type { FastifyReply } from "fastify";
import { type Static, Type } from "typebox";
import type { Definition } from "../../../sequence/definition.js";
import { configureCommand } from "../../commands.js";
import type { Backend } from "../../port.js";
import { invalidField } from "../../problem.js";
import { definitionAnswer, problemResponses } from "../answer-schemas.js";
import { authorFieldsOf, callerOf } from "../callers.js";
import { definitionOf } from "../definitions.js";
import type { RestApp } from "../edge.js";
import { changeOf } from "../field-names.js";
import { authorProperties, closed, prefixParams, settingProperties } from "../request-schemas.js";
import { answerOf, resultOf } from "../results.js";

/** GET and POST /config/:prefix: a definition, with its version as ETag. */
export function configRoutes(app: RestApp, backend: Backend): void {
  const response = { 200: definitionAnswer, ...problemResponses };
  app.get(
    "/config/:prefix",
    {
      config: { access: "client" },
      schema: { tags: ["sequences"], summary: "The definition of a sequence", params: prefixParams, response },
    },
    async (request, reply) => {
      const { prefix } = request.params;
      const { answer } = await backend.query({ kind: "definition", prefix }, "linearizable");
      return sendDefinition(answerOf(answer, "definition", prefix).definition, reply);
    },
  );

  const body = Type.Object({ ...settingProperties, ...authorProperties }, closed);
  const summary = "Define a sequence or change its definition; absent fields stay as they are";
  const headers = Type.Object({
    "if-match": Type.Optional(Type.String({ description: "The ETag of the version that the change is meant for" })),
  });
  app.post(
    "/config/:prefix",
    {
      config: { access: "admin" },
      schema: { tags: ["administration"], summary, params: prefixParams, headers, body, response },
    },
    async (request, reply) => {
      const fields = {
        prefix: request.params.prefix,
        change: changeOf(request.body),
        expectedVersion: versionOf(request.headers["if-match"]),
        ...authorFieldsOf(request.body),
      };
      const result = await backend.propose(configureCommand(fields, callerOf(request)));
      return sendDefinition(resultOf(result, "configured").definition, reply);
    },
  );
}

function sendDefinition(definition: Definition, reply: FastifyReply): Static<typeof definitionAnswer> {
  reply.header("etag", `"${definition.version}"`).header("cache-control", "no-cache");
  return definitionOf(definition);
}

/** One strong ETag as GET answers it; the quotes may be missing. */
function versionOf(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined) return undefined;
  const version = /^(?:"([0-9]{1,15})"|([0-9]{1,15}))$/.exec(ifMatch);
  if (version === null) throw invalidField("If-Match", 'one ETag as GET /config/:prefix answers it, such as "3"');
  return Number(version[1] ?? version[2]);
}
