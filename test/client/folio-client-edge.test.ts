import { status } from "@grpc/grpc-js";
import t, { type Test } from "tap";
import { FolioError } from "../../src/client/error.js";
import { FolioClient } from "../../src/client/folio-client.js";
import { OperatingFailure } from "../../src/failure.js";
import { type Edge, startEdge } from "../api-grpc/edge.js";
import { definition, drawn, resetDone, statusAnswer } from "../api-grpc/scripted-backend.js";

/** The client against the real edge: both ends of the same errors and fields. */
async function clientOf(t: Test): Promise<Edge & { readonly folio: FolioClient }> {
  const edge = await startEdge(t);
  const folio = new FolioClient({
    addresses: [edge.address],
    apiKey: "admin-key",
    retry: { attemptsMax: 3, backoffFirstMs: 1, backoffMaxMs: 1 },
  });
  t.teardown(() => folio.close());
  return { ...edge, folio };
}

async function failureOf(call: Promise<unknown>): Promise<FolioError> {
  const [outcome] = await Promise.allSettled([call]);
  if (outcome.status === "rejected" && outcome.reason instanceof FolioError) return outcome.reason;
  throw new Error("the call should have failed with a FolioError");
}

t.test("a draw carries all of its options and its request id", async (t) => {
  const { folio, backend } = await clientOf(t);
  const number = await folio.next("SG", {
    requestId: "r-1",
    clientId: "erp",
    correlationId: "c-1",
    generatedBy: "anna",
    site: "B1",
    partition: "p",
    documentType: "invoice",
    documentDate: "2026-11-20",
    documentRef: "order-1",
    idempotencyKey: "k-1",
  });
  t.match(number, { fullNumber: "SG000001", counter: 1, generatedAt: "2026-11-20T08:30:00.000Z" });
  t.match(backend.commands, [
    {
      idempotencyKey: "k-1",
      scope: { site: "B1", partition: "p", documentType: "invoice" },
      documentDate: "2026-11-20",
      documentRef: "order-1",
      provenance: { requestId: "r-1", clientId: "erp", correlationId: "c-1", generatedBy: "anna" },
    },
  ]);
});

t.test("a batch has its ranges, and is contiguous unless told otherwise", async (t) => {
  const { folio, backend } = await clientOf(t);
  backend.result = async () => ({ ...drawn, count: 2, ranges: [{ first: 4, last: 5 }] });
  t.match(await folio.nextBatch("SG", 2), {
    fullNumbers: ["SG000004", "SG000005"],
    firstCounter: 4,
    lastCounter: 5,
    ranges: [{ firstCounter: 4, lastCounter: 5, firstFullNumber: "SG000004" }],
  });
  await folio.nextBatch("SG", 2, { contiguous: false });
  t.match(backend.commands, [{ contiguous: true }, { contiguous: false }]);
});

t.test("a status says what is next, or that nothing is", async (t) => {
  const { folio, backend } = await clientOf(t);
  backend.answer = async () => statusAnswer;
  t.match(await folio.status("SG"), {
    currentCounter: 12,
    nextCounter: 13,
    nextFullNumber: "SG000013",
    lastGenerated: "2026-01-01T00:00:00.000Z",
    servedBy: 2,
    leaderId: 3,
    config: { template: "%s%06d", maximum: Number.MAX_SAFE_INTEGER, version: 1 },
  });
  backend.answer = async () => ({ ...statusAnswer, nextCounter: undefined, nextFullNumber: undefined });
  const exhausted = await folio.status("SG", { consistency: "local" });
  t.equal(exhausted.nextCounter, undefined);
  t.equal(exhausted.nextFullNumber, undefined);
  backend.answer = async () => ({ ...statusAnswer, nextFullNumber: undefined });
  const nowhere = await folio.status("SG");
  t.equal(nowhere.nextFullNumber, undefined, "it cannot be written without a site");
  t.equal(nowhere.nextCounter, 13);
});

t.test("a prefix that was never used has no definition and no status", async (t) => {
  const { folio } = await clientOf(t);
  t.equal(await folio.getConfig("NEW"), undefined);
  t.equal((await failureOf(folio.status("NEW"))).code, "NOT_FOUND");
});

t.test("a definition can be read, changed on condition, and read again", async (t) => {
  const { folio, backend } = await clientOf(t);
  backend.answer = async () => ({ kind: "definition", definition });
  backend.result = async () => ({ kind: "configured", definition: { ...definition, version: 2 }, created: false });
  const config = await folio.getConfig("SG");
  t.equal(config?.version, 1);
  const changed = await folio.updateConfig("SG", { padding: 8, start: 0, isActive: false }, { expectedVersion: 1 });
  t.equal(changed.version, 2);
  t.match(backend.commands, [{ kind: "configure", expectedVersion: 1 }]);
  t.same(backend.commands[0]?.kind === "configure" && backend.commands[0].change, {
    padding: 8,
    start: 0,
    isActive: false,
  });
});

t.test("a reset says from where to where", async (t) => {
  const { folio, backend } = await clientOf(t);
  backend.result = async () => resetDone;
  t.match(await folio.reset("SG", 50, { reason: "moved", period: "2026" }), { oldValue: 1, newValue: 50 });
  t.match(backend.commands, [{ newValue: 50, reason: "moved", period: "2026", force: false }]);
});

t.test("health is that of the node asked", async (t) => {
  const { folio, backend } = await clientOf(t);
  t.match(await folio.health(), { serving: true, details: { node_id: "2" } });
  backend.view = { ...backend.view, ready: false, reason: "stopping" };
  t.match(await folio.health(), { serving: false, message: "stopping" });
});

t.test("errors keep their code, field, sentence and request id across the wire", async (t) => {
  const { folio, backend } = await clientOf(t);
  const invalid = await failureOf(folio.next("a b", { requestId: "r-2" }));
  t.match(invalid, { code: "VALIDATION_ERROR", field: "prefix", requestId: "r-2" });
  t.match(invalid.message, /^prefix must be 1 to 50 of/);
  t.match(invalid.cause, { code: status.INVALID_ARGUMENT });
  backend.result = () => Promise.reject(new OperatingFailure("NOT_EXECUTED", "there is no leader", 2000));
  t.match(await failureOf(folio.reset("SG", 1, { reason: "r" })), {
    code: "NOT_EXECUTED",
    message: "there is no leader",
    retryAfterMs: 2000,
  });
  t.equal(backend.commands.length, 3, "certainly not executed: repeated as often as allowed");
});

t.test("a change or a reset of unknown fate is not repeated", async (t) => {
  const { folio, backend } = await clientOf(t);
  backend.result = () => Promise.reject(new OperatingFailure("OUTCOME_UNKNOWN", "the deadline passed"));
  t.equal((await failureOf(folio.reset("SG", 1, { reason: "r" }))).code, "OUTCOME_UNKNOWN");
  t.equal((await failureOf(folio.updateConfig("SG", { padding: 3 }))).code, "OUTCOME_UNKNOWN");
  t.equal(backend.commands.length, 2);
});
