import type { CommandContext } from "./apply-context.js";
import type { Configure } from "./command.js";
import type { Definition } from "./definition.js";
import { changeDefinition } from "./definition-rules.js";
import { templateOf } from "./definition-template.js";
import { prefixProblem } from "./draw-request.js";
import { emptyLedger, type Sequence } from "./ledger.js";
import { changeForm } from "./numbers-stay-unique.js";
import { refused } from "./refusal.js";
import type { CommandResult, Refused } from "./result.js";
import type { SequenceState } from "./state.js";

export function applyConfigure(state: SequenceState, command: Configure, context: CommandContext): CommandResult {
  const { prefix } = command;
  const problem = prefixProblem(prefix);
  if (problem !== undefined) return problem;
  const sequence = state.sequence(prefix);
  const current = sequence?.definition;
  if (current !== undefined && command.ifAbsent) return unchanged(current);
  const stale = versionProblem(prefix, current?.version ?? 0, command.expectedVersion);
  if (stale !== undefined) return stale;
  const next = changeDefinition(prefix, current, command.change, context.time);
  if ("kind" in next) return next;
  if (next === current) return unchanged(current);
  if (sequence === undefined) {
    const template = templateOf(next);
    put(state, { definition: next, template, ledger: emptyLedger(prefix, template.width) }, context);
  } else {
    const refusal = amend(state, sequence, next);
    if (refusal !== undefined) return refusal;
    put(state, sequence, context);
  }
  return { kind: "configured", definition: next, created: current === undefined, changed: true };
}

/** Makes it the next version, if the numbers already issued permit it. */
function amend(state: SequenceState, sequence: Sequence, next: Definition): Refused | undefined {
  const { ledger, definition } = sequence;
  if (next.maximum < ledger.highest) {
    const detail = `a maximum of ${next.maximum} is below ${ledger.highest}, which was issued already`;
    return refused("CONFLICT", "maximum", detail);
  }
  const form = changeForm(ledger, definition, next, (version) => state.definitionVersion(next.prefix, version));
  if ("kind" in form) return form;
  ledger.form = form.form;
  ledger.pastForms = form.pastForms;
  ledger.floor = form.floor;
  sequence.definition = next;
  sequence.template = templateOf(next);
  return undefined;
}

function put(state: SequenceState, sequence: Sequence, context: CommandContext): void {
  sequence.ledger.auditedIndex = context.index;
  state.putDefinition(sequence);
  state.putLedger(sequence);
  state.indexAudit(sequence.definition.prefix, context.index);
}

function unchanged(definition: Definition): CommandResult {
  return { kind: "configured", definition, created: false, changed: false };
}

/** @param expected undefined: whatever is in force; 0: nothing yet */
export function versionProblem(prefix: string, inForce: number, expected: number | undefined): Refused | undefined {
  if (expected === undefined || expected === inForce) return undefined;
  const found = inForce === 0 ? `${prefix} has no definition yet` : `version ${inForce} of ${prefix} is in force`;
  return refused("PRECONDITION_FAILED", "expectedVersion", `version ${expected} was expected, but ${found}`);
}
