import fc from "fast-check";
import t from "tap";
import { repeatedMember } from "../../src/api/rest/repeated-member.js";
import { ADMIN, call, postText, startEdge } from "./rest-edge.js";

const NEXT = "/api/v1/next";

t.test("a field that stands twice is refused and named, however it is written", async (t) => {
  const { app, backend } = await startEdge(t);
  const bodies: readonly (readonly [string, string])[] = [
    ['{"prefix":"SG","prefix":"INV"}', "prefix"],
    ['{"prefix":"SG","prefix":"SG"}', "prefix"],
    ['{"prefix":"SG","\\u0070refix":"INV"}', "prefix"],
    ['{"client_id":"a:\\"b\\\\","prefix":"SG" , "client_id" : "c"}', "client_id"],
    ['\ufeff{"prefix":"SG","prefix":"INV"}', "prefix"],
    ['{"prefix":"SG","":1,"":2}', '""'],
  ];
  for (const [text, field] of bodies) {
    const { status, body } = await call(app, postText(NEXT, text));
    t.equal(status, 400, text);
    t.match(body, { code: "VALIDATION_ERROR", errors: [{ field }] }, text);
  }
  t.same(backend.commands, []);
  const fine = await call(app, postText(NEXT, '\ufeff{"prefix":"SG","client_id":"\\"prefix\\":1,\\\\"}'));
  t.match(fine.body, { counter: 1 }, "quoted names are no fields, and a byte order mark is passed over");
});

t.test("the first name that repeats is found in any object, and none in one without", async (t) => {
  const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.string({ unit: "binary" }));
  const names = fc.constantFrom("", "a", "b", '"', "\\", ":", "{", "\u0000", "é");
  const space = fc.constantFrom("", " ", "\n\t");
  const member = fc.tuple(names, value, space);
  const property = fc.property(fc.array(member, { maxLength: 6 }), (members) => {
    const texts = members.map(
      ([name, given, blank]) => `${blank}${JSON.stringify(name)}${blank}:${blank}${JSON.stringify(given)}`,
    );
    const all = members.map(([name]) => name);
    const expected = all.find((name, place) => all.indexOf(name) < place);
    return repeatedMember(`{${texts.join(",")}}`) === expected;
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 500 }));
});

t.test("a body that is not UTF-8 is refused instead of being stored with replacement characters", async (t) => {
  const { app, backend } = await startEdge(t);
  const broken = [
    [0xff],
    [0xc3, 0x28],
    [0xed, 0xa0, 0x80],
    [0xc0, 0x80],
    [0xe2, 0x82],
    // Latin-1.
    [0x63, 0x61, 0x66, 0xe9],
  ];
  for (const bytes of broken) {
    const payload = Buffer.concat([Buffer.from('{"prefix":"SG","client_id":"'), Buffer.from(bytes), Buffer.from('"}')]);
    const headers = { ...ADMIN, "content-type": "application/json" };
    const { status, body } = await call(app, { method: "POST", url: NEXT, payload, headers });
    t.equal(status, 400, String(bytes));
    t.match(body, { code: "VALIDATION_ERROR", detail: "the request must be JSON in UTF-8" });
  }
  t.same(backend.commands, []);
  t.equal((await call(app, postText(NEXT, '{"prefix":"SG","client_id":"Zürich 日本 🎉"}'))).status, 200);
  t.match(backend.commands, [{ provenance: { clientId: "Zürich 日本 🎉" } }]);
});

t.test("deep nesting and thousands of unknown fields cost an error and nothing else", async (t) => {
  const { app, backend } = await startEdge(t);
  const deep = `${"[".repeat(30_000)}${"]".repeat(30_000)}`;
  const many = Array.from({ length: 5000 }, (_, place) => `"k${place}":1`).join(",");
  for (const text of [deep, `{"prefix":"SG","client_id":${deep}}`, `{"prefix":"SG",${many}}`]) {
    const { status, text: answer } = await call(app, postText(NEXT, text));
    t.equal(status, 400);
    t.ok(answer.length < 10_000);
  }
  t.same(backend.commands, []);
});

t.test("a query that cannot be decoded is refused instead of being taken as it stands", async (t) => {
  const { app, backend } = await startEdge(t);
  for (const query of ["client_id=%ff", "client_id=a%", "client_id=%zz", "%c3%28=1", "client_id=ok&site=%e2%82"]) {
    const { status, body, headers } = await call(app, { url: `${NEXT}/SG?${query}` });
    t.equal(status, 400, query);
    t.match(body, { code: "VALIDATION_ERROR", request_id: headers["x-request-id"] });
  }
  t.same(backend.commands, []);
  t.equal((await call(app, { url: `${NEXT}/SG?client_id=100%25%20caf%C3%A9&site=a+b` })).status, 200);
  t.match(backend.commands, [{ provenance: { clientId: "100% café" }, scope: { site: "a b" } }]);
});

t.test("dates that do not exist, or that the domain does not know, name their field", async (t) => {
  const { app, backend } = await startEdge(t);
  for (const day of ["2026-02-30", "9999-12-31", "2100-02-29"]) {
    const draw = await call(app, { url: `${NEXT}/SG?document_date=${day}` });
    t.match(draw.body, { status: 400, errors: [{ field: "document_date", expected: /9998-12-31/ }] }, day);
    const audit = await call(app, { url: `/api/v1/audit/SG?from=${day}T00:00:00Z` });
    t.match(audit.body, { status: 400, errors: [{ field: "from" }] }, day);
  }
  t.same([...backend.commands, ...backend.queries], []);
});

t.test("a reset needs a reason that says something", async (t) => {
  const { app, backend } = await startEdge(t);
  for (const reason of ["", " ", "   \u00a0 "]) {
    const payload = { new_value: 5, reason };
    const { status, body } = await call(app, { method: "POST", url: "/api/v1/reset/SG", headers: ADMIN, payload });
    t.equal(status, 400);
    t.match(body, { errors: [{ field: "reason" }] });
  }
  t.same(backend.commands, []);
});
