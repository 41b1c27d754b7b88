import t from "tap";
import { call, startEdge } from "./rest-edge.js";

const OPERATIONS = [
  "GET /api/v1/audit/{prefix}",
  "POST /api/v1/batch",
  "POST /api/v1/batch/{prefix}",
  "GET /api/v1/cluster",
  "GET /api/v1/cluster/backup",
  "POST /api/v1/cluster/leader",
  "POST /api/v1/cluster/members",
  "DELETE /api/v1/cluster/members/{id}",
  "POST /api/v1/cluster/members/{id}/promote",
  "GET /api/v1/config/{prefix}",
  "POST /api/v1/config/{prefix}",
  "POST /api/v1/next",
  "GET /api/v1/next/{prefix}",
  "GET /api/v1/preview/{prefix}",
  "POST /api/v1/reset",
  "POST /api/v1/reset/{prefix}",
  "GET /api/v1/sequences",
  "GET /api/v1/status/{prefix}",
  "GET /health",
  "GET /livez",
  "GET /metrics",
  "GET /ready",
  "GET /readyz",
];

interface Operation {
  readonly summary?: string;
  readonly responses?: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
}

t.test("the OpenAPI document holds every route, and nothing that is not one", async (t) => {
  const { app } = await startEdge(t);
  const { status, body } = await call(app, { url: "/openapi.json" });
  t.equal(status, 200);
  t.equal(body["openapi"], "3.1.0");
  const paths = body["paths"] as Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods)
      .filter((method) => method !== "head")
      .map((method) => `${method.toUpperCase()} ${path}`),
  );
  t.same(operations.sort(), [...OPERATIONS].sort());
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      t.ok(operation.summary, `${method} ${path} has a summary`);
      t.ok(operation.responses?.["200"], `${method} ${path} describes its answer`);
      if (path.startsWith("/api/")) {
        t.ok(
          operation.responses?.["4XX"]?.content?.["application/problem+json"],
          `${method} ${path} describes its errors`,
        );
      }
    }
  }
});

t.test("limits of the contract stand in the document", async (t) => {
  const { app } = await startEdge(t);
  const { text } = await call(app, { url: "/openapi.json" });
  t.match(text, /"maximum":1000000,/);
  t.match(text, /\^\[A-Za-z0-9_-\]\[A-Za-z0-9\._-\]\{0,49\}\$/);
  t.match(text, /Idempotency-Key|idempotency-key/);
});

t.test("Swagger UI is served with the headers of a page, and draws stay free of them", async (t) => {
  const { app } = await startEdge(t);
  for (const url of ["/swagger", "/swagger/", "/swagger/static/swagger-ui-bundle.js"]) {
    const { status, headers } = await call(app, { url });
    t.equal(status, 200, url);
    t.match(headers["content-security-policy"], /default-src 'self'/);
    t.notMatch(headers["content-security-policy"], /upgrade-insecure-requests/);
    t.equal(headers["x-content-type-options"], "nosniff");
  }
  const { headers } = await call(app, { url: "/api/v1/next/SG" });
  t.notOk("content-security-policy" in headers);
});
