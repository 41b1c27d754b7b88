import type { GapPolicy, NumberingScope, ResetRule } from "./definition.js";

/** The words that a definition's settings may take. */
export const RESET_RULES: readonly string[] = ["never", "daily", "monthly", "yearly"] satisfies ResetRule[];
export const NUMBERING_SCOPES: readonly string[] = [
  "global",
  "site",
  "partition",
  "document_type",
] satisfies NumberingScope[];
export const GAP_POLICIES: readonly string[] = ["keep", "reuse"] satisfies GapPolicy[];

export function isResetRule(text: string | undefined): text is ResetRule {
  return text !== undefined && RESET_RULES.includes(text);
}

export function isNumberingScope(text: string | undefined): text is NumberingScope {
  return text !== undefined && NUMBERING_SCOPES.includes(text);
}

export function isGapPolicy(text: string | undefined): text is GapPolicy {
  return text !== undefined && GAP_POLICIES.includes(text);
}
