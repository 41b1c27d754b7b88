import { connect } from "node:http2";
import { Metadata, status } from "@grpc/grpc-js";
import t, { type Test } from "tap";
import {
  ConfigInfo,
  GetNextBatchRequest,
  GetNextRequest,
  GetStatusRequest,
  ResetCounterRequest,
  UpdateConfigRequest,
} from "../../src/generated/sequentialid/sequential_id.js";
import { type Callback, detailsOf, type Edge, errorOf, responseOf, sendBytes, startEdge } from "./edge.js";

const admin = new Metadata();
admin.set("x-api-key", "admin-key");

const GET_NEXT = "/sequentialid.SequentialIDService/GetNext";

/** The call is refused as INVALID_ARGUMENT naming the field, and the backend never hears of it. */
async function refused(
  t: Test,
  { backend }: Edge,
  start: (callback: Callback<unknown>) => unknown,
  field: string,
): Promise<void> {
  const error = await errorOf(start);
  t.equal(error.code, status.INVALID_ARGUMENT, error.details);
  const details = detailsOf(error);
  t.equal(details.reason, "VALIDATION_ERROR");
  t.equal(details.domain, "folio");
  t.equal(details.metadata.get("field"), field);
  t.match(details.metadata.get("request_id"), /^[\x21-\x7e]+$/, "every error can be named");
  if (field !== "") t.ok(error.details.startsWith(`${field} must be `), error.details);
  t.equal(backend.commands.length, 0, "nothing was proposed");
}

t.test("a prefix must keep to its rule", async (t) => {
  const edge = await startEdge(t);
  const prefixes = ["", ".a", "a b", "a/b", "a\tb", "a\n", "ä", "A".repeat(51), "a\u0000", "../x", "__proto__\u0007"];
  for (const prefix of prefixes) {
    await refused(t, edge, (done) => edge.client.getNext(GetNextRequest.fromPartial({ prefix }), done), "prefix");
  }
  const longest = GetNextRequest.fromPartial({ prefix: "A".repeat(50) });
  await responseOf((done) => edge.client.getNext(longest, done));
  const odd = GetNextRequest.fromPartial({ prefix: "__proto__" });
  await responseOf((done) => edge.client.getNext(odd, done));
});

t.test("every text of a draw has its limit", async (t) => {
  const edge = await startEdge(t);
  const cases: readonly [keyof GetNextRequest, string, string][] = [
    ["clientId", "client_id", "x".repeat(201)],
    ["correlationId", "correlation_id", "line\nbreak"],
    ["idempotencyKey", "idempotency_key", "x".repeat(256)],
    ["idempotencyKey", "idempotency_key", "schlüssel"],
    ["generatedBy", "generated_by", "\u0007"],
    ["site", "site", "x".repeat(201)],
    ["partition", "partition", "x".repeat(201)],
    ["documentType", "document_type", "\u2028"],
    ["documentDate", "document_date", "20.11.2026"],
    ["documentDate", "document_date", "2026-02-30"],
    ["documentRef", "document_ref", "x".repeat(201)],
  ];
  for (const [name, field, value] of cases) {
    const request = { ...GetNextRequest.fromPartial({ prefix: "SG" }), [name]: value };
    await refused(t, edge, (done) => edge.client.getNext(request, done), field);
  }
});

t.test("a count lies between 1 and 1 000 000", async (t) => {
  const edge = await startEdge(t);
  for (const count of [0, -1, 1_000_001, 2 ** 31 - 1, -(2 ** 31)]) {
    const request = GetNextBatchRequest.fromPartial({ prefix: "SG", count });
    await refused(t, edge, (done) => edge.client.getNextBatch(request, done), "count");
  }
});

t.test("an int64 outside 0 to 2^53-1 is named before it could lose digits", async (t) => {
  const edge = await startEdge(t);
  for (const newValue of [-1n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)]) {
    const request = ResetCounterRequest.fromPartial({ prefix: "SG", newValue, reason: "r" });
    await refused(t, edge, (done) => edge.client.resetCounter(request, admin, done), "new_value");
  }
  const config = { prefix: "SG" };
  const cases: readonly [Partial<ConfigInfo>, string][] = [
    [{ initialValue: 2n ** 53n }, "config.initial_value"],
    [{ initialValue: -1n }, "config.initial_value"],
    [{ maxValue: 2n ** 60n }, "config.max_value"],
    [{ maxValue: 0n }, "config.max_value"],
    [{ step: 0n }, "config.step"],
    [{ version: 0n }, "config.version"],
    [{ version: -5n }, "config.version"],
    [{ padding: -1 }, "config.padding"],
    [{ fiscalYearStart: 13 }, "config.fiscal_year_start"],
    [{ resetRule: "weekly" }, "config.reset_rule"],
    [{ timeZone: "Mars/Olympus" }, "config.time_zone"],
    [{ scope: "planet" }, "config.scope"],
    [{ format: "x".repeat(201) }, "config.format"],
    [{ description: "a\u0000b" }, "config.description"],
    [{ prefix: "" }, "config.prefix"],
  ];
  for (const [setting, field] of cases) {
    const info = ConfigInfo.fromPartial({ ...config, ...setting });
    const request = UpdateConfigRequest.fromPartial({ config: info });
    await refused(t, edge, (done) => edge.client.updateConfig(request, admin, done), field);
  }
  await refused(
    t,
    edge,
    (done) => edge.client.updateConfig({ config: undefined, clientId: "", correlationId: "" }, admin, done),
    "config",
  );
});

t.test("a reset needs a reason, and its scope keeps to the rules", async (t) => {
  const edge = await startEdge(t);
  const base = ResetCounterRequest.fromPartial({ prefix: "SG", newValue: 1n, reason: "r" });
  const scope = { site: "", partition: "", documentType: "", period: "" };
  const cases: readonly [ResetCounterRequest, string][] = [
    [{ ...base, reason: "" }, "reason"],
    [{ ...base, reason: "x".repeat(501) }, "reason"],
    [{ ...base, expectedVersion: 0n }, "expected_version"],
    [{ ...base, scope: { ...scope, site: "\u0001" } }, "scope.site"],
    [{ ...base, scope: { ...scope, period: "November" } }, "scope.period"],
  ];
  for (const [request, field] of cases) {
    await refused(t, edge, (done) => edge.client.resetCounter(request, admin, done), field);
  }
});

t.test("a status query keeps to the rules", async (t) => {
  const edge = await startEdge(t);
  const request = GetStatusRequest.fromPartial({ prefix: "SG", consistency: "eventual" });
  await refused(t, edge, (done) => edge.client.getStatus(request, done), "consistency");
  await refused(t, edge, (done) => edge.client.getConfig({ prefix: "a b" }, done), "prefix");
  t.equal(edge.backend.queries.length, 0);
});

t.test("a request id must be visible ASCII", async (t) => {
  const edge = await startEdge(t);
  const metadata = new Metadata();
  metadata.set("x-request-id", "two words");
  const request = GetNextRequest.fromPartial({ prefix: "SG" });
  await refused(t, edge, (done) => edge.client.getNext(request, metadata, done), "x-request-id");
});

t.test("bytes that are no message are the caller's error, and the server goes on", async (t) => {
  const edge = await startEdge(t);
  const bad: readonly [string, readonly number[]][] = [
    ["a length beyond the end", [0x0a, 0x7f, 0x41]],
    ["a truncated tag", [0xff, 0xff, 0xff]],
    ["an endless varint", [0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ["a zero tag in the middle", [0x0a, 0x02, 0x53, 0x47, 0x00, 0x01]],
    ["text that is not UTF-8", [0x0a, 0x02, 0xc3, 0x28]],
    ["a zero tag at the end", [0x0a, 0x02, 0x53, 0x47, 0x00]],
    ["a group that ends without a start", [0x0a, 0x02, 0x53, 0x47, 0x0c]],
    ["a group that never ends", [0x0b]],
    ["an unknown wire type", [0x0f]],
  ];
  for (const [name, bytes] of bad) {
    const error = await errorOf(sendBytes(edge.raw, GET_NEXT, Uint8Array.from(bytes)));
    t.equal(error.code, status.INVALID_ARGUMENT, `${name}: ${error.details}`);
    t.equal(detailsOf(error).reason, "VALIDATION_ERROR");
    t.match(error.details, /^the bytes are no message of the expected type: /);
  }
  t.equal(edge.backend.commands.length, 0);
  await responseOf((done) => edge.client.getNext(GetNextRequest.fromPartial({ prefix: "SG" }), done));
});

t.test("random bytes never get past the decoder unchecked nor end the server", async (t) => {
  const edge = await startEdge(t);
  // A fixed linear congruential generator: the same bytes in every run.
  let seed = 12_345;
  const byte = (): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return seed >>> 24;
  };
  for (let round = 0; round < 300; round += 1) {
    const bytes = Uint8Array.from({ length: byte() % 40 }, byte);
    const error = await errorOf(sendBytes(edge.raw, GET_NEXT, bytes));
    if (error.code !== status.INVALID_ARGUMENT) t.fail(`${Buffer.from(bytes).toString("hex")}: ${error.message}`);
  }
  t.equal(edge.backend.commands.length, 0);
});

t.test("unknown fields are skipped, as protobuf wants it", async (t) => {
  const edge = await startEdge(t);
  const known = GetNextRequest.encode(GetNextRequest.fromPartial({ prefix: "SG" })).finish();
  // Field 1000, length-delimited, three bytes.
  const bytes = Buffer.concat([known, Buffer.from([0xc2, 0x3e, 0x03, 1, 2, 3])]);
  await responseOf(sendBytes(edge.raw, GET_NEXT, bytes));
  t.match(edge.backend.commands, [{ prefix: "SG" }]);
});

t.test("an RPC that does not exist is UNIMPLEMENTED", async (t) => {
  const edge = await startEdge(t);
  for (const path of ["/sequentialid.SequentialIDService/Nothing", "/no.Such/Service", "/"]) {
    const error = await errorOf(sendBytes(edge.raw, path, new Uint8Array()));
    t.equal(error.code, status.UNIMPLEMENTED, error.details);
  }
});

t.test("a request beyond 1 MiB is refused by its size", async (t) => {
  const edge = await startEdge(t);
  const error = await errorOf(sendBytes(edge.raw, GET_NEXT, new Uint8Array(1024 * 1024 + 1)));
  t.equal(error.code, status.RESOURCE_EXHAUSTED, error.details);
  t.equal(edge.backend.commands.length, 0);
});

interface RawAnswer {
  readonly httpStatus: number | undefined;
  readonly grpcStatus: string | undefined;
}

/** Speaks HTTP/2 by hand, for what no gRPC client sends. */
function rawCall(edge: Edge, headers: Record<string, string>, body: Buffer): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const session = connect(`http://${edge.address}`);
    session.once("error", reject);
    const stream = session.request({ ":method": "POST", ":path": GET_NEXT, te: "trailers", ...headers });
    let httpStatus: number | undefined;
    let grpcStatus: string | undefined;
    stream.once("error", reject);
    stream.once("response", (response) => {
      httpStatus = response[":status"];
      grpcStatus = response["grpc-status"]?.toString();
    });
    stream.once("trailers", (trailers) => {
      grpcStatus = trailers["grpc-status"]?.toString();
    });
    stream.once("close", () => {
      session.close();
      resolve({ httpStatus, grpcStatus });
    });
    stream.resume();
    stream.end(body);
  });
}

t.test("what is not gRPC gets an answer and harms nobody", async (t) => {
  const edge = await startEdge(t);
  const grpc = { "content-type": "application/grpc" };
  const message = Buffer.from([0, 0, 0, 0, 4, 0x0a, 0x02, 0x53, 0x47]);
  t.match(await rawCall(edge, { "content-type": "application/json" }, message), { httpStatus: 415 });
  const statusOf = async (headers: Record<string, string>, body: Buffer): Promise<string | undefined> =>
    (await rawCall(edge, headers, body)).grpcStatus;
  t.equal(await statusOf(grpc, Buffer.alloc(0)), String(status.UNIMPLEMENTED), "no message at all");
  t.equal(await statusOf(grpc, message.subarray(0, 7)), String(status.UNIMPLEMENTED), "half a message");
  t.equal(await statusOf(grpc, Buffer.concat([message, message])), String(status.UNIMPLEMENTED), "two messages");
  const compressed = Buffer.from([1, 0, 0, 0, 3, 1, 2, 3]);
  t.equal(await statusOf({ ...grpc, "grpc-encoding": "gzip" }, compressed), String(status.INTERNAL), "bad gzip");
  t.equal(await statusOf({ ...grpc, "grpc-encoding": "zap" }, compressed), String(status.UNIMPLEMENTED));
  t.equal(await statusOf({ ...grpc, "grpc-timeout": "soon" }, message), String(status.INTERNAL));
  t.equal(await statusOf(grpc, message), String(status.OK), "and a good call still works");
});
