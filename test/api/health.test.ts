import t from "tap";
import { createMetrics } from "../../src/telemetry/metrics.js";
import { call, startEdge } from "./rest-edge.js";

t.test("a node that serves is live, ready and healthy", async (t) => {
  const { app } = await startEdge(t);
  t.same((await call(app, { url: "/livez" })).body, { status: "live" });
  for (const url of ["/ready", "/readyz"]) {
    const { status, body } = await call(app, { url });
    t.equal(status, 200);
    t.same(body, { ready: true, reason: "" });
  }
  const { status, body } = await call(app, { url: "/health" });
  t.equal(status, 200);
  t.match(body, { status: "ok", node_id: 2, leader_id: 3, version: "1.2.3", cluster_healthy: true });
});

t.test("a node that does not serve is live and says why it is not ready", async (t) => {
  const { app, backend } = await startEdge(t);
  backend.view = { ...backend.view, ready: false, healthy: false, leaderId: undefined, reason: "no leader is known" };
  t.equal((await call(app, { url: "/livez" })).status, 200);
  for (const url of ["/ready", "/readyz", "/health"]) {
    const { status, body } = await call(app, { url });
    t.equal(status, 503, url);
    t.match(body, { ready: false, reason: "no leader is known" }, url);
  }
  t.match((await call(app, { url: "/health" })).body, { status: "unavailable", leader_id: null });
  backend.view = { ...backend.view, ready: true, reason: "" };
  t.match((await call(app, { url: "/health" })).body, { status: "degraded" });
});

t.test("metrics are Prometheus text", async (t) => {
  const metrics = createMetrics();
  const { app } = await startEdge(t, { metrics: metrics.registry });
  const { status, text, headers } = await call(app, { url: "/metrics" });
  t.equal(status, 200);
  t.match(headers["content-type"], /^text\/plain; version=0\.0\.4/);
  t.match(text, /# TYPE sequential_ids_generated_total counter/);
  t.match(text, /# TYPE sequential_id_generation_duration_seconds histogram/);
});
