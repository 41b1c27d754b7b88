import type { CheckAlgorithm } from "./check-digits.js";
import type { DateToken, ScopeField, TemplateItem, TemplateProblem } from "./template.js";
import { isPrintable } from "./text.js";

/**
 * The two ways to write a template: printf style (`%s%06d`; of two `%d` the first is the year) and
 * tokens (`{PREFIX}{YYYY}-{SEQ:6}`). One template uses one of them.
 */
export const TEMPLATE_LENGTH_MAX = 200;
/** Counters have at most 16 digits. */
export const PADDING_MAX = 16;

/** A template as it was written: its pieces still know their text, so that a width can be rewritten. */
interface Piece {
  readonly text: string;
  readonly item: TemplateItem;
}

export interface Notation {
  readonly items: readonly TemplateItem[];
  /** The counter's width was written out, as in {SEQ:6} and %06d, and not left open, as in {SEQ} and %d. */
  readonly widthIsWritten: boolean;
  /** The same template with another width of its counter. */
  readonly withWidth: (width: number) => string;
}

type Pieces = readonly Piece[] | TemplateProblem;

const DIRECTIVE = /%(?:%|s|d|0([1-9]\d*)d)/;
const TOKEN = /\{[A-Z]+(?::[^{}]*)?\}/i;
const PRINTF_PIECE = /%%|%s|%\d*d|%.?|[^%]+/gu;
const TOKEN_PIECE = /\{[^{}]*\}|[{}]|[^{}]+/g;
const YEAR_WIDTH_MAX = 4;
const DATE_TOKENS: readonly string[] = ["YYYY", "YY", "MM", "DD", "DOY", "WW", "Q", "FY"] satisfies DateToken[];
const CHECKS: readonly string[] = ["luhn", "damm", "mod97"] satisfies CheckAlgorithm[];
const SCOPE_FIELDS: ReadonlyMap<string, ScopeField> = new Map([
  ["SITE", "site"],
  ["PARTITION", "partition"],
  ["TYPE", "documentType"],
]);
const TOKENS =
  "{PREFIX} {SEQ} {SEQ:6} {YYYY} {YY} {MM} {DD} {DOY} {WW} {Q} {FY} {SITE} {PARTITION} {TYPE} {CHECK:luhn|damm|mod97}";

export function readNotation(template: string, prefix: string): Notation | TemplateProblem {
  if (template.length > TEMPLATE_LENGTH_MAX) return problem(`it has more than ${TEMPLATE_LENGTH_MAX} characters`);
  if (!isPrintable(template)) return problem("it holds a character that cannot be printed");
  const hasTokens = TOKEN.test(template);
  if (hasTokens && DIRECTIVE.test(template)) {
    return problem("it mixes two notations: write either %s and %d or tokens such as {SEQ:6}");
  }
  const pieces = hasTokens || !template.includes("%") ? tokenPieces(template, prefix) : printfPieces(template, prefix);
  if ("problem" in pieces) return pieces;
  const counters = pieces.filter((piece) => piece.item.kind === "counter").length;
  if (counters === 0) return problem("it has no counter: it needs one {SEQ} or %d");
  if (counters > 1) return problem("it has more than one counter");
  return notation(pieces, hasTokens);
}

function notation(pieces: readonly Piece[], hasTokens: boolean): Notation {
  const written = (width: number): string => {
    if (hasTokens) return width === 0 ? "{SEQ}" : `{SEQ:${width}}`;
    return width === 0 ? "%d" : `%0${width}d`;
  };
  return {
    items: mergeLiterals(pieces.map((piece) => piece.item)),
    widthIsWritten: pieces.some((piece) => piece.item.kind === "counter" && piece.item.width > 0),
    withWidth: (width) => pieces.map((piece) => (piece.item.kind === "counter" ? written(width) : piece.text)).join(""),
  };
}

function tokenPieces(template: string, prefix: string): Pieces {
  const pieces: Piece[] = [];
  for (const text of template.match(TOKEN_PIECE) ?? []) {
    const item = text.startsWith("{") || text === "}" ? tokenItem(text, prefix) : literal(text);
    if ("problem" in item) return item;
    pieces.push({ text, item });
  }
  return pieces;
}

function tokenItem(text: string, prefix: string): TemplateItem | TemplateProblem {
  if (text.length === 1) return problem("it has a brace without its partner");
  const colon = text.indexOf(":");
  const name = text.slice(1, colon < 0 ? -1 : colon);
  const argument = colon < 0 ? undefined : text.slice(colon + 1, -1);
  if (name === "SEQ") return counterItem(text, argument);
  if (name === "CHECK") {
    if (argument === undefined || !isCheck(argument)) return problem(`${text} must be {CHECK:luhn|damm|mod97}`);
    return { kind: "check", algorithm: argument };
  }
  if (argument !== undefined) return problem(`${text} is not a token; there are ${TOKENS}`);
  if (name === "PREFIX") return literal(prefix);
  if (isDateToken(name)) return { kind: "date", token: name };
  const field = SCOPE_FIELDS.get(name);
  return field === undefined ? problem(`${text} is not a token; there are ${TOKENS}`) : { kind: "scope", field };
}

function counterItem(text: string, argument: string | undefined): TemplateItem | TemplateProblem {
  if (argument === undefined) return { kind: "counter", width: 0 };
  if (!/^[1-9]\d?$/.test(argument) || Number(argument) > PADDING_MAX) {
    return problem(`${text} must have a width from 1 to ${PADDING_MAX}`);
  }
  return { kind: "counter", width: Number(argument) };
}

function printfPieces(template: string, prefix: string): Pieces {
  const texts = template.match(PRINTF_PIECE) ?? [];
  const numbers = texts.filter((text) => /^%\d*d$/.test(text)).length;
  if (numbers > 2) return problem("it has more than two %d: the year and the counter");
  const pieces: Piece[] = [];
  let yearIsDue = numbers === 2;
  for (const text of texts) {
    const item = text.startsWith("%") ? directiveItem(text, prefix, yearIsDue) : literal(text);
    if ("problem" in item) return item;
    if (item.kind === "date") yearIsDue = false;
    pieces.push({ text, item });
  }
  return pieces;
}

function directiveItem(text: string, prefix: string, isYear: boolean): TemplateItem | TemplateProblem {
  if (text === "%%") return literal("%");
  if (text === "%s") return literal(prefix);
  const match = DIRECTIVE.exec(text);
  if (match === null || match[0] !== text) {
    return problem(`${text} is not understood: there are %s, %d, %06d and, for a percent sign, %%`);
  }
  const width = Number(match[1] ?? 0);
  if (isYear) {
    return width <= YEAR_WIDTH_MAX
      ? { kind: "date", token: "YYYY" }
      : problem("a year has four digits: write %d or %04d");
  }
  return width <= PADDING_MAX ? { kind: "counter", width } : problem(`${text} is wider than ${PADDING_MAX} digits`);
}

export function mergeLiterals(items: readonly TemplateItem[]): TemplateItem[] {
  const merged: TemplateItem[] = [];
  for (const item of items) {
    const last = merged.at(-1);
    if (item.kind !== "literal" || last?.kind !== "literal") merged.push(item);
    else merged[merged.length - 1] = literal(last.text + item.text);
  }
  return merged.filter((item) => item.kind !== "literal" || item.text !== "");
}

function literal(text: string): TemplateItem {
  return { kind: "literal", text };
}

function isDateToken(name: string): name is DateToken {
  return DATE_TOKENS.includes(name);
}

function isCheck(name: string): name is CheckAlgorithm {
  return CHECKS.includes(name);
}

function problem(text: string): TemplateProblem {
  return { problem: text };
}
