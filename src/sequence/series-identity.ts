import type { ScopeValues } from "./command.js";
import type { Definition, NumberingScope } from "./definition.js";
import type { DateToken, ScopeField, Template } from "./template.js";

/**
 * What tells the series of a sequence apart: the period by the reset rule, and the value of what
 * the numbering scope names. A template must show both, or two series would write the same number.
 */
type Identity = Pick<Definition, "resetRule" | "fiscalYearStart" | "scope">;

const SCOPE_FIELDS: Readonly<Record<Exclude<NumberingScope, "global">, ScopeField>> = {
  site: "site",
  partition: "partition",
  document_type: "documentType",
};
const SCOPE_TOKENS: Readonly<Record<ScopeField, string>> = {
  site: "{SITE}",
  partition: "{PARTITION}",
  documentType: "{TYPE}",
};

/** The values that choose the series: one, or none. */
export function seriesFields(scope: NumberingScope): readonly ScopeField[] {
  return scope === "global" ? [] : [SCOPE_FIELDS[scope]];
}

/** "" or what and which: "site=HQ". A site and a partition of one name are different series. */
export function scopeKeyOf(scope: NumberingScope, values: ScopeValues): string {
  return scope === "global" ? "" : `${scope}=${values[SCOPE_FIELDS[scope]]}`;
}

/** The values that choose that series under the numbering scope; undefined if they never do. */
export function scopeValuesOf(scope: NumberingScope, scopeKey: string): ScopeValues | undefined {
  const nowhere = { site: "", partition: "", documentType: "" };
  if (scope === "global") return scopeKey === "" ? nowhere : undefined;
  const what = `${scope}=`;
  if (!scopeKey.startsWith(what)) return undefined;
  return { ...nowhere, [SCOPE_FIELDS[scope]]: scopeKey.slice(what.length) };
}

/** Two definitions with equal texts count in the same series. */
export function identityText(identity: Identity): string {
  const rule = identity.resetRule === "yearly" ? `yearly from month ${identity.fiscalYearStart}` : identity.resetRule;
  return `${rule}, ${identity.scope}`;
}

/** Why the template cannot tell the series apart, in a sentence; undefined if it can. */
export function seriesProblem(identity: Identity, template: Template): string | undefined {
  if (!showsPeriod(identity, template.dateTokens)) {
    return `the template cannot tell ${periodsOf(identity)} apart: it needs ${neededFor(identity)}`;
  }
  if (identity.scope === "global") return undefined;
  const field = SCOPE_FIELDS[identity.scope];
  if (!template.scopeFields.has(field)) {
    return `the template cannot tell the series of one ${identity.scope} from those of another: it needs ${SCOPE_TOKENS[field]}`;
  }
  return undefined;
}

/**
 * Whether the date tokens determine the period. {YY} is as good as {YYYY}, because dates of a
 * template with {YY} are held to one hundred years (draw-place.ts); {WW} and {Q} determine
 * none; {FY} with {MM} determines the calendar year.
 */
function showsPeriod({ resetRule, fiscalYearStart }: Identity, tokens: ReadonlySet<DateToken>): boolean {
  const january = fiscalYearStart === 1;
  const month = tokens.has("MM");
  const year = tokens.has("YYYY") || tokens.has("YY") || (tokens.has("FY") && (january || month));
  const dayOfYear = year && tokens.has("DOY");
  switch (resetRule) {
    case "never":
      return true;
    case "yearly":
      return tokens.has("FY") || (january && year) || (year && month) || dayOfYear;
    case "monthly":
      return (year && month) || dayOfYear;
    case "daily":
      return (year && month && tokens.has("DD")) || dayOfYear;
  }
}

function periodsOf({ resetRule, fiscalYearStart }: Identity): string {
  if (resetRule === "yearly") return fiscalYearStart === 1 ? "years" : "fiscal years";
  return resetRule === "monthly" ? "months" : "days";
}

function neededFor({ resetRule, fiscalYearStart }: Identity): string {
  if (resetRule === "yearly") return fiscalYearStart === 1 ? "{YYYY}, {YY} or {FY}" : "{FY}, or {YYYY} and {MM}";
  return resetRule === "monthly" ? "{YYYY} and {MM}" : "{YYYY}, {MM} and {DD}, or {YYYY} and {DOY}";
}
