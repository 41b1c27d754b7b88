import { type CheckAlgorithm, checkWidth } from "./check-digits.js";

/**
 * A template, read: what a full number is made of, from left to right. Both notations
 * (template-notation.ts) become this.
 */
export type TemplateItem =
  | { readonly kind: "literal"; readonly text: string }
  /** The counter in decimal, with leading zeros up to the width; it grows past that. */
  | { readonly kind: "counter"; readonly width: number }
  | { readonly kind: "date"; readonly token: DateToken }
  | { readonly kind: "scope"; readonly field: ScopeField }
  | { readonly kind: "check"; readonly algorithm: CheckAlgorithm };

export type DateToken = "YYYY" | "YY" | "MM" | "DD" | "DOY" | "WW" | "Q" | "FY";
export type ScopeField = "site" | "partition" | "documentType";

/** How many characters a date token always has. */
export const DATE_WIDTHS: Readonly<Record<DateToken, number>> = {
  YYYY: 4,
  YY: 2,
  MM: 2,
  DD: 2,
  DOY: 3,
  WW: 2,
  Q: 1,
  FY: 4,
};

export interface Template {
  /** Neighbouring literals are one; the prefix is a literal, too. */
  readonly items: readonly TemplateItem[];
  /** Least number of digits of the counter. */
  readonly width: number;
  readonly dateTokens: ReadonlySet<DateToken>;
  /** A draw must give these. */
  readonly scopeFields: ReadonlySet<ScopeField>;
  /** Characters that a value must not hold, because the template ends the value with them. */
  readonly delimiters: readonly Delimiter[];
}

export interface Delimiter {
  readonly field: ScopeField;
  readonly character: string;
}

/** The template cannot be used; a sentence for whoever wrote it. */
export interface TemplateProblem {
  readonly problem: string;
}

/** The number of characters an item always has; undefined for a counter and for free text. */
export function fixedWidth(item: TemplateItem): number | undefined {
  switch (item.kind) {
    case "literal":
      return item.text.length;
    case "date":
      return DATE_WIDTHS[item.token];
    case "check":
      return checkWidth(item.algorithm);
    case "counter":
    case "scope":
      return undefined;
  }
}

export function assembleTemplate(items: readonly TemplateItem[], delimiters: readonly Delimiter[]): Template {
  const dateTokens = new Set<DateToken>();
  const scopeFields = new Set<ScopeField>();
  let width = 0;
  for (const item of items) {
    if (item.kind === "counter") width = item.width;
    else if (item.kind === "date") dateTokens.add(item.token);
    else if (item.kind === "scope") scopeFields.add(item.field);
  }
  return { items, width, dateTokens, scopeFields, delimiters };
}
