import { daysFromCivil, isCivilDate, parseCivilDate } from "./civil-date.js";
import type { Draw, ScopeValues } from "./command.js";
import type { Definition } from "./definition.js";
import { periodOf } from "./period.js";
import { invalid, refused } from "./refusal.js";
import type { CivilDate, Refused } from "./result.js";
import { scopeKeyOf } from "./series-identity.js";
import type { ScopeField, Template } from "./template.js";
import { isPrintable } from "./text.js";
import { localDate } from "./zone.js";

/** Which series a draw is for. */
export interface DrawPlace {
  readonly date: CivilDate;
  /** The date in days since 1970-01-01. */
  readonly day: number;
  readonly period: string;
  readonly scopeKey: string;
}

/**
 * Two digits name a year within one hundred years only, so a template with {YY} writes dates of
 * these years and no others: it would repeat its numbers otherwise.
 */
const SHORT_YEAR_MIN = 1970;
const SHORT_YEAR_MAX = 2069;
const SCOPE_VALUE_LENGTH_MAX = 200;

/** @param time entry time, ms since the epoch */
export function drawPlace(definition: Definition, template: Template, draw: Draw, time: number): DrawPlace | Refused {
  const date = dateOf(definition, draw.documentDate, time);
  if (date === undefined) return invalid("documentDate", "the document date must be a day that exists, as YYYY-MM-DD");
  const problem = dateProblem(template, date) ?? scopeProblem(template, draw.scope);
  if (problem !== undefined) return problem;
  return {
    date,
    day: daysFromCivil(date),
    period: periodOf(date, definition),
    scopeKey: scopeKeyOf(definition.scope, draw.scope),
  };
}

/** The document's date (YYYY-MM-DD), or for "" the day that it is in the definition's time zone; undefined for no date at all. */
export function dateOf(definition: Definition, documentDate: string, time: number): CivilDate | undefined {
  return documentDate === "" ? localDate(time, definition.zoneTransitions) : parseCivilDate(documentDate);
}

export function dateProblem(template: Template, date: CivilDate): Refused | undefined {
  if (!isCivilDate(date))
    return refused("NOT_EXECUTED", "", `the cluster's clock is wrong: it is in the year ${date.year}`);
  if (!template.dateTokens.has("YY") || (date.year >= SHORT_YEAR_MIN && date.year <= SHORT_YEAR_MAX)) return undefined;
  const years = `${SHORT_YEAR_MIN} to ${SHORT_YEAR_MAX}`;
  return invalid("documentDate", `the template shows two digits of the year, which name the years ${years} only`);
}

/**
 * What the template shows, or what `fields` names of it, must be there and must not hold the
 * character that ends it there.
 */
export function scopeProblem(
  template: Template,
  scope: ScopeValues,
  fields: Iterable<ScopeField> = template.scopeFields,
): Refused | undefined {
  for (const field of fields) {
    const problem = valueProblem(template, field, scope[field]);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function valueProblem(template: Template, field: ScopeField, value: string): Refused | undefined {
  const name = field === "documentType" ? "the document type" : `the ${field}`;
  if (value === "") return invalid(field, `${name} is missing: the sequence is numbered or written by it`);
  if (value.length > SCOPE_VALUE_LENGTH_MAX || !isPrintable(value)) {
    return invalid(field, `${name} must be 1 to ${SCOPE_VALUE_LENGTH_MAX} printable characters`);
  }
  const end = template.delimiters.find((delimiter) => delimiter.field === field && value.includes(delimiter.character));
  if (end === undefined) return undefined;
  return invalid(field, `${name} must not contain "${end.character}", which ends it in the template`);
}
