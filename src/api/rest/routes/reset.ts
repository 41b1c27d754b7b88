import type { FastifyRequest } from "fastify";
import { type Static, Type } from "typebox";
import type { ResetDone } from "../../../sequence/result.js";
import { resetCommand } from "../../commands.js";
import type { Backend } from "../../port.js";
import { invalidField } from "../../problem.js";
import {
  counterField,
  flagField,
  periodField,
  prefixField,
  reasonField,
  SAFE_INTEGER,
  versionField,
} from "../../request-fields.js";
import { KEY_NEEDED, problemResponses } from "../answer-schemas.js";
import { authorFieldsOf, callerOf, proposeOptionsOf, scopeFieldsOf } from "../callers.js";
import type { RestApp } from "../edge.js";
import { authorProperties, closed, prefixParams, scopeProperties } from "../request-schemas.js";
import { resultOf } from "../results.js";

const resetProperties = {
  new_value: Type.Optional(counterField),
  set_to: Type.Optional(counterField),
  reason: reasonField,
  force: Type.Optional(flagField),
  expected_version: Type.Optional(versionField),
  period: Type.Optional(periodField),
  ...authorProperties,
  ...scopeProperties,
};

const resetAnswer = Type.Object({
  success: Type.Boolean(),
  message: Type.String(),
  old_value: Type.Integer(),
  new_value: Type.Integer(),
});

const bodyWithoutPrefix = Type.Object(resetProperties, closed);

/** POST /reset and POST /reset/:prefix: moves a counter; the next number is new_value + step. */
export function resetRoutes(app: RestApp, backend: Backend): void {
  const config = { access: "admin" } as const;
  const shared = {
    tags: ["administration"],
    security: KEY_NEEDED,
    summary: "Move a counter; the next number is new_value + step",
    response: { 200: resetAnswer, ...problemResponses },
  };

  const body = Type.Object({ prefix: prefixField, ...resetProperties }, closed);
  app.post("/reset", { config, schema: { ...shared, body } }, (request) =>
    reset(backend, request.body.prefix, request.body, request),
  );
  app.post(
    "/reset/:prefix",
    { config, schema: { ...shared, params: prefixParams, body: bodyWithoutPrefix } },
    (request) => reset(backend, request.params.prefix, request.body, request),
  );
}

async function reset(
  backend: Backend,
  prefix: string,
  body: Static<typeof bodyWithoutPrefix>,
  request: FastifyRequest,
): Promise<Static<typeof resetAnswer>> {
  const command = resetCommand(
    {
      prefix,
      newValue: newValueOf(body),
      reason: body.reason,
      force: body.force,
      expectedVersion: body.expected_version,
      period: body.period,
      ...authorFieldsOf(body),
      ...scopeFieldsOf(body),
    },
    callerOf(request),
  );
  const done = resultOf(await backend.propose(command, proposeOptionsOf(request)), "reset");
  return { success: true, message: messageOf(done), old_value: done.oldValue, new_value: done.newValue };
}

/** `set_to` is the older name of `new_value`. */
function newValueOf(body: { readonly new_value?: number; readonly set_to?: number }): number {
  if (body.new_value !== undefined && body.set_to !== undefined && body.new_value !== body.set_to) {
    throw invalidField("set_to", "absent where new_value is given: they are two names of one value");
  }
  const newValue = body.new_value ?? body.set_to;
  if (newValue === undefined) throw invalidField("new_value", SAFE_INTEGER);
  return newValue;
}

function messageOf(done: ResetDone): string {
  const series = done.period === "" ? done.prefix : `${done.prefix} (${done.period})`;
  const moved = `the counter of ${series} went from ${done.oldValue} to ${done.newValue}`;
  if (done.skipped === undefined) return moved;
  return `${moved}; the numbers from ${done.skipped.first} to ${done.skipped.last} are skipped and journalled as such`;
}
