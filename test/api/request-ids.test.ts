import t from "tap";
import { call, startEdge } from "./rest-edge.js";

t.test("a valid X-Request-ID is echoed and journalled", async (t) => {
  const { app, backend } = await startEdge(t);
  for (const id of ["a", "0b5ff0a1-6c3f-4f7e-9b0e-2f1c7d2f9f10", "x".repeat(128), "a/b:c~!"]) {
    const { headers } = await call(app, { url: "/api/v1/next/SG", headers: { "x-request-id": id } });
    t.equal(headers["x-request-id"], id);
    t.equal(backend.commands.at(-1)?.provenance.requestId, id);
  }
});

t.test("without one, every request gets its own, which is journalled, too", async (t) => {
  const { app, backend } = await startEdge(t);
  const ids = new Set<unknown>();
  for (let count = 0; count < 50; count++) {
    const { headers } = await call(app, { url: "/api/v1/next/SG" });
    ids.add(headers["x-request-id"]);
    t.equal(backend.commands.at(-1)?.provenance.requestId, headers["x-request-id"]);
  }
  t.equal(ids.size, 50);
});

t.test("a bad X-Request-ID is refused before anything happens", async (t) => {
  const { app, backend } = await startEdge(t);
  for (const id of ["", "a b", "x".repeat(129), "a\tb", "é"]) {
    const { status, body, headers } = await call(app, { url: "/api/v1/next/SG", headers: { "x-request-id": id } });
    t.equal(status, 400);
    t.equal(body.errors?.[0]?.field, "X-Request-ID");
    t.match(headers["x-request-id"], /^[0-9a-f]{12}-[0-9a-z]+$/);
    t.equal(body["request_id"], headers["x-request-id"]);
  }
  t.same(backend.commands, []);
});

t.test("answers of errors and of unknown routes carry an id", async (t) => {
  const { app } = await startEdge(t);
  const { headers } = await call(app, { url: "/nothing", headers: { "x-request-id": "mine" } });
  t.equal(headers["x-request-id"], "mine");
});
