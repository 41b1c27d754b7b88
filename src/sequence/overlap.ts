import { fixedWidth, type TemplateItem } from "./template.js";
import { isDigit } from "./text.js";

/** One character of what a template may write. */
interface Cell {
  readonly kind: "exactly" | "digit" | "any";
  readonly character: string;
  /** May be left out. */
  readonly optional: boolean;
  /** May stand again and again. */
  readonly repeats: boolean;
}

export interface CounterDigits {
  readonly least: number;
  readonly most: number;
}

/** What a template may write, with counters of that many digits: more rather than less (any digits pass for a month). */
export interface Writings {
  readonly items: readonly TemplateItem[];
  readonly digits: CounterDigits;
}

/**
 * Whether some text may be written both ways. Both are chains of cells, so it is the question
 * whether the two end together on some common path: a search over pairs of places.
 */
export function mayCoincide(one: Writings, other: Writings): boolean {
  const left = cellsOf(one);
  const right = cellsOf(other);
  const width = right.length + 1;
  const reached = new Uint8Array((left.length + 1) * width);
  const open = [0];
  reached[0] = 1;
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    if (place === reached.length - 1) return true;
    for (const next of following(left, right, place, width)) {
      if (reached[next] === 1) continue;
      reached[next] = 1;
      open.push(next);
    }
  }
  return false;
}

/** A place is i * width + j: i cells of the left and j of the right are behind. */
function following(left: readonly Cell[], right: readonly Cell[], place: number, width: number): number[] {
  const a = left[Math.floor(place / width)];
  const b = right[place % width];
  const next: number[] = [];
  if (a?.optional) next.push(place + width);
  if (b?.optional) next.push(place + 1);
  if (a === undefined || b === undefined || !meet(a, b)) return next;
  next.push(place + width + 1);
  if (a.repeats) next.push(place + 1);
  if (b.repeats) next.push(place + width);
  return next;
}

function meet(a: Cell, b: Cell): boolean {
  if (a.kind === "any" || b.kind === "any") return true;
  if (a.kind === "exactly" && b.kind === "exactly") return a.character === b.character;
  if (a.kind === "exactly") return isDigit(a.character);
  return b.kind === "digit" || isDigit(b.character);
}

function cellsOf({ items, digits }: Writings): Cell[] {
  return items.flatMap((item) => {
    if (item.kind === "literal") return [...item.text.split("")].map((character) => cell("exactly", { character }));
    if (item.kind === "scope") return [cell("any"), cell("any", { optional: true, repeats: true })];
    if (item.kind !== "counter") return Array.from({ length: fixedWidth(item) ?? 0 }, () => cell("digit"));
    return Array.from({ length: digits.most }, (_, place) => cell("digit", { optional: place >= digits.least }));
  });
}

function cell(kind: Cell["kind"], traits: Partial<Omit<Cell, "kind">> = {}): Cell {
  return { kind, character: "", optional: false, repeats: false, ...traits };
}
