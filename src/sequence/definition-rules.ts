import type { Definition, DefinitionChange } from "./definition.js";
import { readTemplate } from "./definition-template.js";
import {
  GAP_POLICIES,
  isGapPolicy,
  isNumberingScope,
  isResetRule,
  NUMBERING_SCOPES,
  RESET_RULES,
} from "./definition-words.js";
import { invalid } from "./refusal.js";
import type { Refused } from "./result.js";
import { seriesProblem } from "./series-identity.js";
import { PADDING_MAX, readNotation } from "./template-notation.js";
import { isPrintable } from "./text.js";
import { transitionsProblem } from "./zone.js";

const SEPARATOR_LENGTH_MAX = 10;
const TIME_ZONE_LENGTH_MAX = 64;
const PROFILE_LENGTH_MAX = 50;
const DESCRIPTION_LENGTH_MAX = 1000;

/** What a prefix means that nobody configured: PREFIX000001, PREFIX000002 and so on. */
export function defaultDefinition(prefix: string, time: number): Definition {
  return {
    prefix,
    template: "",
    padding: 6,
    separator: "",
    start: 1,
    step: 1,
    maximum: Number.MAX_SAFE_INTEGER,
    resetRule: "never",
    timeZone: "UTC",
    zoneTransitions: [],
    fiscalYearStart: 1,
    scope: "global",
    gapPolicy: "keep",
    profile: "",
    isActive: true,
    description: "",
    version: 1,
    explicit: false,
    createdAt: time,
    updatedAt: time,
  };
}

/**
 * The next version of a definition, judged by itself; whether it goes together with the numbers
 * already issued is judged elsewhere (numbers-stay-unique.ts). A change that changes nothing
 * returns `current` itself.
 */
export function changeDefinition(
  prefix: string,
  current: Definition | undefined,
  change: DefinitionChange,
  time: number,
): Definition | Refused {
  const problem = settingProblem(change);
  if (problem !== undefined) return problem;
  const base = current ?? defaultDefinition(prefix, time);
  const look = reconcileWidth(base, change);
  if ("kind" in look) return look;
  const next: Definition = { ...base, ...counting(base, change), ...labels(base, change), ...look, explicit: true };
  const refusal = wholeProblem(next, change);
  if (refusal !== undefined) return refusal;
  if (current === undefined) return next;
  if (JSON.stringify(next) === JSON.stringify(current)) return current;
  return { ...next, version: current.version + 1, updatedAt: time };
}

/** What says which numbers there are. */
function counting(base: Definition, change: DefinitionChange) {
  return {
    start: change.start ?? base.start,
    step: change.step ?? base.step,
    maximum: change.maximum ?? base.maximum,
    resetRule: isResetRule(change.resetRule) ? change.resetRule : base.resetRule,
    timeZone: change.timeZone ?? base.timeZone,
    zoneTransitions: change.timeZone === undefined ? base.zoneTransitions : (change.zoneTransitions ?? []),
    fiscalYearStart: change.fiscalYearStart ?? base.fiscalYearStart,
    scope: isNumberingScope(change.scope) ? change.scope : base.scope,
    gapPolicy: isGapPolicy(change.gapPolicy) ? change.gapPolicy : base.gapPolicy,
  };
}

function labels(base: Definition, change: DefinitionChange) {
  return {
    separator: change.separator ?? base.separator,
    profile: change.profile ?? base.profile,
    isActive: change.isActive ?? base.isActive,
    description: change.description ?? base.description,
  };
}

/** What is wrong with single settings, whatever the others say. */
function settingProblem(change: DefinitionChange): Refused | undefined {
  return (
    integerProblem("padding", change.padding, 0, PADDING_MAX) ??
    integerProblem("start", change.start, 0, Number.MAX_SAFE_INTEGER) ??
    integerProblem("step", change.step, 1, Number.MAX_SAFE_INTEGER) ??
    integerProblem("maximum", change.maximum, 0, Number.MAX_SAFE_INTEGER) ??
    integerProblem("fiscalYearStart", change.fiscalYearStart, 1, 12) ??
    wordProblem("resetRule", change.resetRule, RESET_RULES) ??
    wordProblem("scope", change.scope, NUMBERING_SCOPES) ??
    wordProblem("gapPolicy", change.gapPolicy, GAP_POLICIES) ??
    textProblem("separator", change.separator, SEPARATOR_LENGTH_MAX) ??
    textProblem("timeZone", change.timeZone, TIME_ZONE_LENGTH_MAX) ??
    textProblem("profile", change.profile, PROFILE_LENGTH_MAX) ??
    textProblem("description", change.description, DESCRIPTION_LENGTH_MAX) ??
    zoneProblem(change)
  );
}

/** What does not go together. */
function wholeProblem(next: Definition, change: DefinitionChange): Refused | undefined {
  if (next.start > next.maximum) {
    const field = change.start === undefined ? "maximum" : "start";
    return invalid(field, `${field} does not fit: numbers start at ${next.start} and end at ${next.maximum}`);
  }
  const template = readTemplate(next);
  if ("problem" in template) return templateProblem(template.problem);
  const problem = seriesProblem(next, template);
  return problem === undefined ? undefined : invalid(blamed(change), problem);
}

/** The field that the caller set and that the series can no longer be told apart by. */
function blamed(change: DefinitionChange): string {
  if (change.template !== undefined) return "template";
  if (change.resetRule !== undefined) return "resetRule";
  if (change.scope !== undefined) return "scope";
  return change.fiscalYearStart === undefined ? "template" : "fiscalYearStart";
}

/**
 * One width, said in two places: `padding` always equals the width of the template's counter.
 * Padding alone rewrites the template; a template alone sets the padding; both must agree.
 */
function reconcileWidth(
  base: Definition,
  change: DefinitionChange,
): Pick<Definition, "template" | "padding"> | Refused {
  const template = change.template ?? base.template;
  if (template === "") return { template, padding: change.padding ?? base.padding };
  const notation = readNotation(template, base.prefix);
  if ("problem" in notation) return templateProblem(notation.problem);
  const written = notation.items.find((item) => item.kind === "counter")?.width ?? 0;
  if (change.padding === undefined) return { template, padding: written };
  if (change.template !== undefined && notation.widthIsWritten && written !== change.padding) {
    return invalid("padding", `padding ${change.padding} contradicts the template, whose counter is ${written} wide`);
  }
  return { template: notation.withWidth(change.padding), padding: change.padding };
}

function templateProblem(problem: string): Refused {
  return invalid("template", `the template cannot be used: ${problem}`);
}

function zoneProblem(change: DefinitionChange): Refused | undefined {
  const { timeZone, zoneTransitions } = change;
  if (timeZone === undefined) {
    return zoneTransitions === undefined
      ? undefined
      : invalid("timeZone", "zone transitions come with their time zone");
  }
  if (timeZone === "") return invalid("timeZone", "a time zone has a name");
  if (zoneTransitions === undefined) {
    return timeZone === "UTC" ? undefined : invalid("timeZone", "a time zone comes with its transitions");
  }
  const problem = transitionsProblem(zoneTransitions);
  return problem === undefined ? undefined : invalid("timeZone", problem);
}

function integerProblem(field: string, value: number | undefined, least: number, most: number): Refused | undefined {
  if (value === undefined || (Number.isSafeInteger(value) && value >= least && value <= most)) return undefined;
  return invalid(field, `${field} must be an integer from ${least} to ${most}`);
}

function wordProblem(field: string, value: string | undefined, words: readonly string[]): Refused | undefined {
  if (value === undefined || words.includes(value)) return undefined;
  return invalid(field, `${field} must be one of ${words.join(", ")}`);
}

function textProblem(field: string, value: string | undefined, most: number): Refused | undefined {
  if (value === undefined || (value.length <= most && isPrintable(value))) return undefined;
  return invalid(field, `${field} must be at most ${most} printable characters`);
}
