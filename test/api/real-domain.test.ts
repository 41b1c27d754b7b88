import t, { type Test } from "tap";
import type { RestApp } from "../../src/api/rest/edge.js";
import { domainBackend } from "./domain-backend.js";
import { ADMIN, call, startEdge } from "./rest-edge.js";

async function domainEdge(t: Test) {
  const { app } = await startEdge(t, { backend: await domainBackend(t) });
  return app;
}

function configure(app: RestApp, prefix: string, payload: object, headers: Record<string, string> = {}) {
  return call(app, { method: "POST", url: `/api/v1/config/${prefix}`, payload, headers: { ...ADMIN, ...headers } });
}

t.test("an unknown prefix comes to life with the defaults and is counted on", async (t) => {
  const app = await domainEdge(t);
  t.equal((await call(app, { url: "/api/v1/status/SG" })).status, 404);
  t.equal((await call(app, { url: "/api/v1/next/SG" })).body["full_number"], "SG000001");
  const batch = await call(app, { method: "POST", url: "/api/v1/batch/SG", payload: { count: 3 } });
  t.same(batch.body["full_numbers"], ["SG000002", "SG000003", "SG000004"]);
  t.match((await call(app, { url: "/api/v1/status/SG" })).body, { current_counter: 4, next_full_number: "SG000005" });
  t.same((await call(app, { url: "/api/v1/preview/SG?count=2" })).body["full_numbers"], ["SG000005", "SG000006"]);
  t.match((await call(app, { url: "/api/v1/config/SG" })).body, { prefix: "SG", version: 1, explicit: false });
});

t.test("templates that the domain refuses are errors on format_template, and nothing changes", async (t) => {
  const app = await domainEdge(t);
  const bad = [
    { format_template: "{PREFIX}-{YYYY}", reset_rule: "never" },
    { format_template: "%s%06d", reset_rule: "yearly" },
    { format_template: "{PREFIX}{YYYY}{SEQ:4}", reset_rule: "daily" },
  ];
  for (const change of bad) {
    const { status, body } = await configure(app, "INV", change);
    t.equal(status, 400, JSON.stringify(change));
    t.equal(body["code"], "VALIDATION_ERROR");
    t.equal(body.errors?.[0]?.field, "format_template", JSON.stringify(body));
  }
  t.equal((await call(app, { url: "/api/v1/config/INV" })).status, 404);
});

t.test("a definition goes round: ETag, If-Match, 412", async (t) => {
  const app = await domainEdge(t);
  const made = await configure(app, "INV", {
    format_template: "%s%d-%04d",
    reset_rule: "yearly",
    time_zone: "Asia/Singapore",
  });
  t.equal(made.status, 200);
  t.equal(made.headers["etag"], '"1"');
  t.match(made.body, {
    format_template: "%s%d-%04d",
    reset_rule: "yearly",
    time_zone: "Asia/Singapore",
    explicit: true,
  });
  t.equal((await call(app, { url: "/api/v1/next/INV" })).body["full_number"], "INV2026-0001");
  const changed = await configure(app, "INV", { description: "invoices" }, { "if-match": '"1"' });
  t.equal(changed.headers["etag"], '"2"');
  const late = await configure(app, "INV", { description: "bills" }, { "if-match": '"1"' });
  t.equal(late.status, 412);
  t.equal(late.body["code"], "PRECONDITION_FAILED");
  t.match((await call(app, { url: "/api/v1/sequences" })).body, {
    sequences: [{ prefix: "INV", version: 2 }],
    next: null,
  });
});

t.test("a draw from a switched-off sequence is a 409, one past its maximum is EXHAUSTED", async (t) => {
  const app = await domainEdge(t);
  await configure(app, "OFF", { is_active: false });
  t.match((await call(app, { url: "/api/v1/next/OFF" })).body, { status: 409, code: "CONFLICT" });
  await configure(app, "TINY", { maximum: 1 });
  t.equal((await call(app, { url: "/api/v1/next/TINY" })).status, 200);
  t.match((await call(app, { url: "/api/v1/next/TINY" })).body, { status: 409, code: "EXHAUSTED" });
});

t.test("an idempotency key repeats the answer and refuses another request", async (t) => {
  const app = await domainEdge(t);
  const headers = { "idempotency-key": "order-1" };
  const request = { method: "POST", url: "/api/v1/next", headers } as const;
  const first = await call(app, { ...request, payload: { prefix: "SG", document_ref: "A" } });
  const again = await call(app, { ...request, payload: { prefix: "SG", document_ref: "A" } });
  t.equal(first.status, 200);
  t.same(again.body, first.body);
  t.equal(again.headers["idempotency-replayed"], "true");
  const other = await call(app, { ...request, payload: { prefix: "SG", document_ref: "B" } });
  t.match(other.body, { status: 422, code: "IDEMPOTENCY_MISMATCH" });
});

t.test("a reset that would repeat numbers needs force", async (t) => {
  const app = await domainEdge(t);
  await call(app, { method: "POST", url: "/api/v1/batch/SG", payload: { count: 5, expand: false } });
  const reset = (payload: object) => call(app, { method: "POST", url: "/api/v1/reset/SG", headers: ADMIN, payload });
  t.match((await reset({ new_value: 2, reason: "test" })).body, { status: 409, code: "CONFLICT" });
  t.match((await reset({ new_value: 9, reason: "test" })).body, { success: true, old_value: 5, new_value: 9 });
  t.equal((await call(app, { url: "/api/v1/next/SG" })).body["full_number"], "SG000010");
  t.equal((await reset({ set_to: 0, reason: "test", force: true })).status, 200);
  t.equal((await call(app, { url: "/api/v1/next/SG" })).body["full_number"], "SG000001");
});
