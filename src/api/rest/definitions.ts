import type { Static } from "typebox";
import type { Definition } from "../../sequence/definition.js";
import { instantText } from "../answers.js";
import type { definitionAnswer } from "./answer-schemas.js";

/** A definition by REST's names. */
export function definitionOf(definition: Definition): Static<typeof definitionAnswer> {
  return {
    prefix: definition.prefix,
    format_template: definition.template,
    padding_length: definition.padding,
    separator: definition.separator,
    start: definition.start,
    step: definition.step,
    maximum: definition.maximum,
    reset_rule: definition.resetRule,
    time_zone: definition.timeZone,
    fiscal_year_start: definition.fiscalYearStart,
    scope: definition.scope,
    gap_policy: definition.gapPolicy,
    profile: definition.profile,
    is_active: definition.isActive,
    description: definition.description,
    version: definition.version,
    explicit: definition.explicit,
    created_at: instantText(definition.createdAt),
    updated_at: instantText(definition.updatedAt),
  };
}
