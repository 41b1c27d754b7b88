import t from "tap";
import { ADMIN, call, definition, startEdge } from "./rest-edge.js";

t.test("a reset takes new_value or set_to, in the body or with the prefix in the path", async (t) => {
  const { app, backend } = await startEdge(t);
  backend.result = async () => ({
    kind: "reset",
    prefix: "SG",
    period: "2026",
    epoch: 1,
    oldValue: 5,
    newValue: 100,
    skipped: { first: 6, last: 100 },
  });
  const payload = {
    prefix: "SG",
    new_value: 100,
    reason: "year end",
    force: true,
    expected_version: 3,
    period: "2026",
  };
  const one = await call(app, { method: "POST", url: "/api/v1/reset", headers: ADMIN, payload });
  t.equal(one.status, 200);
  t.same(one.body, {
    success: true,
    message:
      "the counter of SG (2026) went from 5 to 100; the numbers from 6 to 100 are skipped and journalled as such",
    old_value: 5,
    new_value: 100,
  });
  await call(app, { method: "POST", url: "/api/v1/reset/SG", headers: ADMIN, payload: { set_to: -0, reason: "x" } });
  t.match(backend.commands, [
    { kind: "reset", prefix: "SG", newValue: 100, reason: "year end", force: true, expectedVersion: 3, period: "2026" },
    { kind: "reset", prefix: "SG", newValue: 0, force: false, period: "" },
  ]);
  t.notOk(backend.commands[1] !== undefined && "expectedVersion" in backend.commands[1]);
  t.match(backend.commands[0]?.provenance.principal, /^key:[0-9a-f]{8}$/);
});

t.test("only draws take a key: a change under one would happen twice where its caller relies on once", async (t) => {
  const { app, backend, administration } = await startEdge(t);
  const headers = { ...ADMIN, "idempotency-key": "k-1" };
  const calls = [
    { method: "POST", url: "/api/v1/reset", payload: { prefix: "SG", new_value: 0, reason: "x", force: true } },
    { method: "POST", url: "/api/v1/config/SG", payload: { padding_length: 4 } },
    { method: "DELETE", url: "/api/v1/cluster/members/4" },
  ] as const;
  for (const one of calls) {
    const { status, body } = await call(app, { ...one, headers });
    t.equal(status, 400, one.url);
    t.match(body, { code: "VALIDATION_ERROR", errors: [{ field: "idempotency-key", expected: /^absent/ }] });
  }
  t.same(backend.commands, []);
  t.same(administration.changes, []);
  const draw = { method: "POST", url: "/api/v1/next", payload: { prefix: "SG" }, headers } as const;
  t.equal((await call(app, draw)).status, 200);
});

t.test("a definition is answered by the contract's names, with its version as ETag", async (t) => {
  const { app, backend } = await startEdge(t);
  backend.answer = async () => ({ kind: "definition", definition });
  const { status, body, headers } = await call(app, { url: "/api/v1/config/SG" });
  t.equal(status, 200);
  t.equal(headers["etag"], '"7"');
  t.same(body, {
    prefix: "SG",
    format_template: "%s%06d",
    padding_length: 6,
    separator: "",
    start: 1,
    step: 1,
    maximum: Number.MAX_SAFE_INTEGER,
    reset_rule: "never",
    time_zone: "UTC",
    fiscal_year_start: 1,
    scope: "global",
    gap_policy: "keep",
    profile: "",
    is_active: true,
    description: "",
    version: 7,
    explicit: true,
    created_at: "2026-01-01T00:00:00.000Z",
    updated_at: "2026-02-01T00:00:00.000Z",
  });
});

t.test("a change carries only what was given, and the time zone's table with its name", async (t) => {
  const { app, backend } = await startEdge(t);
  backend.result = async () => ({ kind: "configured", definition, created: false });
  const payload = {
    format_template: "{PREFIX}/{SEQ:4}",
    reset_rule: "daily",
    time_zone: "europe/berlin",
    is_active: false,
  };
  const { status, headers } = await call(app, { method: "POST", url: "/api/v1/config/SG", headers: ADMIN, payload });
  t.equal(status, 200);
  t.equal(headers["etag"], '"7"');
  const [command] = backend.commands;
  if (command?.kind !== "configure") throw new Error("a configure command was proposed");
  t.same(Object.keys(command.change).sort(), ["isActive", "resetRule", "template", "timeZone", "zoneTransitions"]);
  t.equal(command.change.timeZone, "Europe/Berlin");
  t.same(command.change.zoneTransitions?.[0], { from: 0, offsetSeconds: 3600 });
  t.notOk("expectedVersion" in command);
  t.equal(command.ifAbsent, false);
});

t.test("If-Match becomes the expected version, and a mismatch is a 412", async (t) => {
  const { app, backend } = await startEdge(t);
  backend.result = async () => ({
    kind: "refused",
    code: "PRECONDITION_FAILED",
    detail: "version 8 is in force",
    field: "expectedVersion",
  });
  for (const given of ['"7"', "7"]) {
    const headers = { ...ADMIN, "if-match": given };
    const { status, body } = await call(app, {
      method: "POST",
      url: "/api/v1/config/SG",
      headers,
      payload: { step: 2 },
    });
    t.equal(status, 412);
    t.match(body, { code: "PRECONDITION_FAILED", detail: "version 8 is in force" });
  }
  t.match(backend.commands, [{ expectedVersion: 7 }, { expectedVersion: 7 }]);
});

t.test("what the domain refuses is named by the names of this edge", async (t) => {
  const { app, backend } = await startEdge(t);
  const names = {
    template: "format_template",
    padding: "padding_length",
    timeZone: "time_zone",
    newValue: "new_value",
  };
  for (const [field, name] of Object.entries(names)) {
    backend.result = async () => ({ kind: "refused", code: "VALIDATION_ERROR", detail: "no", field });
    const { status, body } = await call(app, { method: "POST", url: "/api/v1/config/SG", headers: ADMIN, payload: {} });
    t.equal(status, 400);
    t.equal(body.errors?.[0]?.field, name);
  }
});
