import t from "tap";
import type { Draw } from "../../src/sequence/command.js";
import { call, definition, drawn, startEdge } from "./rest-edge.js";

t.test("POST /next draws one number and answers all that the contract says", async (t) => {
  const { app, backend } = await startEdge(t);
  const answer = await call(app, {
    method: "POST",
    url: "/api/v1/next",
    headers: { "idempotency-key": "order 4711", "x-request-id": "request-1" },
    payload: {
      prefix: "SG",
      client_id: "till-17",
      generated_by: "Zoë 😀",
      correlation_id: "c-1",
      site: "s",
      partition: "p",
      document_type: "d",
      document_date: "2028-02-29",
      document_ref: "INV 1/2",
    },
  });
  t.equal(answer.status, 200);
  t.same(answer.body, {
    full_number: "SG000001",
    counter: 1,
    prefix: "SG",
    period: "",
    generated_at: "2026-11-20T08:30:00.000Z",
    message_id: "17-0",
  });
  t.equal(answer.headers["cache-control"], "no-store");
  t.notOk("idempotency-replayed" in answer.headers);
  const expected: Draw = {
    kind: "draw",
    provenance: {
      principal: "anonymous",
      clientId: "till-17",
      generatedBy: "Zoë 😀",
      correlationId: "c-1",
      requestId: "request-1",
    },
    prefix: "SG",
    count: 1,
    batch: false,
    contiguous: false,
    scope: { site: "s", partition: "p", documentType: "d" },
    documentDate: "2028-02-29",
    documentRef: "INV 1/2",
    idempotencyKey: "order 4711",
  };
  t.same(backend.commands, [expected]);
});

t.test("GET /next/:prefix is the same draw, with its fields in the query", async (t) => {
  const { app, backend } = await startEdge(t);
  const url = "/api/v1/next/SG.a_b-1?client_id=till%2017&document_date=2026-11-20&site=";
  const { status, body, headers } = await call(app, { url });
  t.equal(status, 200);
  t.match(body, { full_number: "SG.a_b-1000001", counter: 1 });
  t.equal(headers["cache-control"], "no-store");
  t.match(backend.commands, [
    {
      kind: "draw",
      prefix: "SG.a_b-1",
      documentDate: "2026-11-20",
      provenance: { clientId: "till 17" },
      scope: { site: "" },
    },
  ]);
});

t.test("a repeated draw is marked", async (t) => {
  const { app, backend } = await startEdge(t);
  backend.result = async () => ({ ...drawn, replayed: true });
  const { headers } = await call(app, { method: "POST", url: "/api/v1/next", payload: { prefix: "SG" } });
  t.equal(headers["idempotency-replayed"], "true");
});

t.test("POST /batch and /batch/:prefix draw many numbers as one command", async (t) => {
  const { app, backend } = await startEdge(t);
  const one = await call(app, { method: "POST", url: "/api/v1/batch", payload: { prefix: "SG", count: 3 } });
  const two = await call(app, { method: "POST", url: "/api/v1/batch/SG", payload: { count: 2, contiguous: true } });
  t.same(one.body, {
    prefix: "SG",
    count: 3,
    first_counter: 1,
    last_counter: 3,
    ranges: [{ first_counter: 1, last_counter: 3, first_full_number: "SG000001", last_full_number: "SG000003" }],
    full_numbers: ["SG000001", "SG000002", "SG000003"],
    contiguous: true,
    period: "",
    generated_at: "2026-11-20T08:30:00.000Z",
    batch_id: "17-0",
  });
  t.match(two.body, { first_counter: 4, last_counter: 5, full_numbers: ["SG000004", "SG000005"] });
  t.match(backend.commands, [
    { kind: "draw", batch: true, count: 3, contiguous: false },
    { kind: "draw", batch: true, count: 2, contiguous: true },
  ]);
});

t.test("a batch expands up to 10 000 numbers and answers ranges above that", async (t) => {
  const { app } = await startEdge(t);
  const full = await call(app, { method: "POST", url: "/api/v1/batch/SG", payload: { count: 10_000 } });
  t.equal(full.status, 200);
  t.equal((full.body["full_numbers"] as string[]).length, 10_000);
  t.equal((full.body["full_numbers"] as string[]).at(-1), "SG010000");
  const ranges = await call(app, {
    method: "POST",
    url: "/api/v1/batch/SG",
    payload: { count: 1_000_000, expand: false },
  });
  t.equal(ranges.status, 200);
  t.notOk("full_numbers" in ranges.body);
  t.match(ranges.body, { count: 1_000_000, first_counter: 10_001, last_counter: 1_010_000 });
});

t.test("a batch of several ranges is expanded in steps of the definition, in the order drawn", async (t) => {
  const { app, backend } = await startEdge(t);
  const ranges = [
    { first: 10, last: 30 },
    { first: 100, last: 100 },
  ];
  backend.result = async () => ({ ...drawn, definition: { ...definition, step: 10 }, ranges, count: 4 });
  const { body } = await call(app, { method: "POST", url: "/api/v1/batch/SG", payload: { count: 4 } });
  t.same(body["full_numbers"], ["SG000010", "SG000020", "SG000030", "SG000100"]);
  t.match(body, { first_counter: 10, last_counter: 100, contiguous: false });
});

t.test("numbers are written as the definition of the draw says, on its day", async (t) => {
  const { app, backend } = await startEdge(t);
  const yearly = { ...definition, prefix: "INV", template: "%s%d-%04d", padding: 4, resetRule: "yearly" } as const;
  backend.result = async () => ({ ...drawn, prefix: "INV", definition: yearly, period: "2026" });
  const { body } = await call(app, { url: "/api/v1/next/INV" });
  t.match(body, { full_number: "INV2026-0001", period: "2026" });
});

t.test("counters up to 2^53-1 leave as they are", async (t) => {
  const { app, backend } = await startEdge(t);
  const last = Number.MAX_SAFE_INTEGER;
  backend.result = async () => ({ ...drawn, ranges: [{ first: last, last }] });
  const { text } = await call(app, { url: "/api/v1/next/SG" });
  t.match(text, /"counter":9007199254740991[,}]/);
});

t.test("Prefer: wait says how long the caller waits; what is not understood is ignored", async (t) => {
  const { app, backend } = await startEdge(t);
  for (const prefer of ["wait=4", "respond-async, wait=10", "wait=0", "wait=-1", "return=minimal", undefined]) {
    const headers = prefer === undefined ? {} : { prefer };
    await call(app, { method: "POST", url: "/api/v1/next", headers, payload: { prefix: "SG" } });
  }
  await call(app, {
    method: "POST",
    url: "/api/v1/batch",
    headers: { prefer: "wait=2" },
    payload: { prefix: "SG", count: 2 },
  });
  t.same(backend.deadlinesMs, [4000, 10_000, undefined, undefined, undefined, undefined, 2000]);
  for (const prefer of ["wait=0.25", "wait=1.5, respond-async", "wait=.5", "wait=1.2345"]) {
    await call(app, { method: "POST", url: "/api/v1/next", headers: { prefer }, payload: { prefix: "SG" } });
  }
  t.same(backend.deadlinesMs.slice(7), [250, 1500, undefined, undefined], "fractions that a client may need");
});
