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
  let rest = items;
  while (rest.length > 1) {
    const [side, delimiter] = nextToStrip(rest);
    if (side === undefined) return { problem: unreadable(rest) };
    if (delimiter !== undefined) delimiters.push(delimiter);
    rest = side === "left" ? rest.slice(1) : rest.slice(0, -1);
  }
  return delimiters;
}

type Side = "left" | "right";

/** Which end comes off next; what needs no promise about values comes first. */
function nextToStrip(items: readonly TemplateItem[]): readonly [Side | undefined, Delimiter?] {
  const mirrored = [...items].reverse();
  if (endsByItself(items)) return ["left"];
  if (endsByItself(mirrored)) return ["right"];
  const left = endOfText(items[0], items[1], "left");
  if (left !== undefined) return ["left", left];
  const right = endOfText(mirrored[0], mirrored[1], "right");
  return right === undefined ? [undefined] : ["right", right];
}

function endsByItself(items: readonly TemplateItem[]): boolean {
  const [near] = items;
  return near !== undefined && (fixedWidth(near) !== undefined || countsUpToMark(items));
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
  item: TemplateItem | undefined,
  neighbour: TemplateItem | undefined,
  from: Side,
): Delimiter | undefined {
  if (item?.kind !== "scope" || neighbour?.kind !== "literal") return undefined;
  const characters = from === "left" ? [...neighbour.text] : [...neighbour.text].reverse();
  const character = characters.find((candidate) => !/[A-Za-z0-9]/.test(candidate)) ?? characters[0];
  return character === undefined ? undefined : { field: item.field, character };
}

function unreadable(items: readonly TemplateItem[]): string {
  const ends = [items.at(0), items.at(-1)].map((item) => {
    if (item?.kind !== "scope") return "the counter";
    return { site: "{SITE}", partition: "{PARTITION}", documentType: "{TYPE}" }[item.field];
  });
  return `its numbers could not be read back: put a separator that is no digit between ${ends.join(" and ")}`;
}
