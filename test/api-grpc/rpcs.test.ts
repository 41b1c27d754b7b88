import { Metadata } from "@grpc/grpc-js";
import t from "tap";
import type * as wire from "../../src/generated/sequentialid/sequential_id.js";
import {
  ConfigInfo,
  GetNextBatchRequest,
  GetNextRequest,
  GetStatusRequest,
  HealthResponse_Status,
  ResetCounterRequest,
} from "../../src/generated/sequentialid/sequential_id.js";
import type { Command } from "../../src/sequence/command.js";
import { responseOf, startEdge } from "./edge.js";
import { definition, drawn, resetDone, statusAnswer } from "./scripted-backend.js";

function adminMetadata(): Metadata {
  const metadata = new Metadata();
  metadata.set("x-api-key", "admin-key");
  return metadata;
}

t.test("GetNext draws one number and says all about it", async (t) => {
  const { client, backend } = await startEdge(t);
  backend.result = async () => ({ ...drawn, ranges: [{ first: 42, last: 42 }], period: "2026", replayed: true });
  const request = GetNextRequest.fromPartial({
    prefix: "SG",
    clientId: "erp",
    correlationId: "c-1",
    idempotencyKey: "k-1",
    generatedBy: "anna",
    site: "B1",
    partition: "p",
    documentType: "invoice",
    documentDate: "2026-11-20",
    documentRef: "order-1",
  });
  const response = await responseOf<wire.GetNextResponse>((done) => client.getNext(request, done));
  t.same(response, {
    fullNumber: "SG000042",
    prefix: "SG",
    counter: 42n,
    generatedAt: "2026-11-20T08:30:00.000Z",
    messageId: "17-0",
    period: "2026",
    replayed: true,
  });
  t.match(backend.commands[0], {
    kind: "draw",
    prefix: "SG",
    count: 1,
    batch: false,
    contiguous: false,
    scope: { site: "B1", partition: "p", documentType: "invoice" },
    documentDate: "2026-11-20",
    documentRef: "order-1",
    idempotencyKey: "k-1",
    provenance: { principal: "anonymous", clientId: "erp", generatedBy: "anna", correlationId: "c-1" },
  });
});

t.test("GetNextBatch draws one range unless told otherwise", async (t) => {
  const { client, backend } = await startEdge(t);
  backend.result = async (command) => ({
    ...drawn,
    count: (command as Command & { kind: "draw" }).count,
    ranges: [{ first: 5, last: 7 }],
  });
  const request = GetNextBatchRequest.fromPartial({ prefix: "SG", count: 3 });
  const response = await responseOf<wire.GetNextBatchResponse>((done) => client.getNextBatch(request, done));
  t.match(response, {
    fullNumbers: ["SG000005", "SG000006", "SG000007"],
    startCounter: 5n,
    endCounter: 7n,
    count: 3,
    batchId: "17-0",
    ranges: [{ firstCounter: 5n, lastCounter: 7n, firstFullNumber: "SG000005", lastFullNumber: "SG000007" }],
  });
  t.match(backend.commands[0], { kind: "draw", batch: true, contiguous: true, count: 3 });
  await responseOf<wire.GetNextBatchResponse>((done) => client.getNextBatch({ ...request, contiguous: false }, done));
  t.match(backend.commands[1], { contiguous: false });
});

t.test("a batch of several ranges starts at the first and ends at the last", async (t) => {
  const { client, backend } = await startEdge(t);
  backend.result = async () => ({
    ...drawn,
    count: 3,
    ranges: [
      { first: 2, last: 2 },
      { first: 9, last: 10 },
    ],
  });
  const request = GetNextBatchRequest.fromPartial({ prefix: "SG", count: 3, contiguous: false });
  const response = await responseOf<wire.GetNextBatchResponse>((done) => client.getNextBatch(request, done));
  t.equal(response.startCounter, 2n);
  t.equal(response.endCounter, 10n);
  t.same(response.fullNumbers, ["SG000002", "SG000009", "SG000010"]);
  t.equal(response.ranges.length, 2);
});

t.test("above 10 000 numbers the answer holds ranges only", async (t) => {
  const { client, backend } = await startEdge(t);
  backend.result = async () => ({ ...drawn, count: 1_000_000, ranges: [{ first: 1, last: 1_000_000 }] });
  const request = GetNextBatchRequest.fromPartial({ prefix: "SG", count: 1_000_000 });
  const response = await responseOf<wire.GetNextBatchResponse>((done) => client.getNextBatch(request, done));
  t.same(response.fullNumbers, []);
  t.equal(response.count, 1_000_000);
  t.equal(response.ranges[0]?.lastFullNumber, "SG1000000");
});

t.test("10 000 numbers come in full", async (t) => {
  const { client, backend } = await startEdge(t);
  backend.result = async () => ({ ...drawn, count: 10_000, ranges: [{ first: 1, last: 10_000 }] });
  const request = GetNextBatchRequest.fromPartial({ prefix: "SG", count: 10_000 });
  const response = await responseOf<wire.GetNextBatchResponse>((done) => client.getNextBatch(request, done));
  t.equal(response.fullNumbers.length, 10_000);
  t.equal(response.fullNumbers[9_999], "SG010000");
});

t.test("counters up to 2^53-1 arrive exactly", async (t) => {
  const { client, backend } = await startEdge(t);
  const last = Number.MAX_SAFE_INTEGER;
  backend.result = async () => ({ ...drawn, ranges: [{ first: last, last }] });
  const response = await responseOf<wire.GetNextResponse>((done) =>
    client.getNext(GetNextRequest.fromPartial({ prefix: "SG" }), done),
  );
  t.equal(response.counter, 9007199254740991n);
  t.equal(response.fullNumber, "SG9007199254740991");
});

t.test("ResetCounter moves a counter and says from where to where", async (t) => {
  const { client, backend } = await startEdge(t);
  backend.result = async () => ({
    ...resetDone,
    period: "2026",
    oldValue: 7,
    newValue: 100,
    skipped: { first: 8, last: 100 },
  });
  const request = ResetCounterRequest.fromPartial({
    prefix: "SG",
    newValue: 100n,
    reason: "moved",
    force: true,
    expectedVersion: 3n,
    clientId: "erp",
    scope: { site: "B1", period: "2026" },
  });
  const response = await responseOf<wire.ResetCounterResponse>((done) =>
    client.resetCounter(request, adminMetadata(), done),
  );
  t.match(response, { success: true, oldValue: 7n, newValue: 100n });
  t.match(response.message, /SG \(2026\) went from 7 to 100; the numbers from 8 to 100 are skipped/);
  t.match(backend.commands[0], {
    kind: "reset",
    newValue: 100,
    reason: "moved",
    force: true,
    expectedVersion: 3,
    period: "2026",
    scope: { site: "B1", partition: "", documentType: "" },
  });
  t.match((backend.commands[0] as Command & { kind: "reset" }).provenance.principal, /^key:/);
});

t.test("ResetCounter without expected_version has none", async (t) => {
  const { client, backend } = await startEdge(t);
  backend.result = async () => resetDone;
  const request = ResetCounterRequest.fromPartial({ prefix: "SG", newValue: 0n, reason: "r" });
  await responseOf<wire.ResetCounterResponse>((done) => client.resetCounter(request, adminMetadata(), done));
  t.notOk("expectedVersion" in (backend.commands[0] ?? {}));
});

t.test("GetStatus is linearizable unless told otherwise", async (t) => {
  const { client, backend } = await startEdge(t);
  backend.answer = async () => statusAnswer;
  const request = GetStatusRequest.fromPartial({ prefix: "SG" });
  const response = await responseOf<wire.GetStatusResponse>((done) => client.getStatus(request, done));
  t.match(response, {
    prefix: "SG",
    currentCounter: 12n,
    isActive: true,
    lastGenerated: "2026-01-01T00:00:00.000Z",
    totalGenerated: 12n,
    config: { prefix: "SG", format: "%s%06d", maxValue: 9007199254740991n },
    nextCounter: 13n,
    nextFullNumber: "SG000013",
    clusterHealthy: true,
    servedBy: 2n,
    leaderId: 3n,
    appliedIndex: 49n,
  });
  await responseOf<wire.GetStatusResponse>((done) =>
    client.getStatus({ ...request, consistency: "local", site: "B1" }, done),
  );
  t.match(backend.queries, [
    { consistency: "linearizable", query: { kind: "status", prefix: "SG" } },
    { consistency: "local", query: { scope: { site: "B1" } } },
  ]);
});

t.test("GetConfig says whether it found a definition", async (t) => {
  const { client, backend } = await startEdge(t);
  t.same(await responseOf<wire.GetConfigResponse>((done) => client.getConfig({ prefix: "NEW" }, done)), {
    found: false,
    config: undefined,
  });
  backend.answer = async () => ({ kind: "definition", definition: { ...definition, version: 4, isActive: false } });
  const response = await responseOf<wire.GetConfigResponse>((done) => client.getConfig({ prefix: "SG" }, done));
  t.match(response, {
    found: true,
    config: { prefix: "SG", version: 4n, isActive: false, initialValue: 1n, step: 1n },
  });
});

t.test("UpdateConfig changes what is there and leaves the rest as it is", async (t) => {
  const { client, backend } = await startEdge(t);
  backend.result = async () => ({ kind: "configured", definition: { ...definition, version: 5 }, created: false });
  const config = ConfigInfo.fromPartial({ prefix: "SG", padding: 8, isActive: false, version: 4n });
  const response = await responseOf<wire.UpdateConfigResponse>((done) =>
    client.updateConfig({ config, clientId: "erp", correlationId: "" }, adminMetadata(), done),
  );
  t.match(response, { success: true, config: { version: 5n } });
  const command = backend.commands[0];
  t.match(command, { kind: "configure", prefix: "SG", expectedVersion: 4, ifAbsent: false });
  t.same((command as Command & { kind: "configure" }).change, { padding: 8, isActive: false });
});

t.test("UpdateConfig knows every setting, zero and empty values included", async (t) => {
  const { client, backend } = await startEdge(t);
  backend.result = async () => ({ kind: "configured", definition, created: true });
  const config = ConfigInfo.fromPartial({
    prefix: "SG",
    format: "",
    padding: 0,
    separator: "",
    initialValue: 0n,
    maxValue: 9007199254740991n,
    isActive: false,
    description: "",
    resetRule: "yearly",
    timeZone: "Europe/Berlin",
    step: 5n,
    scope: "site",
    fiscalYearStart: 4,
  });
  const response = await responseOf<wire.UpdateConfigResponse>((done) =>
    client.updateConfig({ config, clientId: "", correlationId: "" }, adminMetadata(), done),
  );
  t.equal(response.message, "SG was created");
  const { change } = backend.commands[0] as Command & { kind: "configure" };
  const { zoneTransitions, ...settings } = change;
  t.same(settings, {
    template: "",
    padding: 0,
    separator: "",
    start: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    isActive: false,
    description: "",
    resetRule: "yearly",
    timeZone: "Europe/Berlin",
    step: 5,
    scope: "site",
    fiscalYearStart: 4,
  });
  t.ok((zoneTransitions?.length ?? 0) > 50, "the zone travels as data");
});

t.test("Health and HealthCheck are one call under two names, open to all and true to the node", async (t) => {
  const { client, backend } = await startEdge(t);
  const details = { node_id: "2", leader_id: "3", term: "4", version: "1.2.3", cluster_healthy: "true" };
  for (const name of ["health", "healthCheck"] as const) {
    const response = await responseOf<object>((done) => client[name]({}, done));
    t.match(response, { status: HealthResponse_Status.SERVING, message: "serving", details });
  }
  backend.view = { ...backend.view, ready: false, reason: "no leader is known", leaderId: undefined };
  const response = await responseOf<wire.HealthResponse>((done) => client.health({}, done));
  t.match(response, { status: HealthResponse_Status.NOT_SERVING, message: "no leader is known" });
});

t.test("a request id that the client gives is journalled and comes back", async (t) => {
  const { client, backend } = await startEdge(t);
  const metadata = new Metadata();
  metadata.set("x-request-id", "req-1");
  const initial = new Promise<Metadata>((resolve) => {
    const call = client.getNext(GetNextRequest.fromPartial({ prefix: "SG" }), metadata, () => {});
    call.on("metadata", resolve);
  });
  t.same((await initial).get("x-request-id"), ["req-1"]);
  t.match(backend.commands[0], { provenance: { requestId: "req-1" } });
});

t.test("calls without a request id get one each", async (t) => {
  const { client, backend } = await startEdge(t);
  for (let count = 0; count < 2; count += 1) {
    await responseOf<wire.GetNextResponse>((done) =>
      client.getNext(GetNextRequest.fromPartial({ prefix: "SG" }), done),
    );
  }
  const ids = backend.commands.map((command) => command.provenance.requestId);
  t.match(ids[0], /^[0-9a-f]{12}-1$/);
  t.not(ids[0], ids[1]);
});
