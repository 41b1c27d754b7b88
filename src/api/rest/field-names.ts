import type { DefinitionChange } from "../../sequence/definition.js";
import { snakeCase } from "../problem.js";

/** Settings of a definition: the domain's name and REST's. */
export const SETTING_NAMES = {
  template: "format_template",
  padding: "padding_length",
  separator: "separator",
  start: "start",
  step: "step",
  maximum: "maximum",
  resetRule: "reset_rule",
  timeZone: "time_zone",
  fiscalYearStart: "fiscal_year_start",
  scope: "scope",
  gapPolicy: "gap_policy",
  profile: "profile",
  isActive: "is_active",
  description: "description",
} as const satisfies Record<keyof Omit<DefinitionChange, "zoneTransitions">, string>;

const BY_DOMAIN_NAME: ReadonlyMap<string, string> = new Map(Object.entries(SETTING_NAMES));

/** REST's name of a command's field. */
export function restName(field: string): string {
  return BY_DOMAIN_NAME.get(field) ?? snakeCase(field);
}

/** A validated body's settings as the domain's change; what is absent stays absent. */
export function changeOf(body: Readonly<Record<string, unknown>>): Omit<DefinitionChange, "zoneTransitions"> {
  const change: Record<string, unknown> = {};
  for (const [field, name] of Object.entries(SETTING_NAMES)) {
    if (body[name] !== undefined) change[field] = body[name];
  }
  return change;
}

/** A journalled change by REST's names, without the table that its time zone was expanded to. */
export function namedChange(change: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const named: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(change)) {
    if (field !== "zoneTransitions") named[restName(field)] = value;
  }
  return named;
}
