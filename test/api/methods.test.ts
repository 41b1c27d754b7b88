import t from "tap";
import { ADMIN, call, startEdge } from "./rest-edge.js";

t.test("HEAD on a route that draws is a 405 and never a draw", async (t) => {
  const { app, backend } = await startEdge(t);
  for (const url of ["/api/v1/next/SG", "/api/v1/next", "/api/v1/batch/SG"]) {
    const { status, headers } = await call(app, { method: "HEAD", url });
    t.equal(status, 405, url);
    t.match(headers["allow"], url.endsWith("next/SG") ? "GET" : "POST");
  }
  t.same(backend.commands, []);
});

t.test("HEAD on a route that reads is its GET without a body", async (t) => {
  const { app, backend } = await startEdge(t);
  t.equal((await call(app, { method: "HEAD", url: "/livez" })).status, 200);
  t.equal((await call(app, { method: "HEAD", url: "/api/v1/status/SG" })).status, 404);
  t.equal(backend.queries.length, 1);
});

t.test("a method that a route does not have is a 405 with Allow, whatever the body", async (t) => {
  const { app, backend } = await startEdge(t);
  const wrong = [
    ["PUT", "/api/v1/next", "POST"],
    ["DELETE", "/api/v1/next/SG", "GET"],
    ["GET", "/api/v1/batch", "POST"],
    ["OPTIONS", "/api/v1/next", "POST"],
    ["PATCH", "/api/v1/config/SG", "GET, HEAD, POST"],
    ["POST", "/health", "GET, HEAD"],
  ] as const;
  for (const [method, url, allow] of wrong) {
    const headers = { ...ADMIN, "content-type": "application/json" };
    const answer = await call(app, { method, url, headers, payload: "{malformed" });
    t.equal(answer.status, 405, `${method} ${url}`);
    t.equal(answer.headers["allow"], allow);
    t.match(answer.body, { code: "METHOD_NOT_ALLOWED" });
  }
  t.same(backend.commands, []);
});
