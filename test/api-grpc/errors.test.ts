import { Metadata, status } from "@grpc/grpc-js";
import t, { type Test } from "tap";
import { ApiKeys } from "../../src/access/api-keys.js";
import { FixedWindowLimiter } from "../../src/access/rate-limit.js";
import { InvariantViolation } from "../../src/assert.js";
import { OperatingFailure } from "../../src/failure.js";
import {
  GetNextRequest,
  GetStatusRequest,
  ResetCounterRequest,
} from "../../src/generated/sequentialid/sequential_id.js";
import type { RefusalCode } from "../../src/sequence/result.js";
import { type Callback, detailsOf, type Edge, errorOf, responseOf, startEdge } from "./edge.js";
import { drawn } from "./scripted-backend.js";

const draw = GetNextRequest.fromPartial({ prefix: "SG" });
const next =
  ({ client }: Edge, metadata = new Metadata()) =>
  (done: Callback<unknown>): unknown =>
    client.getNext(draw, metadata, done);

function keyed(key: string): Metadata {
  const metadata = new Metadata();
  metadata.set("x-api-key", key);
  return metadata;
}

t.test("what the domain refuses has its status, code, sentence and field", async (t) => {
  const edge = await startEdge(t);
  const cases: readonly [RefusalCode, status][] = [
    ["VALIDATION_ERROR", status.INVALID_ARGUMENT],
    ["NOT_FOUND", status.NOT_FOUND],
    ["CONFLICT", status.FAILED_PRECONDITION],
    ["EXHAUSTED", status.FAILED_PRECONDITION],
    ["PRECONDITION_FAILED", status.ABORTED],
    ["IDEMPOTENCY_MISMATCH", status.FAILED_PRECONDITION],
    ["NOT_EXECUTED", status.UNAVAILABLE],
  ];
  for (const [code, expected] of cases) {
    edge.backend.result = async () => ({ kind: "refused", code, detail: "it is so — ✓", field: "documentRef" });
    const error = await errorOf(next(edge));
    t.equal(error.code, expected, code);
    t.equal(error.details, "it is so — ✓");
    const details = detailsOf(error);
    t.equal(details.reason, code);
    t.equal(details.domain, "folio");
    t.equal(details.metadata.get("field"), "document_ref");
    t.match(details.metadata.get("request_id"), /^[0-9a-f]{12}-/);
    t.equal(details.retryAfterMs, code === "NOT_EXECUTED" ? 1000 : undefined);
  }
});

t.test("a refusal's field has the name that the RPC's message gives it", async (t) => {
  const edge = await startEdge(t);
  const cases: readonly [string, string, string][] = [
    ["template", "config.format", "newValue"],
    ["maximum", "config.max_value", "expectedVersion"],
    ["expectedVersion", "config.version", "period"],
  ];
  const resetNames = ["new_value", "expected_version", "scope.period"];
  for (const [index, [configField, expected, resetField]] of cases.entries()) {
    edge.backend.result = async ({ kind }) => {
      const field = kind === "reset" ? resetField : configField;
      return { kind: "refused", code: "PRECONDITION_FAILED", detail: "no", field };
    };
    const request = { config: { prefix: "SG" }, clientId: "", correlationId: "" };
    const update = await errorOf((done) => edge.client.updateConfig(request, keyed("admin-key"), done));
    t.equal(update.code, status.ABORTED);
    t.equal(detailsOf(update).metadata.get("field"), expected);
    const message = ResetCounterRequest.fromPartial({ prefix: "SG", reason: "r" });
    const reset = await errorOf((done) => edge.client.resetCounter(message, keyed("admin-key"), done));
    t.equal(detailsOf(reset).metadata.get("field"), resetNames[index]);
  }
});

t.test("what could not be executed, and what nobody knows of, are told apart", async (t) => {
  const edge = await startEdge(t);
  edge.backend.result = () => Promise.reject(new OperatingFailure("NOT_EXECUTED", "there is no leader", 2500));
  const refused = await errorOf(next(edge));
  t.equal(refused.code, status.UNAVAILABLE);
  t.equal(detailsOf(refused).reason, "NOT_EXECUTED");
  t.equal(detailsOf(refused).retryAfterMs, 3000);
  edge.backend.result = () => Promise.reject(new OperatingFailure("OUTCOME_UNKNOWN", "the deadline passed"));
  const unknown = await errorOf(next(edge));
  t.equal(unknown.code, status.DEADLINE_EXCEEDED);
  t.equal(detailsOf(unknown).reason, "OUTCOME_UNKNOWN");
  t.same(edge.log, [], "neither is an error of this node's");
});

t.test("an error that nobody planned is logged in full and answered without details", async (t) => {
  const edge = await startEdge(t);
  edge.backend.result = () => Promise.reject(new Error("secret path /var/lib"));
  const error = await errorOf(next(edge));
  t.equal(error.code, status.INTERNAL);
  t.equal(detailsOf(error).reason, "INTERNAL_ERROR");
  t.notMatch(error.details, /secret/);
  t.match(edge.log, [{ rpc: "GetNext", code: "INTERNAL_ERROR", err: { message: "secret path /var/lib" } }]);
  t.equal(edge.log[0]?.["request_id"], detailsOf(error).metadata.get("request_id"));
  edge.backend.result = () => {
    throw new Error("thrown, not rejected");
  };
  t.equal((await errorOf(next(edge))).code, status.INTERNAL);
});

t.test("a broken invariant ends the process", async (t) => {
  const edge = await startEdge(t);
  edge.backend.result = () => Promise.reject(new InvariantViolation("two leaders in one term"));
  t.equal((await errorOf(next(edge))).code, status.INTERNAL);
  t.match(edge.violations, [{ message: "two leaders in one term" }]);
});

t.test("a sentence that quotes half a surrogate pair is still answered", async (t) => {
  const edge = await startEdge(t);
  edge.backend.result = async () => ({ kind: "refused", code: "CONFLICT", detail: "bad \ud800 text", field: "" });
  const error = await errorOf(next(edge));
  t.equal(error.details, "bad \ufffd text");
  edge.backend.result = async () => ({ kind: "refused", code: "CONFLICT", detail: "x".repeat(100_000), field: "" });
  t.equal((await errorOf(next(edge))).details.length, 1000);
});

t.test("a prefix that was never used has no status", async (t) => {
  const { client } = await startEdge(t);
  const error = await errorOf((done) => client.getStatus(GetStatusRequest.fromPartial({ prefix: "NEW" }), done));
  t.equal(error.code, status.NOT_FOUND);
  t.equal(detailsOf(error).reason, "NOT_FOUND");
  t.match(error.details, /NEW/);
});

t.test("with client keys, calls need one, but health does not", async (t) => {
  const access = new ApiKeys({ clients: ["client-key"], admins: ["admin-key"] });
  const edge = await startEdge(t, { access });
  const missing = await errorOf(next(edge));
  t.equal(missing.code, status.UNAUTHENTICATED);
  t.equal(detailsOf(missing).reason, "UNAUTHENTICATED");
  t.equal((await errorOf(next(edge, keyed("wrong")))).code, status.UNAUTHENTICATED);
  t.equal(edge.backend.commands.length, 0);
  await responseOf((done) => edge.client.getNext(draw, keyed("client-key"), done));
  await responseOf((done) => edge.client.getNext(draw, keyed("admin-key"), done));
  const principals = edge.backend.commands.map((command) => command.provenance.principal);
  t.match(principals, [/^key:/, /^key:/]);
  t.not(principals[0], principals[1]);
  await responseOf((done) => edge.client.health({}, done));
});

t.test("administrators' calls need an administrator's key", async (t) => {
  const access = new ApiKeys({ clients: ["client-key"], admins: ["admin-key"] });
  const edge = await startEdge(t, { access });
  const update = { config: { prefix: "SG" }, clientId: "", correlationId: "" };
  const reset = ResetCounterRequest.fromPartial({ prefix: "SG", reason: "r" });
  for (const [key, code] of [
    ["client-key", status.PERMISSION_DENIED],
    ["wrong", status.UNAUTHENTICATED],
  ] as const) {
    t.equal((await errorOf((done) => edge.client.updateConfig(update, keyed(key), done))).code, code);
    t.equal((await errorOf((done) => edge.client.resetCounter(reset, keyed(key), done))).code, code);
  }
  t.equal(edge.backend.commands.length, 0);
});

t.test("without administrators' keys their calls are refused to all", async (t) => {
  const edge = await startEdge(t, { access: new ApiKeys({ clients: [], admins: [] }) });
  const reset = ResetCounterRequest.fromPartial({ prefix: "SG", reason: "r" });
  const error = await errorOf((done) => edge.client.resetCounter(reset, keyed("anything"), done));
  t.equal(error.code, status.PERMISSION_DENIED);
  t.equal(detailsOf(error).reason, "FORBIDDEN");
});

t.test("a budget that is used up is answered with when to come back; health spends none", async (t) => {
  const limiter = new FixedWindowLimiter({ limit: 2, windowMs: 60_000, now: () => 5000 });
  const edge = await startEdge(t, { limiter });
  for (let count = 0; count < 5; count += 1) await responseOf((done) => edge.client.health({}, done));
  await responseOf((done) => edge.client.getNext(draw, done));
  await responseOf((done) => edge.client.getNext(draw, done));
  const error = await errorOf(next(edge));
  t.equal(error.code, status.RESOURCE_EXHAUSTED);
  t.equal(detailsOf(error).reason, "RATE_LIMIT_EXCEEDED");
  t.equal(detailsOf(error).retryAfterMs, 55_000);
  t.equal(edge.backend.commands.length, 2);
});

async function deadlineOf(t: Test, remainingMs: number): Promise<number | undefined> {
  const { client, backend } = await startEdge(t);
  await responseOf((done) => client.getNext(draw, new Metadata(), { deadline: Date.now() + remainingMs }, done));
  return backend.proposeOptions[0]?.deadlineMs;
}

t.test("the client's deadline shortens the proposal's, with time for the way back", async (t) => {
  const { client, backend } = await startEdge(t);
  await responseOf((done) => client.getNext(draw, done));
  t.same(backend.proposeOptions, [undefined], "no deadline, no opinion");
  const long = await deadlineOf(t, 60_000);
  t.ok(long !== undefined && long > 50_000 && long <= 59_900, String(long));
});

t.test("a client that went away leaves no error in the log", async (t) => {
  const edge = await startEdge(t);
  const { promise, resolve } = gate();
  const asked = gate();
  edge.backend.result = async () => {
    asked.resolve();
    await promise;
    throw new Error("too late to matter");
  };
  let cancel = (): void => {};
  const failed = errorOf((done) => {
    const call = edge.client.getNext(draw, done);
    cancel = () => call.cancel();
  });
  await asked.promise;
  cancel();
  t.match(await failed, { code: status.CANCELLED });
  // The server knows of the cancellation once a later call on the same connection is answered.
  edge.backend.view = { ...edge.backend.view };
  await responseOf((done) => edge.client.health({}, done));
  resolve();
  await responseOf((done) => edge.client.health({}, done));
  t.same(edge.log, []);
});

function gate(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

t.test("many calls at once are all answered", async (t) => {
  const { client, backend } = await startEdge(t);
  let counter = 0;
  backend.result = async () => {
    counter += 1;
    return { ...drawn, ranges: [{ first: counter, last: counter }] };
  };
  const responses = await Promise.all(
    Array.from({ length: 200 }, () => responseOf<{ counter: bigint }>((done) => client.getNext(draw, done))),
  );
  t.equal(new Set(responses.map((response) => response.counter)).size, 200);
});
