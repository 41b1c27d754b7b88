import type { CommandResult } from "../../../src/sequence/result.js";
import type { OperationStep } from "./plan.js";

/** How a call ended, as its client sees it. */
export type Outcome =
  | DrawnOutcome
  | { readonly kind: "reset"; readonly epoch: number; readonly oldValue: number }
  /** A definition or the settings are as asked for. */
  | { readonly kind: "done" }
  /** The domain said no: nothing happened, and repeating it is of no use. */
  | { readonly kind: "refused" }
  | { readonly kind: "notExecuted" }
  | { readonly kind: "unknown" };

export interface DrawnOutcome {
  readonly kind: "drawn";
  readonly period: string;
  readonly epoch: number;
  readonly first: number;
  readonly last: number;
  readonly step: number;
  /** Of the draw that this is, or that it repeats. */
  readonly messageId: string;
}

/** @param answer a result, or the code of a failure */
export function outcomeOf(step: OperationStep, answer: CommandResult | string): Outcome {
  if (typeof answer === "string") return answer === "NOT_EXECUTED" ? { kind: "notExecuted" } : { kind: "unknown" };
  switch (answer.kind) {
    case "drawn": {
      const range = answer.ranges[0];
      if (range === undefined || answer.ranges.length !== 1) throw new Error(`${step.id} asked for one range`);
      const { period, epoch, messageId } = answer;
      return { kind: "drawn", period, epoch, ...range, step: answer.definition.step, messageId };
    }
    case "reset":
      return { kind: "reset", epoch: answer.epoch, oldValue: answer.oldValue };
    case "configured":
    case "seeded":
      return { kind: "done" };
    case "refused":
      return { kind: "refused" };
  }
}

/** Whether the call did what it asked for. */
export function isSuccess(outcome: Outcome): boolean {
  return outcome.kind === "drawn" || outcome.kind === "reset" || outcome.kind === "done";
}
