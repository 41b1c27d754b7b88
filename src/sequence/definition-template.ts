import { invariant } from "../assert.js";
import type { Definition } from "./definition.js";
import { assembleTemplate, type Template, type TemplateItem, type TemplateProblem } from "./template.js";
import { mergeLiterals, readNotation } from "./template-notation.js";
import { readingOf } from "./template-reading.js";

/** What of a definition says how its numbers look. */
export type NumberLook = Pick<Definition, "prefix" | "template" | "padding" | "separator">;

/** The template in force: the written one, or prefix, separator and padded counter. */
export function readTemplate(look: NumberLook): Template | TemplateProblem {
  const items = itemsOf(look);
  if ("problem" in items) return items;
  const delimiters = readingOf(items);
  return "problem" in delimiters ? delimiters : assembleTemplate(items, delimiters);
}

/** Of a definition that was accepted. */
export function templateOf(definition: Definition): Template {
  const template = readTemplate(definition);
  invariant(!("problem" in template), () => `the template of ${definition.prefix} was accepted and stays readable`);
  return template;
}

function itemsOf(look: NumberLook): readonly TemplateItem[] | TemplateProblem {
  if (look.template === "") {
    return mergeLiterals([
      { kind: "literal", text: look.prefix + look.separator },
      { kind: "counter", width: look.padding },
    ]);
  }
  const notation = readNotation(look.template, look.prefix);
  return "problem" in notation ? notation : notation.items;
}
