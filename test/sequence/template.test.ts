import fc from "fast-check";
import t from "tap";
import { checkDigits } from "../../src/sequence/check-digits.js";
import type { Definition, DefinitionChange } from "../../src/sequence/definition.js";
import { changeDefinition } from "../../src/sequence/definition-rules.js";
import { readTemplate } from "../../src/sequence/definition-template.js";
import { NumberRenderers, numberRenderer } from "../../src/sequence/number-renderer.js";
import { holds } from "./holds.js";
import { NOWHERE } from "./world.js";

const NOVEMBER_20 = { year: 2026, month: 11, day: 20 };
const SCOPE = { site: "HQ", partition: "EU", documentType: "CN" };

function defined(prefix: string, change: DefinitionChange): Definition {
  const definition = changeDefinition(prefix, undefined, change, 0);
  if ("kind" in definition) throw new Error(definition.detail);
  return definition;
}

function written(template: string, counter: number, change: DefinitionChange = {}): string {
  return numberRenderer(defined("INV", { template, ...change }), NOVEMBER_20, SCOPE)(counter);
}

function problemOf(template: string): string {
  const read = readTemplate({ prefix: "INV", template, padding: 6, separator: "" });
  return "problem" in read ? read.problem : "";
}

t.test("both notations write the same numbers", (t) => {
  t.equal(written("%s%06d", 1), "INV000001");
  t.equal(written("{PREFIX}{SEQ:6}", 1), "INV000001");
  t.equal(written("%s%d-%04d", 1), "INV2026-0001");
  t.equal(written("%s%04d-%04d", 1), "INV2026-0001");
  t.equal(written("{PREFIX}{YYYY}-{SEQ:4}", 1), "INV2026-0001");
  t.equal(written("%s/%d%%", 7), "INV/7%");
  t.equal(written("{PREFIX}/{SEQ}", 7), "INV/7");
  t.end();
});

t.test("every token shows what it stands for", (t) => {
  t.equal(written("{YYYY}|{YY}|{MM}|{DD}|{DOY}|{WW}|{Q}|{FY}|{SEQ:3}", 5), "2026|26|11|20|324|47|4|2026|005");
  t.equal(written("{FY}-{SEQ}", 5, { fiscalYearStart: 4 }), "2027-5");
  t.equal(written("{SITE}/{PARTITION}/{TYPE}/{SEQ}", 5), "HQ/EU/CN/5");
  t.equal(written("ü{SEQ:2}", 5), "ü05");
  t.end();
});

t.test("the calendar year and the ISO week stand side by side, also where they belong to different years", (t) => {
  const render = numberRenderer(
    defined("W", { template: "{YYYY}-{WW}-{SEQ}" }),
    { year: 2027, month: 1, day: 1 },
    NOWHERE,
  );
  t.equal(render(1), "2027-53-1");
  t.end();
});

t.test("check digits are made from everything before them", (t) => {
  t.equal(written("{SEQ:10}-{CHECK:luhn}", 7992739871), "7992739871-3");
  t.equal(written("{SEQ}{CHECK:damm}", 572), "5724");
  t.equal(written("{SEQ}{CHECK:mod97}", 794), "79444");
  t.equal(written("A{CHECK:mod97}-{SEQ}{CHECK:damm}", 572), `A68-572${checkDigits("damm", "68572")}`);
  t.end();
});

t.test("a counter grows past its width, up to the last safe integer", (t) => {
  t.equal(written("%s%03d", 999), "INV999");
  t.equal(written("%s%03d", 1000), "INV1000");
  t.equal(written("%s%03d", Number.MAX_SAFE_INTEGER), "INV9007199254740991");
  t.equal(written("%s%016d", 1), "INV0000000000000001");
  t.end();
});

t.test("without a template, the separator stands between prefix and counter", (t) => {
  t.equal(numberRenderer(defined("SG", {}), NOVEMBER_20, NOWHERE)(1), "SG000001");
  t.equal(numberRenderer(defined("SG", { separator: "-", padding: 3 }), NOVEMBER_20, NOWHERE)(1), "SG-001");
  t.equal(numberRenderer(defined("SG", { padding: 0 }), NOVEMBER_20, NOWHERE)(1), "SG1");
  t.end();
});

t.test("a template that cannot be used is refused with the reason", (t) => {
  const cases: readonly [string, RegExp][] = [
    ["INV", /no counter/],
    ["%s", /no counter/],
    ["{PREFIX}{YYYY}", /no counter/],
    ["{SEQ}-{SEQ:4}", /more than one counter/],
    ["%d-%d-%d", /more than two %d/],
    ["%s{SEQ:4}", /mixes two notations/],
    ["%s%d{yyyy}", /mixes two notations/],
    ["{NUMBER}", /is not a token/],
    ["{seq}", /is not a token/],
    ["{SEQ:0}", /width from 1 to 16/],
    ["{SEQ:17}", /width from 1 to 16/],
    ["{SEQ:04}", /width from 1 to 16/],
    ["{SEQ:}", /width from 1 to 16/],
    ["{YYYY:4}{SEQ}", /is not a token/],
    ["{CHECK}{SEQ}", /CHECK:luhn/],
    ["{CHECK:crc}{SEQ}", /CHECK:luhn/],
    ["{SEQ", /brace without its partner/],
    ["{SEQ}}", /brace without its partner/],
    ["%s%6d", /%6d is not understood/],
    ["%s%x%d", /%x is not understood/],
    ["%s%017d", /wider than 16/],
    ["%d100%", /% is not understood/],
    ["%06d-%d", /a year has four digits/],
    ["%d\u0000", /cannot be printed/],
    ["%d\u2028", /cannot be printed/],
    ["%d\u202e", /cannot be printed/],
    ["%d\u200b", /cannot be printed/],
    ["%d\ud800", /cannot be printed/],
    [`%d${"x".repeat(199)}`, /more than 200 characters/],
  ];
  for (const [template, reason] of cases) t.match(problemOf(template), reason, template);
  t.equal(problemOf(`%d${"x".repeat(198)}`), "");
  t.end();
});

t.test("a template whose numbers cannot be read back is refused", (t) => {
  for (const template of ["{SITE}{SEQ:4}", "{SITE}{TYPE}-{SEQ}", "{SEQ}{SITE}", "{SITE}{YYYY}{SEQ:4}"]) {
    t.match(problemOf(template), /could not be read back/, template);
  }
  for (const template of [
    "{SITE}-{SEQ:4}",
    "{SITE}-{TYPE}-{SEQ}",
    "{SITE}0{SEQ}",
    "{SEQ}{YYYY}",
    "{YYYY}{SEQ}{MM}",
    "{SITE}/{YYYY}{SEQ}",
    "{SEQ}{MM}x{SITE}",
  ]) {
    t.equal(problemOf(template), "", template);
  }
  t.end();
});

t.test("the renderer that remembers writes what the plain one writes", (t) => {
  const renderers = new NumberRenderers();
  const definitions = ["{SITE}-{SEQ}", "{YYYY}{MM}-{SEQ:3}", "%s%05d", "{SEQ}{CHECK:luhn}"].map((template) =>
    defined("P", { template }),
  );
  const dates = [NOVEMBER_20, { year: 2026, month: 11, day: 21 }, { year: 2027, month: 11, day: 20 }];
  const scopes = [SCOPE, { ...SCOPE, site: "B" }];
  holds(
    t,
    fc.property(
      fc.constantFrom(...definitions),
      fc.constantFrom(...dates),
      fc.constantFrom(...scopes),
      fc.nat(),
      (definition, date, scope, counter) =>
        renderers.renderer(definition, date, scope)(counter) === numberRenderer(definition, date, scope)(counter),
    ),
  );
  t.equal(
    renderers.renderer(definitions[2] as Definition, NOVEMBER_20, SCOPE),
    renderers.renderer(definitions[2] as Definition, NOVEMBER_20, NOWHERE),
  );
  t.end();
});
