import { invariant } from "../../assert.js";
import type { Absent, QueryAnswer } from "../../sequence/query.js";
import type { CommandResult } from "../../sequence/result.js";
import { Problem, problemOfRefusal } from "../problem.js";
import { restName } from "./field-names.js";

/**
 * The result of the kind that the command must have; a refusal becomes a problem.
 * @param wireName what the caller calls a field of the command
 */
export function resultOf<Kind extends "drawn" | "reset" | "configured">(
  result: CommandResult,
  kind: Kind,
  wireName = restName,
): Extract<CommandResult, { readonly kind: Kind }> {
  if (result.kind === "refused") throw problemOfRefusal(result, wireName);
  invariant(result.kind === kind, () => `a command is answered in kind: ${kind}, not ${result.kind}`);
  return result as Extract<CommandResult, { readonly kind: Kind }>;
}

/** The answer of the kind that the query must have; a prefix that was never used is a 404. */
export function answerOf<Kind extends Exclude<QueryAnswer, Absent>["kind"]>(
  answer: QueryAnswer,
  kind: Kind,
  prefix: string,
): Extract<QueryAnswer, { readonly kind: Kind }> {
  if (answer.kind === "absent") throw new Problem("NOT_FOUND", `the prefix ${prefix} was never used`);
  invariant(answer.kind === kind, () => `a query is answered in kind: ${kind}, not ${answer.kind}`);
  return answer as Extract<QueryAnswer, { readonly kind: Kind }>;
}
