import type { FastifyReply } from "fastify";
import { type Static, Type } from "typebox";
import type { Definition } from "../../../sequence/definition.js";
import { configureCommand } from "../../commands.js";
import type { Backend } from "../../port.js";
import { definitionAnswer, KEY_NEEDED, problemResponses } from "../answer-schemas.js";
import { authorFieldsOf, callerOf, proposeOptionsOf } from "../callers.js";
import { conditionHeaders, conditionOf, isUnchanged, versionTag } from "../conditions.js";
import { definitionOf } from "../definitions.js";
import type { RestApp } from "../edge.js";
import { changeOf, restName } from "../field-names.js";
import { authorProperties, closed, prefixParams, settingProperties } from "../request-schemas.js";
import { answerOf, resultOf } from "../results.js";

/** GET and POST /config/:prefix: a definition, with its version as ETag. */
export function configRoutes(app: RestApp, backend: Backend): void {
  const response = { 200: definitionAnswer, ...problemResponses };
  const unchanged = Type.Null({ description: "The version is the one that If-None-Match names" });
  app.get(
    "/config/:prefix",
    {
      config: { access: "client" },
      schema: {
        tags: ["sequences"],
        summary: "The definition of a sequence",
        params: prefixParams,
        response: { ...response, 304: unchanged },
      },
    },
    async (request, reply) => {
      const { prefix } = request.params;
      const reading = await backend.query({ kind: "definition", prefix }, "linearizable");
      const { definition } = answerOf(reading.answer, "definition", prefix);
      if (!isUnchanged(definition.version, request.headers)) return sendDefinition(definition, reply);
      return markVersion(definition, reply).code(304).send();
    },
  );

  const body = Type.Object({ ...settingProperties, ...authorProperties }, closed);
  const summary = "Define a sequence or change its definition; absent fields stay as they are";
  app.post(
    "/config/:prefix",
    {
      config: { access: "admin" },
      schema: {
        tags: ["administration"],
        security: KEY_NEEDED,
        summary,
        params: prefixParams,
        headers: conditionHeaders,
        body,
        response,
      },
    },
    async (request, reply) => {
      const { expectedVersion, header } = conditionOf(request.headers);
      const fields = {
        prefix: request.params.prefix,
        change: changeOf(request.body),
        expectedVersion,
        ...authorFieldsOf(request.body),
      };
      const result = await backend.propose(configureCommand(fields, callerOf(request)), proposeOptionsOf(request));
      const name = (field: string) => (field === "expectedVersion" ? header : restName(field));
      return sendDefinition(resultOf(result, "configured", name).definition, reply);
    },
  );
}

function sendDefinition(definition: Definition, reply: FastifyReply): Static<typeof definitionAnswer> {
  markVersion(definition, reply);
  return definitionOf(definition);
}

function markVersion(definition: Definition, reply: FastifyReply): FastifyReply {
  return reply.header("etag", versionTag(definition.version)).header("cache-control", "no-cache");
}
