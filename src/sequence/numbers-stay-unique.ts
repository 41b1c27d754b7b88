import type { Definition } from "./definition.js";
import { templateOf } from "./definition-template.js";
import { type Floor, type FormUse, type Ledger, NOTHING_ISSUED } from "./ledger.js";
import { type CounterDigits, mayCoincide } from "./overlap.js";
import { refused } from "./refusal.js";
import type { Refused } from "./result.js";
import { NO_FLOOR } from "./series.js";
import { identityText } from "./series-identity.js";
import type { Template } from "./template.js";
import { PADDING_MAX } from "./template-notation.js";

/**
 * A sequence never writes a full number twice, whatever becomes of its definition. The proof is in
 * README.md; the rule, for a change while numbers are out:
 *
 * - another *spelling* (the template without the counter's width) must be unable to write any
 *   number of an earlier spelling: else CONFLICT;
 * - the same spelling with other *series* (reset rule, scope, fiscal year) counts on behind the
 *   highest counter ever drawn: a floor, which ends with the change after which no number is out in such series;
 * - the same form with another width just goes on.
 */
interface Form {
  readonly spelling: string;
  readonly identity: string;
}

export type FormChange = Pick<Ledger, "form" | "pastForms" | "floor">;

/** A sequence whose look changes more often than that has a problem that numbers cannot solve. */
const PAST_FORMS_MAX = 32;

/** @param versions reads an earlier version of the definition */
export function changeForm(
  ledger: Ledger,
  current: Definition,
  next: Definition,
  versions: (version: number) => Definition,
): FormChange | Refused {
  const template = templateOf(next);
  const form = formOf(next, template);
  const used = ledger.form.highest === NOTHING_ISSUED ? ledger.pastForms : [...ledger.pastForms, ledger.form];
  let isFloorNeeded = false;
  let known: FormUse | undefined;
  for (const use of used) {
    const earlier = versions(use.version);
    const earlierTemplate = templateOf(earlier);
    const earlierForm = formOf(earlier, earlierTemplate);
    if (earlierForm.spelling === form.spelling) {
      if (earlierForm.identity === form.identity) known = use;
      else isFloorNeeded = true;
    } else if (
      mayCoincide(
        { items: earlierTemplate.items, digits: digitsDrawn(use) },
        { items: template.items, digits: digitsToCome(template) },
      )
    ) {
      return collision(earlier);
    }
  }
  if (sameForm(form, formOf(current, templateOf(current)))) return { ...ledger, form: widened(ledger.form, template) };
  const pastForms = used.filter((use) => use !== known);
  if (pastForms.length > PAST_FORMS_MAX) return tooManyForms();
  return {
    form: known === undefined ? unused(next.version, template) : widened(known, template),
    pastForms,
    floor: isFloorNeeded ? nextFloor(ledger) : { ...ledger.floor, counter: NO_FLOOR },
  };
}

/** Over all that was ever drawn: an earlier floor, needed or not by now, is part of it. */
function nextFloor({ highest, latestDay, floor }: Ledger): Floor {
  return { counter: highest, latestDay, generation: floor.generation + 1 };
}

function formOf(definition: Definition, template: Template): Form {
  const spelling = template.items.map((item) => {
    if (item.kind === "counter") return { kind: item.kind };
    // {FY} says something else when fiscal years begin elsewhere.
    if (item.kind === "date" && item.token === "FY") return { ...item, from: definition.fiscalYearStart };
    return item;
  });
  return { spelling: JSON.stringify(spelling), identity: identityText(definition) };
}

function sameForm(one: Form, other: Form): boolean {
  return one.spelling === other.spelling && one.identity === other.identity;
}

function unused(version: number, { width }: Template): FormUse {
  return { version, widthLeast: width, widthMost: width, highest: NOTHING_ISSUED };
}

function widened(use: FormUse, template: Template): FormUse {
  if (use.highest === NOTHING_ISSUED) return unused(use.version, template);
  const widthLeast = Math.min(use.widthLeast, template.width);
  return { ...use, widthLeast, widthMost: Math.max(use.widthMost, template.width) };
}

function digitsDrawn({ widthLeast, widthMost, highest }: FormUse): CounterDigits {
  return { least: Math.max(1, widthLeast), most: Math.max(widthMost, String(highest).length) };
}

function digitsToCome({ width }: Template): CounterDigits {
  return { least: Math.max(1, width), most: PADDING_MAX };
}

function collision(earlier: Definition): Refused {
  const detail = `numbers of this template could repeat numbers that version ${earlier.version} of the definition issued: choose one that differs from it in its literal characters or its length`;
  return refused("CONFLICT", "template", detail);
}

function tooManyForms(): Refused {
  return refused("CONFLICT", "template", `numbers were issued in ${PAST_FORMS_MAX} forms already: use another prefix`);
}
