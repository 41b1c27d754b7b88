import { connect } from "node:net";
import t from "tap";
import { PROBLEM_CODES, Problem, problemOf } from "../../src/api/problem.js";
import { InvariantViolation } from "../../src/assert.js";
import { OperatingFailure } from "../../src/failure.js";
import type { RefusalCode } from "../../src/sequence/result.js";
import { call, startEdge } from "./rest-edge.js";

const NEXT = { method: "POST", url: "/api/v1/next", payload: { prefix: "SG" } } as const;

t.test("every refusal of the domain has its status", async (t) => {
  const { app, backend } = await startEdge(t);
  const statuses: Readonly<Record<RefusalCode, number>> = {
    VALIDATION_ERROR: 400,
    NOT_FOUND: 404,
    CONFLICT: 409,
    EXHAUSTED: 409,
    PRECONDITION_FAILED: 412,
    IDEMPOTENCY_MISMATCH: 422,
    NOT_EXECUTED: 503,
  };
  for (const [code, expected] of Object.entries(statuses)) {
    backend.result = async () => ({ kind: "refused", code: code as RefusalCode, detail: `because ${code}`, field: "" });
    const { status, body, headers } = await call(app, NEXT);
    t.equal(status, expected, code);
    t.match(headers["content-type"], /problem\+json/);
    t.match(body, { code, status: expected, detail: `because ${code}`, title: String });
    t.equal(headers["retry-after"], code === "NOT_EXECUTED" ? "1" : undefined);
  }
});

t.test("NOT_EXECUTED is a 503 with Retry-After, OUTCOME_UNKNOWN a 504 without", async (t) => {
  const { app, backend } = await startEdge(t);
  backend.result = () => Promise.reject(new OperatingFailure("NOT_EXECUTED", "no leader is known", 2500));
  const refused = await call(app, NEXT);
  t.equal(refused.status, 503);
  t.equal(refused.headers["retry-after"], "3");
  t.match(refused.body, { code: "NOT_EXECUTED", detail: "no leader is known" });
  backend.result = () => Promise.reject(new OperatingFailure("OUTCOME_UNKNOWN", "no answer within 10 s"));
  const unknown = await call(app, NEXT);
  t.equal(unknown.status, 504);
  t.notOk("retry-after" in unknown.headers);
  t.match(unknown.body, { code: "OUTCOME_UNKNOWN" });
});

t.test("what nobody planned is a 500 that tells the caller nothing and the log everything", async (t) => {
  const { app, backend, log, violations } = await startEdge(t);
  backend.result = () => Promise.reject(new Error("secret detail"));
  const { status, body, text, headers } = await call(app, NEXT);
  t.equal(status, 500);
  t.equal(body["code"], "INTERNAL_ERROR");
  t.notMatch(text, /secret/);
  const line = log.find((entry) => entry["msg"] === "request failed");
  t.equal(line?.["request_id"], headers["x-request-id"]);
  t.match(JSON.stringify(line), /secret detail/);
  t.same(violations, []);
});

t.test("a broken invariant ends the process", async (t) => {
  const { app, backend, violations } = await startEdge(t);
  backend.result = () => Promise.reject(new InvariantViolation("impossible"));
  t.equal((await call(app, NEXT)).status, 500);
  t.equal(violations.length, 1);
});

t.test("an answer of another kind than asked for is a broken invariant", async (t) => {
  const { app, backend, violations } = await startEdge(t);
  backend.result = async () => ({ kind: "seeded" });
  t.equal((await call(app, NEXT)).status, 500);
  t.equal(violations.length, 1);
});

t.test("an unknown route is a 404 problem", async (t) => {
  const { app } = await startEdge(t);
  for (const url of ["/", "/api/v1/nothing", "/api/v1/next/a/b", `/${"x".repeat(5000)}`]) {
    const { status, body, headers } = await call(app, { url });
    t.equal(status, 404);
    t.match(headers["content-type"], /problem\+json/);
    t.equal(body["code"], "NOT_FOUND");
    t.ok(String(body["detail"]).length < 300);
  }
});

t.test("what is not HTTP is answered by a problem, too, and the connection closed", async (t) => {
  const { app } = await startEdge(t);
  await app.listen({ host: "127.0.0.1", port: 0 });
  const socket = connect({ host: "127.0.0.1", port: portOf(app) });
  socket.write("this is not HTTP\r\n\r\n");
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  t.match(text, /^HTTP\/1\.1 400 Bad Request\r\n/);
  t.match(text, /application\/problem\+json/);
  t.match(text, /"code":"VALIDATION_ERROR"/);
});

t.test("a call in flight is answered before a closing app ends", async (t) => {
  const { app, backend } = await startEdge(t);
  let arrived = (): void => {};
  const proposed = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  let release = (): void => {};
  const draw = backend.result;
  backend.result = (command) =>
    new Promise((resolve) => {
      release = () => resolve(draw(command));
      arrived();
    });
  await app.listen({ host: "127.0.0.1", port: 0 });
  const answer = fetch(`http://127.0.0.1:${portOf(app)}/api/v1/next/SG`);
  await proposed;
  const closed = app.close();
  release();
  t.equal((await answer).status, 200);
  await closed;
});

t.test("codes and statuses of both protocols are those of the contract", async (t) => {
  const statuses = Object.fromEntries(
    PROBLEM_CODES.map((code) => [code, [new Problem(code, "").status, new Problem(code, "").grpcStatus]]),
  );
  t.match(statuses, {
    VALIDATION_ERROR: [400, "INVALID_ARGUMENT"],
    UNAUTHENTICATED: [401, "UNAUTHENTICATED"],
    FORBIDDEN: [403, "PERMISSION_DENIED"],
    NOT_FOUND: [404, "NOT_FOUND"],
    CONFLICT: [409, "FAILED_PRECONDITION"],
    EXHAUSTED: [409, "FAILED_PRECONDITION"],
    PRECONDITION_FAILED: [412, "ABORTED"],
    PAYLOAD_TOO_LARGE: [413, "RESOURCE_EXHAUSTED"],
    IDEMPOTENCY_MISMATCH: [422, "FAILED_PRECONDITION"],
    RATE_LIMIT_EXCEEDED: [429, "RESOURCE_EXHAUSTED"],
    INTERNAL_ERROR: [500, "INTERNAL"],
    NOT_EXECUTED: [503, "UNAVAILABLE"],
    OUTCOME_UNKNOWN: [504, "DEADLINE_EXCEEDED"],
  });
  t.equal(problemOf(new OperatingFailure("INTERNAL_ERROR", "secret")).code, "INTERNAL_ERROR");
  t.notMatch(problemOf(new OperatingFailure("INTERNAL_ERROR", "secret")).message, /secret/);
});

function portOf(app: { readonly server: { address(): string | { readonly port: number } | null } }): number {
  const address = app.server.address();
  if (address === null || typeof address === "string") throw new Error("the app listens on a port");
  return address.port;
}
