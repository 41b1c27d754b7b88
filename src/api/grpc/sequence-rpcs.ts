import { invariant } from "../../assert.js";
import type * as wire from "../../generated/sequentialid/sequential_id.js";
import type { Absent, QueryAnswer } from "../../sequence/query.js";
import type { CommandResult } from "../../sequence/result.js";
import { DrawAnswers } from "../answers.js";
import { batchCommand, drawCommand, resetCommand } from "../commands.js";
import type { Backend } from "../port.js";
import { Problem, problemOfRefusal, snakeCase } from "../problem.js";
import { configFieldName, configInfoOf, configureCommandOf, updateResponseOf } from "./configs.js";
import { batchFieldsOf, batchResponseOf, drawFieldsOf, nextResponseOf } from "./draws.js";
import { prefixRule } from "./field-rules.js";
import { healthResponseOf, statusQueryOf, statusResponseOf } from "./readings.js";
import { resetFieldName, resetFieldsOf, resetResponseOf } from "./resets.js";
import type { Rpc } from "./unary.js";

export interface SequenceRpcs {
  readonly getNext: Rpc<wire.GetNextRequest, wire.GetNextResponse>;
  readonly getNextBatch: Rpc<wire.GetNextBatchRequest, wire.GetNextBatchResponse>;
  readonly resetCounter: Rpc<wire.ResetCounterRequest, wire.ResetCounterResponse>;
  readonly getStatus: Rpc<wire.GetStatusRequest, wire.GetStatusResponse>;
  readonly health: Rpc<wire.HealthRequest, wire.HealthResponse>;
  readonly getConfig: Rpc<wire.GetConfigRequest, wire.GetConfigResponse>;
  readonly updateConfig: Rpc<wire.UpdateConfigRequest, wire.UpdateConfigResponse>;
}

/** The RPCs of sequentialid.SequentialIDService over a backend. */
export function sequenceRpcs(backend: Backend, version: string): SequenceRpcs {
  const answers = new DrawAnswers();
  return {
    getNext: {
      name: "GetNext",
      access: "client",
      run: (request, { caller, proposeOptions }) =>
        backend
          .propose(drawCommand(drawFieldsOf(request), caller), proposeOptions)
          .then((result) => nextResponseOf(resultOf(result, "drawn", snakeCase), answers)),
    },
    getNextBatch: {
      name: "GetNextBatch",
      access: "client",
      run: async (request, { caller, proposeOptions }) => {
        const result = await backend.propose(batchCommand(batchFieldsOf(request), caller), proposeOptions);
        return batchResponseOf(resultOf(result, "drawn", snakeCase), answers);
      },
    },
    resetCounter: {
      name: "ResetCounter",
      access: "admin",
      run: async (request, { caller, proposeOptions }) => {
        const result = await backend.propose(resetCommand(resetFieldsOf(request), caller), proposeOptions);
        return resetResponseOf(resultOf(result, "reset", resetFieldName));
      },
    },
    getStatus: {
      name: "GetStatus",
      access: "client",
      run: async (request) => {
        const { query, consistency } = statusQueryOf(request);
        const reading = await backend.query(query, consistency);
        const status = answerOf(reading.answer, "status");
        if (status.kind === "absent") throw new Problem("NOT_FOUND", `the prefix ${request.prefix} was never used`);
        return statusResponseOf(status, reading);
      },
    },
    health: {
      name: "Health",
      access: "open",
      run: async () => healthResponseOf(backend.cluster(), version),
    },
    getConfig: {
      name: "GetConfig",
      access: "client",
      run: async ({ prefix }) => {
        prefixRule(prefix, "prefix");
        const { answer } = await backend.query({ kind: "definition", prefix }, "linearizable");
        const definition = answerOf(answer, "definition");
        if (definition.kind === "absent") return { found: false, config: undefined };
        return { found: true, config: configInfoOf(definition.definition) };
      },
    },
    updateConfig: {
      name: "UpdateConfig",
      access: "admin",
      run: async (request, { caller, proposeOptions }) => {
        const result = await backend.propose(configureCommandOf(request, caller), proposeOptions);
        return updateResponseOf(resultOf(result, "configured", configFieldName));
      },
    },
  };
}

type Result<Kind> = Extract<CommandResult, { readonly kind: Kind }>;
type Answer<Kind> = Extract<QueryAnswer, { readonly kind: Kind }>;

/** The result of the kind that the command has. @throws Problem for a refusal */
function resultOf<Kind extends "drawn" | "reset" | "configured">(
  result: CommandResult,
  kind: Kind,
  wireName: (field: string) => string,
): Result<Kind> {
  if (result.kind === "refused") throw problemOfRefusal(result, wireName);
  invariant(result.kind === kind, () => `a command is answered in kind: ${kind}, not ${result.kind}`);
  return result as Result<Kind>;
}

function answerOf<Kind extends "status" | "definition">(answer: QueryAnswer, kind: Kind): Answer<Kind> | Absent {
  if (answer.kind === "absent") return answer;
  invariant(answer.kind === kind, () => `a query is answered in kind: ${kind}, not ${answer.kind}`);
  return answer as Answer<Kind>;
}
