import type { InjectOptions } from "fastify";
import t from "tap";
import { ApiKeys } from "../../src/access/api-keys.js";
import { FixedWindowLimiter } from "../../src/access/rate-limit.js";
import { call, definition, startEdge } from "./rest-edge.js";

const CLIENT_CALLS: readonly InjectOptions[] = [
  { method: "POST", url: "/api/v1/next", payload: { prefix: "SG" } },
  { url: "/api/v1/next/SG" },
  { method: "POST", url: "/api/v1/batch", payload: { prefix: "SG", count: 1 } },
  { method: "POST", url: "/api/v1/batch/SG", payload: { count: 1 } },
  { url: "/api/v1/status/SG" },
  { url: "/api/v1/config/SG" },
  { url: "/api/v1/preview/SG" },
  { url: "/api/v1/audit/SG" },
  { url: "/api/v1/sequences" },
  { url: "/api/v1/cluster" },
];
const ADMIN_CALLS: readonly InjectOptions[] = [
  { method: "POST", url: "/api/v1/config/SG", payload: { step: 1 } },
  { method: "POST", url: "/api/v1/reset/SG", payload: { new_value: 1, reason: "x" } },
  { method: "POST", url: "/api/v1/reset", payload: { prefix: "SG", new_value: 1, reason: "x" } },
  { method: "POST", url: "/api/v1/cluster/members", payload: { id: 4, address: "a:1" } },
  { method: "POST", url: "/api/v1/cluster/members/4/promote" },
  { method: "DELETE", url: "/api/v1/cluster/members/4" },
  { method: "POST", url: "/api/v1/cluster/leader", payload: {} },
  { url: "/api/v1/cluster/backup" },
];
const OPEN_CALLS = ["/health", "/livez", "/ready", "/readyz", "/metrics", "/openapi.json", "/swagger"];

const REFUSED = [401, 403];

interface Case {
  readonly keys: { readonly clients: readonly string[]; readonly admins: readonly string[] };
  readonly key: string | undefined;
  /** The refusal, or undefined where the call is let through. */
  readonly client: number | undefined;
  readonly admin: number | undefined;
}

const CASES: readonly Case[] = [
  { keys: { clients: [], admins: [] }, key: undefined, client: undefined, admin: 403 },
  { keys: { clients: [], admins: [] }, key: "any", client: undefined, admin: 403 },
  { keys: { clients: [], admins: ["a"] }, key: undefined, client: undefined, admin: 401 },
  { keys: { clients: [], admins: ["a"] }, key: "wrong", client: undefined, admin: 401 },
  { keys: { clients: [], admins: ["a"] }, key: "a", client: undefined, admin: undefined },
  { keys: { clients: ["c"], admins: [] }, key: undefined, client: 401, admin: 403 },
  { keys: { clients: ["c"], admins: [] }, key: "c", client: undefined, admin: 403 },
  { keys: { clients: ["c"], admins: ["a"] }, key: undefined, client: 401, admin: 401 },
  { keys: { clients: ["c"], admins: ["a"] }, key: "wrong", client: 401, admin: 401 },
  { keys: { clients: ["c"], admins: ["a"] }, key: "c", client: undefined, admin: 403 },
  { keys: { clients: ["c"], admins: ["a"] }, key: "a", client: undefined, admin: undefined },
];

t.test("who may call what, for every call", async (t) => {
  for (const { keys, key, client, admin } of CASES) {
    const { app, backend } = await startEdge(t, { access: new ApiKeys(keys) });
    backend.result = async (command) =>
      command.kind === "configure"
        ? { kind: "configured", definition, created: false }
        : { kind: "refused", code: "CONFLICT", detail: "", field: "" };
    const headers = key === undefined ? {} : { "x-api-key": key };
    const calls = [
      ...CLIENT_CALLS.map((request) => [request, client] as const),
      ...ADMIN_CALLS.map((request) => [request, admin] as const),
    ];
    for (const [request, refusal] of calls) {
      const name = `${request.method ?? "GET"} ${String(request.url)} with ${key ?? "no key"} at ${JSON.stringify(keys)}`;
      const { status, body, headers: answered } = await call(app, { ...request, headers });
      if (refusal === undefined) {
        t.notOk(REFUSED.includes(status), name);
        continue;
      }
      t.equal(status, refusal, name);
      t.equal(body["code"], refusal === 401 ? "UNAUTHENTICATED" : "FORBIDDEN", name);
      t.equal("www-authenticate" in answered, refusal === 401);
    }
    if (client !== undefined && admin !== undefined) t.same([backend.commands, backend.queries], [[], []]);
    for (const url of OPEN_CALLS) t.equal((await call(app, { url, headers })).status, 200, url);
  }
});

t.test("a refused call is refused before its body is read", async (t) => {
  const { app } = await startEdge(t, { access: new ApiKeys({ clients: ["c"], admins: [] }) });
  const headers = { "content-type": "application/json" };
  t.equal((await call(app, { method: "POST", url: "/api/v1/next", headers, payload: "{malformed" })).status, 401);
});

t.test("the journal knows a caller by the name of the key, never by the key", async (t) => {
  const { app, backend } = await startEdge(t, { access: new ApiKeys({ clients: ["secret-key"], admins: [] }) });
  await call(app, { url: "/api/v1/next/SG", headers: { "x-api-key": "secret-key" } });
  t.match(backend.commands[0]?.provenance.principal, /^key:[0-9a-f]{8}$/);
});

function limiterOf(limit: number) {
  let time = 0;
  const limiter = new FixedWindowLimiter({ limit, windowMs: 1000, now: () => time });
  return { limiter, advance: (ms: number) => (time += ms) };
}

t.test("calls beyond the limit are 429 with the standard headers, and the next window is fresh", async (t) => {
  const { limiter, advance } = limiterOf(2);
  const { app, backend } = await startEdge(t, { limiter });
  const first = await call(app, { url: "/api/v1/next/SG" });
  t.match(first.headers, { "ratelimit-limit": "2", "ratelimit-remaining": "1", "ratelimit-reset": "1" });
  await call(app, { url: "/api/v1/status/SG" });
  const third = await call(app, { url: "/api/v1/next/SG" });
  t.equal(third.status, 429);
  t.match(third.headers["content-type"], /problem\+json/);
  t.match(third.body, { code: "RATE_LIMIT_EXCEEDED" });
  t.match(third.headers, { "retry-after": "1", "ratelimit-remaining": "0" });
  t.equal(backend.commands.length, 1);
  for (const url of OPEN_CALLS) {
    const { status, headers } = await call(app, { url });
    t.equal(status, 200, url);
    t.notOk("ratelimit-limit" in headers, url);
  }
  advance(1000);
  t.equal((await call(app, { url: "/api/v1/next/SG" })).status, 200);
});

t.test("every key has a budget of its own, and so has every address without a key", async (t) => {
  const { limiter } = limiterOf(1);
  const { app } = await startEdge(t, { limiter, access: new ApiKeys({ clients: ["one", "two"], admins: [] }) });
  const status = async (key: string | undefined, remoteAddress = "192.0.2.1") =>
    (await call(app, { url: "/api/v1/next/SG", remoteAddress, headers: key === undefined ? {} : { "x-api-key": key } }))
      .status;
  t.equal(await status("one"), 200);
  t.equal(await status("one", "192.0.2.2"), 429);
  t.equal(await status("two"), 200);
  t.equal(await status("wrong"), 401);
  t.equal(await status("wronger"), 429, "guessing keys spends the address's budget");
  t.equal(await status(undefined, "192.0.2.3"), 401);
});

t.test("the limiter is shared with whoever else spends from it", async (t) => {
  const { limiter } = limiterOf(2);
  const { app } = await startEdge(t, { limiter });
  limiter.spend("address:127.0.0.1");
  limiter.spend("address:127.0.0.1");
  t.equal((await call(app, { url: "/api/v1/next/SG" })).status, 429);
});
