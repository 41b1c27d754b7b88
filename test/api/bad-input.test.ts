import type { InjectOptions } from "fastify";
import t from "tap";
import { ADMIN, call, postText, startEdge } from "./rest-edge.js";

interface Bad {
  readonly name: string;
  readonly request: InjectOptions;
  /** The field that the problem names. */
  readonly field: string;
  readonly status?: number;
  readonly code?: string;
}

const NEXT = "/api/v1/next";
const BATCH = "/api/v1/batch";
const RESET = "/api/v1/reset/SG";
const CONFIG = "/api/v1/config/SG";
const PAST_SAFE = "9007199254740993";

function post(url: string, payload: object, headers: Record<string, string> = {}): InjectOptions {
  return { method: "POST", url, payload, headers: { ...ADMIN, ...headers } };
}

const long = "x".repeat(201);
const prefixes: readonly (readonly [string, string])[] = [
  ["empty", ""],
  ["with a space", "S G"],
  ["with a slash", "S/G"],
  ["with a control character", "SG\u0007"],
  ["with a newline at its end", "SG\n"],
  ["of 51 characters", "A".repeat(51)],
  ["starting with a dot", ".SG"],
  ["with a letter beyond ASCII", "SÉG"],
];

const bad: readonly Bad[] = [
  ...prefixes.map(([what, prefix]) => ({
    name: `a prefix ${what}`,
    request: post(NEXT, { prefix }),
    field: "prefix",
  })),
  ...prefixes
    .filter(([, prefix]) => prefix !== "")
    .map(([what, prefix]) => ({
      name: `a prefix in the path ${what}`,
      request: { url: `${NEXT}/${encodeURIComponent(prefix)}` },
      field: "prefix",
    })),
  { name: "a prefix of 1900 characters in the path", request: { url: `${NEXT}/${"A".repeat(1900)}` }, field: "prefix" },
  { name: "no prefix", request: post(NEXT, {}), field: "prefix" },
  { name: "a prefix that is a number", request: post(NEXT, { prefix: 5 }), field: "prefix" },
  { name: "a prefix that is null", request: post(NEXT, { prefix: null }), field: "prefix" },
  { name: "a prefix that is a list", request: post(NEXT, { prefix: ["SG"] }), field: "prefix" },
  { name: "an unknown field", request: post(NEXT, { prefix: "SG", prefx: 1 }), field: "prefx" },
  { name: "an unknown field of a batch", request: post(`${BATCH}/SG`, { count: 1, sise: 2 }), field: "sise" },
  { name: "an unknown field in the query", request: { url: `${NEXT}/SG?clientid=a` }, field: "clientid" },
  { name: "a query where there is none to give", request: post(`${BATCH}/SG?count=5`, { count: 1 }), field: "count" },
  { name: "a query of a draw by POST", request: post(`${NEXT}?prefix=SG`, { prefix: "SG" }), field: "prefix" },
  { name: "a query of the cluster", request: { url: "/api/v1/cluster?node=1" }, field: "node" },
  {
    name: "a query of a reset",
    request: post(`${RESET}?force=true`, { new_value: 1, reason: "audit" }),
    field: "force",
  },
  {
    name: "a field given twice in the query",
    request: { url: `${NEXT}/SG?client_id=a&client_id=b` },
    field: "client_id",
  },
  { name: "__proto__", request: postText(NEXT, '{"prefix":"SG","__proto__":{"admin":true}}'), field: "__proto__" },
  { name: "__proto__ as text", request: postText(NEXT, '{"prefix":"SG","__proto__":"x"}'), field: "__proto__" },
  { name: "escaped __proto__", request: postText(NEXT, '{"prefix":"SG","\\u005f_proto__":{}}'), field: "__proto__" },
  {
    name: "constructor.prototype",
    request: postText(NEXT, '{"prefix":"SG","constructor":{"prototype":{"a":1}}}'),
    field: "constructor",
  },
  { name: "constructor", request: postText(NEXT, '{"prefix":"SG","constructor":1}'), field: "constructor" },
  { name: "__proto__ in the query", request: { url: `${NEXT}/SG?__proto__=1` }, field: "__proto__" },
  { name: "malformed JSON", request: postText(NEXT, '{"prefix":'), field: "" },
  { name: "an empty body", request: postText(NEXT, ""), field: "" },
  { name: "no body at all", request: { method: "POST", url: NEXT }, field: "" },
  { name: "a body that is null", request: postText(NEXT, "null"), field: "" },
  { name: "a body that is a list", request: postText(NEXT, "[]"), field: "" },
  { name: "a body that is text", request: postText(NEXT, '"SG"'), field: "" },
  { name: "a client_id of 201 characters", request: post(NEXT, { prefix: "SG", client_id: long }), field: "client_id" },
  {
    name: "a client_id with a control character",
    request: post(NEXT, { prefix: "SG", client_id: "a\u0000b" }),
    field: "client_id",
  },
  {
    name: "half a surrogate pair",
    request: postText(NEXT, '{"prefix":"SG","generated_by":"\\ud800"}'),
    field: "generated_by",
  },
  {
    name: "a document_date without form",
    request: post(NEXT, { prefix: "SG", document_date: "20.11.2026" }),
    field: "document_date",
  },
  {
    name: "a document_date that never was",
    request: post(NEXT, { prefix: "SG", document_date: "2026-02-30" }),
    field: "document_date",
  },
  {
    name: "29 February of a common year",
    request: post(NEXT, { prefix: "SG", document_date: "2025-02-29" }),
    field: "document_date",
  },
  { name: "a month 13", request: post(NEXT, { prefix: "SG", document_date: "2026-13-01" }), field: "document_date" },
  {
    name: "an Idempotency-Key of 256 characters",
    request: post(NEXT, { prefix: "SG" }, { "idempotency-key": "k".repeat(256) }),
    field: "idempotency-key",
  },
  {
    name: "an empty Idempotency-Key",
    request: post(NEXT, { prefix: "SG" }, { "idempotency-key": "" }),
    field: "idempotency-key",
  },
  { name: "a count of 0", request: post(`${BATCH}/SG`, { count: 0 }), field: "count" },
  { name: "a negative count", request: post(`${BATCH}/SG`, { count: -1 }), field: "count" },
  { name: "a fractional count", request: post(`${BATCH}/SG`, { count: 1.5 }), field: "count" },
  { name: "a count of 1 000 001", request: post(`${BATCH}/SG`, { count: 1_000_001, expand: false }), field: "count" },
  { name: "a count past 2^53-1", request: postText(`${BATCH}/SG`, `{"count":${PAST_SAFE}}`), field: "count" },
  { name: "a count of 1e400", request: postText(`${BATCH}/SG`, '{"count":1e400}'), field: "count" },
  { name: "a count as text", request: post(BATCH, { prefix: "SG", count: "5" }), field: "count" },
  { name: "a count that is true", request: post(BATCH, { prefix: "SG", count: true }), field: "count" },
  { name: "no count", request: post(BATCH, { prefix: "SG" }), field: "count" },
  { name: "an expand as text", request: post(BATCH, { prefix: "SG", count: 1, expand: "false" }), field: "expand" },
  { name: "10 001 numbers to expand", request: post(BATCH, { prefix: "SG", count: 10_001 }), field: "expand" },
  { name: "a reset without reason", request: post(RESET, { new_value: 5 }), field: "reason" },
  { name: "a reset with an empty reason", request: post(RESET, { new_value: 5, reason: "" }), field: "reason" },
  { name: "a reset without value", request: post(RESET, { reason: "audit" }), field: "new_value" },
  {
    name: "a reset to two values",
    request: post(RESET, { new_value: 1, set_to: 2, reason: "audit" }),
    field: "set_to",
  },
  { name: "a reset to a negative value", request: post(RESET, { new_value: -1, reason: "audit" }), field: "new_value" },
  {
    name: "a reset past 2^53-1",
    request: postText(RESET, `{"new_value":${PAST_SAFE},"reason":"audit"}`),
    field: "new_value",
  },
  { name: "a reset to a fraction", request: post(RESET, { set_to: 0.5, reason: "audit" }), field: "set_to" },
  { name: "a force as text", request: post(RESET, { new_value: 1, reason: "audit", force: "yes" }), field: "force" },
  { name: "an unknown time zone", request: post(CONFIG, { time_zone: "Mars/Olympus" }), field: "time_zone" },
  { name: "an offset as time zone", request: post(CONFIG, { time_zone: "+02:00" }), field: "time_zone" },
  { name: "an unknown reset rule", request: post(CONFIG, { reset_rule: "weekly" }), field: "reset_rule" },
  { name: "an unknown scope", request: post(CONFIG, { scope: "planet" }), field: "scope" },
  { name: "a maximum past 2^53-1", request: postText(CONFIG, `{"maximum":${PAST_SAFE}}`), field: "maximum" },
  { name: "a step of 0", request: post(CONFIG, { step: 0 }), field: "step" },
  { name: "is_active as text", request: post(CONFIG, { is_active: "true" }), field: "is_active" },
  {
    name: "a template with a control character",
    request: post(CONFIG, { format_template: "%s\t%d" }),
    field: "format_template",
  },
  { name: "an If-Match that is no ETag", request: post(CONFIG, { step: 1 }, { "if-match": "*" }), field: "If-Match" },
  { name: "a preview of 0", request: { url: "/api/v1/preview/SG?count=0" }, field: "count" },
  { name: "a fractional preview", request: { url: "/api/v1/preview/SG?count=1.5" }, field: "count" },
  { name: "a hexadecimal preview", request: { url: "/api/v1/preview/SG?count=0x10" }, field: "count" },
  { name: "an exponential preview", request: { url: "/api/v1/preview/SG?count=1e2" }, field: "count" },
  { name: "an empty preview count", request: { url: "/api/v1/preview/SG?count=" }, field: "count" },
  { name: "a preview of 1001", request: { url: "/api/v1/preview/SG?count=1001" }, field: "count" },
  { name: "an unknown consistency", request: { url: "/api/v1/status/SG?consistency=eventual" }, field: "consistency" },
  { name: "an audit page of 1001", request: { url: "/api/v1/audit/SG?limit=1001" }, field: "limit" },
  { name: "an audit page after nonsense", request: { url: "/api/v1/audit/SG?after=yesterday" }, field: "after" },
  { name: "an audit from nonsense", request: { url: "/api/v1/audit/SG?from=yesterday" }, field: "from" },
  { name: "an audit from month 13", request: { url: "/api/v1/audit/SG?from=2026-13-01T00:00:00Z" }, field: "from" },
  { name: "an audit of an unknown kind", request: { url: "/api/v1/audit/SG?kind=lost" }, field: "kind" },
];

t.test("every bad input is refused by naming the field, and the backend sees nothing of it", async (t) => {
  const { app, backend } = await startEdge(t);
  for (const { name, request, field } of bad) {
    const { status, body, headers } = await call(app, request);
    t.equal(status, 400, name);
    t.match(headers["content-type"], /^application\/problem\+json/, name);
    t.match(body, { status: 400, code: "VALIDATION_ERROR", type: "urn:folio:problem:validation-error" }, name);
    t.ok(
      body.errors?.some((error) => error.field === field),
      `${name}: names ${JSON.stringify(field)}`,
    );
    t.equal(body["request_id"], headers["x-request-id"], name);
  }
  t.same(backend.commands, []);
  t.same(backend.queries, []);
  t.equal((await call(app, post(NEXT, { prefix: "SG" }))).body["counter"], 1, "the counter did not move");
});

t.test("an error says what would have been right", async (t) => {
  const { app } = await startEdge(t);
  const { body } = await call(app, post(NEXT, { prefix: "S G" }));
  t.equal(body["detail"], "prefix must be 1 to 50 of A-Z a-z 0-9 . _ -, not starting with a dot");
  t.same(body.errors, [
    {
      field: "prefix",
      expected: "1 to 50 of A-Z a-z 0-9 . _ -, not starting with a dot",
      message: "prefix must be 1 to 50 of A-Z a-z 0-9 . _ -, not starting with a dot",
    },
  ]);
});

t.test("all wrong fields are named at once, but no more than ten", async (t) => {
  const { app, backend } = await startEdge(t);
  const two = await call(app, post(NEXT, { prefix: "S G", client_id: 5 }));
  t.same(two.body.errors?.map((error) => error.field).sort(), ["client_id", "prefix"]);
  const many = Object.fromEntries(Array.from({ length: 50 }, (_, place) => [`field_${place}`, 1]));
  const answer = await call(app, post(NEXT, { prefix: "SG", ...many }));
  t.equal(answer.status, 400);
  const named = answer.body.errors?.map((error) => error.field) ?? [];
  t.ok(named.length > 0 && named.length <= 10);
  t.ok(named.every((field) => field.startsWith("field_")));
  t.same(backend.commands, []);
});

t.test("an oversize body is a 413", async (t) => {
  const { app, backend } = await startEdge(t);
  const { status, body } = await call(app, postText(NEXT, `{"prefix":"${"A".repeat(70_000)}"}`));
  t.equal(status, 413);
  t.match(body, { code: "PAYLOAD_TOO_LARGE", detail: "the body must have at most 65536 bytes" });
  t.same(backend.commands, []);
});

t.test("a body of another media type is a 415", async (t) => {
  const { app, backend } = await startEdge(t);
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/xml", "nonsense"]) {
    const request: InjectOptions = {
      method: "POST",
      url: NEXT,
      payload: "prefix=SG",
      headers: { "content-type": type },
    };
    const { status, body } = await call(app, request);
    t.equal(status, 415, type);
    t.equal(body["code"], "UNSUPPORTED_MEDIA_TYPE", type);
  }
  t.same(backend.commands, []);
});

t.test("a URL that cannot be decoded or is too long is a 400 that does not repeat it", async (t) => {
  const { app } = await startEdge(t);
  for (const url of [`${NEXT}/%zz`, `${NEXT}/${"A".repeat(3000)}`]) {
    const { status, body, headers } = await call(app, { url });
    t.equal(status, 400);
    t.match(headers["content-type"], /problem\+json/);
    t.match(body, { code: "VALIDATION_ERROR" });
    t.ok(String(body["detail"]).length < 100);
    t.equal(body["request_id"], headers["x-request-id"]);
  }
});
