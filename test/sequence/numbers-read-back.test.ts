import fc from "fast-check";
import t from "tap";
import { mayCoincide, type Writings } from "../../src/sequence/overlap.js";
import { type DateToken, fixedWidth, type ScopeField, type TemplateItem } from "../../src/sequence/template.js";
import { mergeLiterals } from "../../src/sequence/template-notation.js";
import { readingOf } from "../../src/sequence/template-reading.js";
import { holds } from "./holds.js";

/** A tiny world in which everything can be tried: two characters, two digits, short texts. */
const LITERALS = ["-", "1", "-1", "1-", "a", "a1-"];
const TEXTS = ["1", "-", "a", "11", "1-", "-1", "a1", "1a1"];
const COUNTERS = [0, 1, 11, 110, 1111];

const literal = fc.constantFrom(...LITERALS).map((text): TemplateItem => ({ kind: "literal", text }));
const date = fc.constantFrom<DateToken>("Q", "MM").map((token): TemplateItem => ({ kind: "date", token }));
const scope = fc
  .constantFrom<ScopeField>("site", "documentType")
  .map((field): TemplateItem => ({ kind: "scope", field }));
const counter = fc.constantFrom(0, 2).map((width): TemplateItem => ({ kind: "counter", width }));
const others = fc.array(fc.oneof(literal, literal, date, scope), { maxLength: 5 });
const items = fc
  .tuple(others, counter, others)
  .map(([before, one, after]) => mergeLiterals([...before, one, ...after]));

interface Values {
  readonly site: string;
  readonly documentType: string;
  readonly counter: number;
  /** Shown by Q and MM alike, cut to their width. */
  readonly date: string;
}

function write(template: readonly TemplateItem[], values: Values): string {
  return template
    .map((item) => {
      if (item.kind === "literal") return item.text;
      if (item.kind === "counter") return String(values.counter).padStart(item.width, "0");
      if (item.kind === "scope") return item.field === "site" ? values.site : values.documentType;
      return values.date.slice(0, fixedWidth(item));
    })
    .join("");
}

/** Only what the template shows. */
function shown(template: readonly TemplateItem[], values: Values): string {
  return JSON.stringify(template.map((item) => write([item], values)));
}

const texts = fc.constantFrom(...TEXTS);
const values: fc.Arbitrary<Values> = fc.record({
  site: texts,
  documentType: texts,
  counter: fc.constantFrom(...COUNTERS),
  date: fc.constantFrom("11", "10", "01"),
});

t.test("with a template that can be read back, different values never write the same number", (t) => {
  let accepted = 0;
  holds(
    t,
    fc.property(items, fc.array(values, { minLength: 200, maxLength: 200 }), (template, many) => {
      const delimiters = readingOf(template);
      if ("problem" in delimiters) return;
      accepted++;
      const writings = new Map<string, string>();
      for (const one of many) {
        const isFree = delimiters.every(
          ({ field, character }) => !one[field as "site" | "documentType"].includes(character),
        );
        if (!isFree) continue;
        const number = write(template, one);
        const known = writings.get(number);
        // The width of a counter is no value: 01 and 1 are one counter.
        if (known !== undefined && known !== shown(template, one))
          throw new Error(`${number}: ${known} and ${shown(template, one)}`);
        writings.set(number, shown(template, one));
      }
    }),
    { numRuns: 1000 },
  );
  t.ok(accepted > 100, "a good part of the templates is accepted");
  t.end();
});

t.test("what a template of one width writes with one counter, it writes with no other counter at any width", (t) => {
  holds(
    t,
    fc.property(items, fc.array(values, { minLength: 100, maxLength: 100 }), (template, many) => {
      const delimiters = readingOf(template);
      if ("problem" in delimiters) return;
      const counterOf = new Map<string, number>();
      for (const [place, one] of many.entries()) {
        if (delimiters.some(({ field, character }) => one[field as "site" | "documentType"].includes(character)))
          continue;
        const width = place % 4;
        const number = write(
          template.map((item) => (item.kind === "counter" ? { ...item, width } : item)),
          one,
        );
        if ((counterOf.get(number) ?? one.counter) !== one.counter)
          throw new Error(`${number} is written with two counters`);
        counterOf.set(number, one.counter);
      }
    }),
    { numRuns: 1000 },
  );
  t.end();
});

/** The same question put to the platform's regular expressions, for one number at a time. */
function patternOf({ items: template, digits }: Writings): RegExp {
  const parts = template.map((item) => {
    if (item.kind === "literal") return item.text.replaceAll("-", "\\-");
    if (item.kind === "counter") return `\\d{${digits.least},${digits.most}}`;
    return item.kind === "scope" ? ".+" : `\\d{${fixedWidth(item)}}`;
  });
  return new RegExp(`^${parts.join("")}$`);
}

t.test("two templates that cannot coincide write no number in common", (t) => {
  const digits = fc.constantFrom({ least: 1, most: 4 }, { least: 2, most: 4 }, { least: 2, most: 2 });
  const writings = fc.record({ items, digits });
  let apart = 0;
  let together = 0;
  holds(
    t,
    fc.property(writings, writings, fc.array(values, { minLength: 50, maxLength: 50 }), (one, other, many) => {
      const pattern = patternOf(other);
      const own = patternOf(one);
      const common = many
        .map((chosen) => write(one.items, chosen))
        .filter((number) => own.test(number) && pattern.test(number));
      if (mayCoincide(one, other)) together++;
      else {
        apart++;
        if (common.length > 0) throw new Error(`both write ${common[0]}`);
      }
      return mayCoincide(one, other) === mayCoincide(other, one);
    }),
    { numRuns: 2000 },
  );
  t.ok(apart > 200 && together > 200, "both answers were met");
  t.end();
});

t.test("templates coincide where a number can be found that both write", (t) => {
  const plain = (...parts: TemplateItem[]): Writings => ({ items: parts, digits: { least: 1, most: 16 } });
  const number: TemplateItem = { kind: "counter", width: 0 };
  const year: TemplateItem = { kind: "date", token: "YYYY" };
  const text = (value: string): TemplateItem => ({ kind: "literal", text: value });
  const site: TemplateItem = { kind: "scope", field: "site" };
  t.ok(mayCoincide(plain(text("A"), number), plain(text("A"), year, number)));
  t.notOk(mayCoincide(plain(text("A"), number), plain(text("A"), year, text("-"), number)));
  t.notOk(
    mayCoincide(
      { items: [text("A"), number], digits: { least: 6, most: 6 } },
      { items: [text("A"), year, number], digits: { least: 4, most: 16 } },
    ),
  );
  t.ok(mayCoincide(plain(site, text("-"), number), plain(text("A"), text("-"), number)));
  t.notOk(mayCoincide(plain(site, text("-"), number), plain(text("A/"), number)));
  t.ok(mayCoincide(plain(text("A1"), number), plain(text("A"), number)));
  t.end();
});
