import t from "tap";
import { domainBackend } from "./domain-backend.js";
import { ADMIN, call, startEdge } from "./rest-edge.js";

const URL = "/api/v1/config/INV";

t.test("If-None-Match: * makes a definition only where there is none", async (t) => {
  const { app } = await startEdge(t, { backend: await domainBackend(t) });
  const make = (payload: object, condition: Record<string, string>) =>
    call(app, { method: "POST", url: URL, payload, headers: { ...ADMIN, ...condition } });
  const made = await make({ description: "first" }, { "if-none-match": "*" });
  t.equal(made.status, 200);
  t.equal(made.headers["etag"], '"1"');
  const late = await make({ description: "second" }, { "if-none-match": "*" });
  t.equal(late.status, 412);
  t.match(late.body, { code: "PRECONDITION_FAILED", errors: [{ field: "If-None-Match" }] });
  t.match((await call(app, { url: URL })).body, { version: 1, description: "first" });
});

t.test("a sequence that came to life by a draw is a definition, too", async (t) => {
  const { app } = await startEdge(t, { backend: await domainBackend(t) });
  await call(app, { url: "/api/v1/next/INV" });
  const headers = { ...ADMIN, "if-none-match": "*" };
  t.equal((await call(app, { method: "POST", url: URL, headers, payload: { step: 5 } })).status, 412);
});

t.test("conditions that make no sense are refused by name", async (t) => {
  const { app, backend } = await startEdge(t);
  const wrong: readonly (readonly [Record<string, string>, string])[] = [
    [{ "if-none-match": '"3"' }, "If-None-Match"],
    [{ "if-none-match": "" }, "If-None-Match"],
    [{ "if-none-match": "*", "if-match": '"3"' }, "If-None-Match"],
    [{ "if-match": 'W/"3"' }, "If-Match"],
    [{ "if-match": '"2", "3"' }, "If-Match"],
    [{ "if-match": "" }, "If-Match"],
    [{ "if-match": '"3' }, "If-Match"],
    [{ "if-match": '"99999999999999999"' }, "If-Match"],
  ];
  for (const [condition, field] of wrong) {
    const headers = { ...ADMIN, ...condition };
    const { status, body } = await call(app, { method: "POST", url: URL, headers, payload: { step: 2 } });
    t.equal(status, 400, JSON.stringify(condition));
    t.equal(body.errors?.[0]?.field, field, JSON.stringify(condition));
  }
  t.same(backend.commands, []);
});

t.test("a mismatch names the header that asked for another version", async (t) => {
  const { app } = await startEdge(t, { backend: await domainBackend(t) });
  const headers = { ...ADMIN, "if-match": '"7"' };
  const { status, body } = await call(app, { method: "POST", url: URL, headers, payload: { step: 2 } });
  t.equal(status, 412);
  t.match(body, { errors: [{ field: "If-Match" }] });
});

t.test("a reader that holds the version in force is told so without a body", async (t) => {
  const { app } = await startEdge(t, { backend: await domainBackend(t) });
  await call(app, { method: "POST", url: URL, headers: ADMIN, payload: {} });
  const get = (held: string) => call(app, { url: URL, headers: { "if-none-match": held } });
  for (const held of ['"1"', 'W/"1"', '"7", "1"', "*"]) {
    const { status, text, headers } = await get(held);
    t.equal(status, 304, held);
    t.equal(text, "");
    t.equal(headers["etag"], '"1"');
  }
  for (const held of ['"2"', "1", '"10"', ""]) t.equal((await get(held)).status, 200, held);
});
