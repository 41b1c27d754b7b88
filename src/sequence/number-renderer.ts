import { checkDigits } from "./check-digits.js";
import { dayOfYear, isoWeek, padded } from "./civil-date.js";
import type { ScopeValues } from "./command.js";
import type { Definition } from "./definition.js";
import { templateOf } from "./definition-template.js";
import { fiscalYear } from "./period.js";
import type { CivilDate } from "./result.js";
import type { DateToken, Template, TemplateItem } from "./template.js";

export type RenderNumber = (counter: number) => string;

/** How the numbers of one definition are written on one day for one site, partition and type. */
export function numberRenderer(definition: Definition, date: CivilDate, scope: ScopeValues): RenderNumber {
  return renderTemplate(templateOf(definition), definition, date, scope);
}

interface Bound {
  readonly date: CivilDate;
  /** undefined: the template shows none of it. */
  readonly scope: ScopeValues | undefined;
  readonly render: RenderNumber;
}

/**
 * The same for whoever renders again and again: reads the template of a definition once, and
 * remembers the renderer of the definition's last day. For edges and queries; definitions are
 * immutable, so identity is enough.
 */
export class NumberRenderers {
  readonly #templates = new WeakMap<Definition, Template>();
  readonly #bound = new WeakMap<Definition, Bound>();

  renderer(definition: Definition, date: CivilDate, scope: ScopeValues): RenderNumber {
    const bound = this.#bound.get(definition);
    if (bound !== undefined && sameDay(bound.date, date) && sameScope(bound.scope, scope)) return bound.render;
    const template = this.template(definition);
    const render = renderTemplate(template, definition, date, scope);
    this.#bound.set(definition, { date, scope: template.scopeFields.size === 0 ? undefined : scope, render });
    return render;
  }

  template(definition: Definition): Template {
    const known = this.#templates.get(definition);
    if (known !== undefined) return known;
    const template = templateOf(definition);
    this.#templates.set(definition, template);
    return template;
  }
}

function renderTemplate(template: Template, definition: Definition, date: CivilDate, scope: ScopeValues): RenderNumber {
  const { items, width } = template;
  const place = items.findIndex((item) => item.kind === "counter");
  const text = (item: TemplateItem): string => textOf(item, definition, date, scope);
  if (items.some((item) => item.kind === "check")) return renderChecked(items, width, text);
  const before = items.slice(0, place).map(text).join("");
  const after = items
    .slice(place + 1)
    .map(text)
    .join("");
  return (counter) => before + String(counter).padStart(width, "0") + after;
}

/** A check digit depends on everything before it, so it is made for every number. */
function renderChecked(
  items: readonly TemplateItem[],
  width: number,
  text: (item: TemplateItem) => string,
): RenderNumber {
  const fixed = items.map((item) => (item.kind === "check" || item.kind === "counter" ? "" : text(item)));
  return (counter) => {
    let number = "";
    for (const [place, item] of items.entries()) {
      if (item.kind === "counter") number += String(counter).padStart(width, "0");
      else if (item.kind === "check") number += checkDigits(item.algorithm, number);
      else number += fixed[place];
    }
    return number;
  };
}

function textOf(item: TemplateItem, definition: Definition, date: CivilDate, scope: ScopeValues): string {
  switch (item.kind) {
    case "literal":
      return item.text;
    case "date":
      return dateText(item.token, definition, date);
    case "scope":
      return scope[item.field];
    case "counter":
    case "check":
      return "";
  }
}

function dateText(token: DateToken, definition: Definition, date: CivilDate): string {
  switch (token) {
    case "YYYY":
      return padded(date.year, 4);
    case "YY":
      return padded(date.year % 100, 2);
    case "MM":
      return padded(date.month, 2);
    case "DD":
      return padded(date.day, 2);
    case "DOY":
      return padded(dayOfYear(date), 3);
    case "WW":
      return padded(isoWeek(date), 2);
    case "Q":
      return String(Math.ceil(date.month / 3));
    case "FY":
      return padded(fiscalYear(date, definition.fiscalYearStart), 4);
  }
}

function sameDay(one: CivilDate, other: CivilDate): boolean {
  return one.day === other.day && one.month === other.month && one.year === other.year;
}

function sameScope(one: ScopeValues | undefined, other: ScopeValues): boolean {
  if (one === undefined) return true;
  return one.site === other.site && one.partition === other.partition && one.documentType === other.documentType;
}
