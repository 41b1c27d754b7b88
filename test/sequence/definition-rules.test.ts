import t from "tap";
import type { Definition, DefinitionChange } from "../../src/sequence/definition.js";
import { changeDefinition, defaultDefinition } from "../../src/sequence/definition-rules.js";
import type { Refused } from "../../src/sequence/result.js";

function changed(change: DefinitionChange, current?: Definition): Definition {
  const definition = changeDefinition("INV", current, change, 1000);
  if ("kind" in definition) throw new Error(definition.detail);
  return definition;
}

function refusedField(change: DefinitionChange, current?: Definition): string {
  const outcome = changeDefinition("INV", current, change, 1000);
  if (!("kind" in outcome)) return "accepted";
  const { code, field }: Refused = outcome;
  return code === "VALIDATION_ERROR" ? field : code;
}

t.test("a sequence that nobody configured has the documented defaults", (t) => {
  t.match(defaultDefinition("SG", 7), {
    template: "",
    padding: 6,
    separator: "",
    start: 1,
    step: 1,
    maximum: 9007199254740991,
    resetRule: "never",
    timeZone: "UTC",
    scope: "global",
    gapPolicy: "keep",
    fiscalYearStart: 1,
    isActive: true,
    version: 1,
    explicit: false,
    createdAt: 7,
  });
  t.end();
});

t.test("a change sets what it names, keeps the rest, and makes the next version", (t) => {
  const first = changed({ template: "%s%d-%04d", resetRule: "yearly", description: "Invoices" });
  t.match(first, { version: 1, explicit: true, padding: 4, createdAt: 1000, isActive: true });
  const second = changeDefinition("INV", first, { isActive: false }, 2000);
  t.match(second, {
    version: 2,
    isActive: false,
    template: "%s%d-%04d",
    description: "Invoices",
    createdAt: 1000,
    updatedAt: 2000,
  });
  t.equal(first.isActive, true, "the earlier version is as it was");
  t.end();
});

t.test("a change that changes nothing makes no version, save that it makes a default one explicit", (t) => {
  const first = changed({ template: "%s%06d" });
  t.equal(changeDefinition("INV", first, { template: "%s%06d", padding: 6, step: 1 }, 2000), first);
  t.match(changed({}, defaultDefinition("INV", 0)), { version: 2, explicit: true });
  t.end();
});

t.test("padding always equals the width of the template's counter", (t) => {
  t.match(changed({ template: "%s%04d" }), { padding: 4 });
  t.match(changed({ template: "%s%04d", padding: 4 }), { padding: 4 });
  t.match(changed({ template: "{PREFIX}{SEQ}", padding: 5 }), { padding: 5, template: "{PREFIX}{SEQ:5}" });
  t.match(changed({ template: "%s%d" }), { padding: 0 });
  t.match(changed({ padding: 8 }, changed({ template: "%s%d-%04d" })), { padding: 8, template: "%s%d-%08d" });
  t.match(changed({ padding: 0 }, changed({ template: "{SITE}/{SEQ:4}" })), { padding: 0, template: "{SITE}/{SEQ}" });
  t.match(changed({ padding: 8 }), { padding: 8, template: "" });
  t.match(changed({ template: "" }, changed({ template: "%s%04d" })), { padding: 4, template: "" });
  t.equal(refusedField({ template: "%s%04d", padding: 6 }), "padding");
  t.end();
});

t.test("what is wrong is named by its field", (t) => {
  const cases: readonly [DefinitionChange, string][] = [
    [{ padding: -1 }, "padding"],
    [{ padding: 17 }, "padding"],
    [{ padding: 1.5 }, "padding"],
    [{ start: -1 }, "start"],
    [{ start: 2 ** 53 }, "start"],
    [{ start: Number.NaN }, "start"],
    [{ step: 0 }, "step"],
    [{ maximum: 2 ** 53 }, "maximum"],
    [{ maximum: Number.POSITIVE_INFINITY }, "maximum"],
    [{ start: 11, maximum: 10 }, "start"],
    [{ maximum: 0 }, "maximum"],
    [{ resetRule: "weekly" }, "resetRule"],
    [{ scope: "planet" }, "scope"],
    [{ gapPolicy: "fill" }, "gapPolicy"],
    [{ fiscalYearStart: 13 }, "fiscalYearStart"],
    [{ separator: "12345678901" }, "separator"],
    [{ separator: "\n" }, "separator"],
    [{ profile: "x".repeat(51) }, "profile"],
    [{ description: "\u0007" }, "description"],
    [{ timeZone: "" }, "timeZone"],
    [{ timeZone: "Europe/Berlin" }, "timeZone"],
    [{ timeZone: "Europe/Berlin", zoneTransitions: [{ from: 0, offsetSeconds: 1e6 }] }, "timeZone"],
    [{ zoneTransitions: [] }, "timeZone"],
    [{ template: "INV" }, "template"],
  ];
  for (const [change, field] of cases) t.equal(refusedField(change), field, JSON.stringify(change));
  t.match(changed({ timeZone: "Africa/Abidjan", zoneTransitions: [] }), { timeZone: "Africa/Abidjan" });
  t.match(changed({ timeZone: "UTC" }), { zoneTransitions: [] });
  t.end();
});

t.test("a template that cannot tell the periods apart is refused", (t) => {
  const refusals: readonly [DefinitionChange, string][] = [
    [{ resetRule: "yearly" }, "resetRule"],
    [{ resetRule: "yearly", template: "%s%06d" }, "template"],
    [{ resetRule: "yearly", template: "{WW}-{SEQ}" }, "template"],
    [{ resetRule: "monthly", template: "{YYYY}-{SEQ}" }, "template"],
    [{ resetRule: "monthly", template: "{MM}-{SEQ}" }, "template"],
    [{ resetRule: "monthly", template: "{YYYY}{WW}-{SEQ}" }, "template"],
    [{ resetRule: "daily", template: "{YYYY}{MM}-{SEQ}" }, "template"],
    [{ resetRule: "daily", template: "{MM}{DD}-{SEQ}" }, "template"],
    [{ resetRule: "yearly", template: "{YYYY}-{SEQ}", fiscalYearStart: 4 }, "template"],
    [{ resetRule: "monthly", template: "{FY}-{DOY}-{SEQ}", fiscalYearStart: 4 }, "template"],
  ];
  for (const [change, field] of refusals) t.equal(refusedField(change), field, JSON.stringify(change));
  const accepted: readonly DefinitionChange[] = [
    { resetRule: "yearly", template: "{YY}-{SEQ}" },
    { resetRule: "yearly", template: "{FY}-{SEQ}" },
    { resetRule: "yearly", template: "{FY}-{SEQ}", fiscalYearStart: 4 },
    { resetRule: "yearly", template: "{YYYY}{MM}-{SEQ}", fiscalYearStart: 4 },
    { resetRule: "monthly", template: "{FY}{MM}-{SEQ}", fiscalYearStart: 4 },
    { resetRule: "monthly", template: "{YYYY}{DOY}-{SEQ}" },
    { resetRule: "daily", template: "{YYYY}{MM}{DD}-{SEQ}" },
    { resetRule: "daily", template: "{YY}{DOY}-{SEQ}" },
  ];
  for (const change of accepted) t.equal(refusedField(change), "accepted", JSON.stringify(change));
  const yearly = changed({ resetRule: "yearly", template: "%s%d-%04d" });
  t.equal(refusedField({ template: "%s%04d" }, yearly), "template");
  t.equal(refusedField({ fiscalYearStart: 4 }, yearly), "fiscalYearStart");
  t.end();
});

t.test("a template that cannot tell sites, partitions or types apart is refused", (t) => {
  t.equal(refusedField({ scope: "site" }), "scope");
  t.equal(refusedField({ scope: "site", template: "{PARTITION}-{SEQ}" }), "template");
  t.equal(refusedField({ scope: "document_type", template: "{SITE}-{SEQ}" }), "template");
  t.equal(refusedField({ scope: "site", template: "{SITE}-{SEQ}" }), "accepted");
  t.equal(refusedField({ scope: "partition", template: "{PARTITION}-{SEQ}" }), "accepted");
  t.equal(refusedField({ scope: "document_type", template: "{TYPE}-{SEQ}" }), "accepted");
  t.end();
});
