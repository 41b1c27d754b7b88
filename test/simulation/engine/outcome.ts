import type { CommandResult } from "../../../src/sequence/result.js";
import type { OperationStep } from "./plan.js";

/** How a call ended, as its client sees it. */
export type Outcome =
  | { readonly kind: "drawn"; readonly epoch: number; readonly first: number; readonly last: number }
  | { readonly kind: "reset"; readonly epoch: number; readonly oldValue: number }
  /** The domain said no: nothing happened, and repeating it is of no use. */
  | { readonly kind: "refused" }
  | { readonly kind: "notExecuted" }
  | { readonly kind: "unknown" };

/** @param answer a result, or the code of a failure */
export function outcomeOf(step: OperationStep, answer: CommandResult | string): Outcome {
  if (typeof answer === "string") return answer === "NOT_EXECUTED" ? { kind: "notExecuted" } : { kind: "unknown" };
  if (answer.kind === "drawn") {
    const range = answer.ranges[0];
    if (range === undefined || answer.ranges.length !== 1) throw new Error(`${step.id} asked for one range`);
    return { kind: "drawn", epoch: answer.epoch, first: range.first, last: range.last };
  }
  if (answer.kind === "reset") return { kind: "reset", epoch: answer.epoch, oldValue: answer.oldValue };
  return { kind: "refused" };
}
