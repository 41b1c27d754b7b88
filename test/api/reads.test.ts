import t from "tap";
import type { AuditRecord } from "../../src/sequence/query.js";
import { call, definition, startEdge } from "./rest-edge.js";

t.test("status is linearizable unless asked otherwise, and says who answered", async (t) => {
  const { app, backend } = await startEdge(t);
  backend.answer = async () => ({
    kind: "status",
    definition,
    period: "2026",
    epoch: 1,
    currentCounter: 41,
    nextCounter: 42,
    nextFullNumber: "SG000042",
    totalGenerated: 41,
    lastGenerated: Date.UTC(2026, 10, 20),
    released: 1,
    reserved: 2,
  });
  const { status, body } = await call(app, { url: "/api/v1/status/SG?site=s" });
  t.equal(status, 200);
  t.same(body, {
    prefix: "SG",
    current_counter: 41,
    next_counter: 42,
    next_full_number: "SG000042",
    period: "2026",
    total_generated: 41,
    released: 1,
    reserved: 2,
    is_active: true,
    last_generated: "2026-11-20T00:00:00.000Z",
    version: 7,
    cluster_healthy: true,
    served_by: 2,
    leader_id: 3,
    applied_index: 49,
    lag: 1,
  });
  await call(app, { url: "/api/v1/status/SG?consistency=local" });
  t.match(backend.queries, [
    { consistency: "linearizable", query: { kind: "status", prefix: "SG", scope: { site: "s", partition: "" } } },
    { consistency: "local" },
  ]);
});

t.test("an exhausted, never drawn sequence has null where there is nothing", async (t) => {
  const { app, backend } = await startEdge(t);
  backend.answer = async () => ({
    kind: "status",
    definition,
    period: "",
    epoch: 0,
    currentCounter: 0,
    nextCounter: undefined,
    nextFullNumber: undefined,
    totalGenerated: 0,
    lastGenerated: undefined,
    released: 0,
    reserved: 0,
  });
  const { body } = await call(app, { url: "/api/v1/status/SG" });
  t.match(body, { next_counter: null, next_full_number: null, last_generated: null });
});

t.test("a prefix that was never used is a 404 everywhere", async (t) => {
  const { app } = await startEdge(t);
  for (const path of ["status", "config", "preview", "audit"]) {
    const { status, body } = await call(app, { url: `/api/v1/${path}/NEVER` });
    t.equal(status, 404, path);
    t.match(body, { code: "NOT_FOUND", detail: "the prefix NEVER was never used" }, path);
  }
});

t.test("a preview draws nothing", async (t) => {
  const { app, backend } = await startEdge(t);
  backend.answer = async () => ({ kind: "preview", fullNumbers: ["SG000001", "SG000002"], period: "" });
  const { body } = await call(app, { url: "/api/v1/preview/SG?count=2&document_type=credit" });
  t.same(body, { prefix: "SG", period: "", count: 2, full_numbers: ["SG000001", "SG000002"] });
  t.match(backend.queries, [{ query: { kind: "preview", count: 2, scope: { documentType: "credit" } } }]);
  t.same(backend.commands, []);
});

t.test("sequences come in pages", async (t) => {
  const { app, backend } = await startEdge(t);
  backend.answer = async () => ({ kind: "definitions", definitions: [definition], next: "SG" });
  const first = await call(app, { url: "/api/v1/sequences" });
  t.equal(first.body["next"], "SG");
  t.equal((first.body["sequences"] as unknown[]).length, 1);
  backend.answer = async () => ({ kind: "definitions", definitions: [], next: undefined });
  const last = await call(app, { url: "/api/v1/sequences?after=SG&limit=5" });
  t.same(last.body, { sequences: [], next: null });
  t.match(backend.queries, [{ query: { after: "", limit: 100 } }, { query: { after: "SG", limit: 5 } }]);
});

const who = { principal: "anonymous", clientId: "c", generatedBy: "g", correlationId: "k", requestId: "r" };
const records: readonly AuditRecord[] = [
  {
    messageId: "5-0",
    kind: "drawn",
    prefix: "SG",
    time: 0,
    ...who,
    period: "",
    epoch: 0,
    ranges: [{ first: 1, last: 2 }],
    firstFullNumber: "SG000001",
    lastFullNumber: "SG000002",
    count: 2,
  },
  {
    messageId: "6-0",
    kind: "reset",
    prefix: "SG",
    time: 1,
    ...who,
    oldValue: 2,
    newValue: 9,
    reason: "x",
    force: false,
    skipped: { first: 3, last: 9 },
  },
  {
    messageId: "7-0",
    kind: "configured",
    prefix: "SG",
    time: 2,
    ...who,
    version: 2,
    change: { padding: 4, timeZone: "UTC", zoneTransitions: [] },
  },
];

t.test("audit records carry what their kind has, by the contract's names", async (t) => {
  const { app, backend } = await startEdge(t);
  backend.answer = async () => ({ kind: "audit", records, next: "7-0" });
  const { status, body } = await call(app, { url: "/api/v1/audit/SG" });
  t.equal(status, 200);
  t.equal(body["next"], "7-0");
  const whoAnswered = {
    principal: "anonymous",
    client_id: "c",
    generated_by: "g",
    correlation_id: "k",
    request_id: "r",
  };
  t.same(body["records"], [
    {
      message_id: "5-0",
      kind: "drawn",
      prefix: "SG",
      time: "1970-01-01T00:00:00.000Z",
      ...whoAnswered,
      period: "",
      epoch: 0,
      ranges: [{ first_counter: 1, last_counter: 2 }],
      first_full_number: "SG000001",
      last_full_number: "SG000002",
      count: 2,
    },
    {
      message_id: "6-0",
      kind: "reset",
      prefix: "SG",
      time: "1970-01-01T00:00:00.001Z",
      ...whoAnswered,
      old_value: 2,
      new_value: 9,
      reason: "x",
      force: false,
      skipped: { first_counter: 3, last_counter: 9 },
    },
    {
      message_id: "7-0",
      kind: "configured",
      prefix: "SG",
      time: "1970-01-01T00:00:00.002Z",
      ...whoAnswered,
      version: 2,
      change: { padding_length: 4, time_zone: "UTC" },
    },
  ]);
});

t.test("audit filters reach the query", async (t) => {
  const { app, backend } = await startEdge(t);
  backend.answer = async () => ({ kind: "audit", records: [], next: undefined });
  const filters = "after=5-0&limit=10&kind=reset&from=2026-01-01T00:00:00Z&to=2026-01-02T01:00:00%2B01:00&client_id=c";
  const { body } = await call(app, { url: `/api/v1/audit/SG?${filters}` });
  t.same(body, { records: [], next: null });
  t.same(backend.queries[0]?.query, {
    kind: "audit",
    prefix: "SG",
    after: "5-0",
    limit: 10,
    filter: { kinds: ["reset"], from: Date.UTC(2026, 0, 1), to: Date.UTC(2026, 0, 2), clientId: "c" },
  });
});

t.test("the cluster is shown as the asked node sees it", async (t) => {
  const { app, backend } = await startEdge(t);
  const member = {
    id: 3,
    kind: "voter",
    role: "leader",
    address: "127.0.0.1:7072",
    restAddress: "127.0.0.1:8082",
    grpcAddress: "127.0.0.1:9092",
    reachable: true,
    term: 4,
    lastIndex: 51,
    commitIndex: 50,
    appliedIndex: 50,
    matchIndex: 51,
    lag: undefined,
  } as const;
  backend.view = { ...backend.view, leaderId: undefined, nodes: [member] };
  const { status, body } = await call(app, { url: "/api/v1/cluster" });
  t.equal(status, 200);
  t.match(body, {
    cluster_id: "cluster-1",
    node_id: 2,
    leader_id: null,
    term: 4,
    commit_index: 50,
    applied_index: 49,
    nodes: [{ id: 3, role: "leader", address: "127.0.0.1:7072", match_index: 51, lag: null }],
  });
});
