import { type Delimiter, fixedWidth, type TemplateItem, type TemplateProblem } from "./template.js";
import { isDigit } from "./text.js";

/**
 * Whether full numbers can be read back: from the text alone, which characters are the counter,
 * which the date, which the site. A template for which that cannot be proved is refused, because
 * then two different draws might write the same number.
 *
 * The proof is an order in which a reader could strip items from both ends of a number:
 * items of fixed width at once; a counter where a literal that is no digit ends its run of digits,
 * with nothing but a known number of digits between them; free text where a literal ends it,
 * provided that the text does not hold a certain character of that literal, which draws are held
 * to (`delimiters`); and last, whatever single item remains.
 *
 * It depends on the items only and not on widths, reset rule or scope, so that the same items read
 * the same in every version of a definition (numbers-stay-unique.ts builds on that).
 */
export function readingOf(items: readonly TemplateItem[]): readonly Delimiter[] | TemplateProblem {
  const delimiters: Delimiter[] = [];
  let from = 0;
  let to = items.length - 1;
  while (from <= to) {
    const left = items[from];
    const right = items[to];
    if (left === undefined || right === undefined) break;
    if (from === to || fixedWidth(left) !== undefined || countsUpToMark(items.slice(from, to + 1))) {
      from++;
    } else if (fixedWidth(right) !== undefined || countsUpToMark(items.slice(from, to + 1).reverse())) {
      to--;
    } else {
      const begin = endOfText(left, items[from + 1], "left");
      const end = begin === undefined ? endOfText(right, items[to - 1], "right") : undefined;
      if (begin !== undefined) from++;
      else if (end !== undefined) to--;
      else
        return {
          problem: `its numbers could not be read back: put a separator, and no digit, ${whereBetween(left, right)}`,
        };
      delimiters.push(...[begin, end].filter((delimiter) => delimiter !== undefined));
    }
  }
  return delimiters;
}

/** A counter at the near end, then only digits of a known number, then a literal with something that is no digit. */
function countsUpToMark(items: readonly TemplateItem[]): boolean {
  if (items[0]?.kind !== "counter") return false;
  for (const item of items.slice(1)) {
    if (item.kind === "literal" && [...item.text].some((character) => !isDigit(character))) return true;
    if (fixedWidth(item) === undefined) return false;
  }
  return false;
}

/**
 * Free text beside a literal ends where one of the literal's characters comes for the first time
 * (or, read from the right, for the last): the nearest that is neither letter nor digit, if any.
 */
function endOfText(
  item: TemplateItem,
  neighbour: TemplateItem | undefined,
  from: "left" | "right",
): Delimiter | undefined {
  if (item.kind !== "scope" || neighbour?.kind !== "literal") return undefined;
  const characters = from === "left" ? [...neighbour.text] : [...neighbour.text].reverse();
  const character = characters.find((candidate) => !/[A-Za-z0-9]/.test(candidate)) ?? characters[0];
  return character === undefined ? undefined : { field: item.field, character };
}

function whereBetween(left: TemplateItem, right: TemplateItem): string {
  return `beside ${named(left)} and ${named(right)}`;
}

function named(item: TemplateItem): string {
  if (item.kind === "scope") return { site: "{SITE}", partition: "{PARTITION}", documentType: "{TYPE}" }[item.field];
  return "the counter";
}
