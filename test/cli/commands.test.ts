import t from "tap";
import type { MemberView } from "../../src/api/port.js";
import { definition, drawn, resetDone, statusAnswer } from "../api-grpc/scripted-backend.js";
import { folio, restNode } from "./command-line.js";

t.test("next draws a number and prints the server's answer", async (t) => {
  const { backend, url } = await restNode(t);
  const { code, stdout, stderr } = await folio(
    `next SG --server ${url} --client-id erp --generated-by anna --correlation-id c-1 --site B1 --partition p ` +
      "--document-type invoice --document-date 2026-11-20 --document-ref order-1 --idempotency-key k-1",
  );
  t.equal(code, 0, stderr);
  t.match(JSON.parse(stdout), { full_number: "SG000001", counter: 1, prefix: "SG", message_id: "17-0" });
  t.match(backend.commands, [
    {
      kind: "draw",
      prefix: "SG",
      documentDate: "2026-11-20",
      documentRef: "order-1",
      idempotencyKey: "k-1",
      scope: { site: "B1", partition: "p", documentType: "invoice" },
      provenance: { clientId: "erp", generatedBy: "anna", correlationId: "c-1" },
    },
  ]);
});

t.test("next prints a table or the bare number where asked", async (t) => {
  const { url } = await restNode(t);
  const table = await folio("next SG -o table", { FOLIO_SERVER: url });
  t.match(table.stdout, /full_number +│ SG000001/);
  const plain = await folio("next SG --plain", { FOLIO_SERVER: url });
  t.equal(plain.stdout, "SG000001\n");
});

t.test("draws carry an idempotency key of their own", async (t) => {
  const { backend, url } = await restNode(t);
  await folio("next SG", { FOLIO_SERVER: url });
  const [command] = backend.commands;
  t.match(command?.kind === "draw" && command.idempotencyKey, /^[0-9a-f-]{36}$/);
});

t.test("batch draws many numbers", async (t) => {
  const { backend, url } = await restNode(t);
  backend.result = async () => ({ ...drawn, count: 3, ranges: [{ first: 1, last: 3 }] });
  const plain = await folio("batch SG 3 --plain --contiguous", { FOLIO_SERVER: url });
  t.equal(plain.stdout, "SG000001\nSG000002\nSG000003\n", plain.stderr);
  t.match(backend.commands, [{ count: 3, batch: true, contiguous: true }]);
  const table = await folio("batch SG 3 -o table", { FOLIO_SERVER: url });
  t.match(table.stdout, /SG000001 +│ SG000003 +│ 1 +│ 3/);
});

t.test("a batch too large to list is answered in ranges", async (t) => {
  const { backend, url } = await restNode(t);
  backend.result = async () => ({ ...drawn, count: 20_000, ranges: [{ first: 1, last: 20_000 }] });
  const { code, stdout, stderr } = await folio("batch SG 20000", { FOLIO_SERVER: url });
  t.equal(code, 0, stderr);
  t.match(JSON.parse(stdout), { count: 20_000, ranges: [{ last_full_number: "SG020000" }] });
  const plain = await folio("batch SG 20000 --plain", { FOLIO_SERVER: url });
  t.equal(plain.code, 2);
  t.match(plain.stderr, /count must be an integer from 1 to 10000/);
});

t.test("status shows where a sequence stands", async (t) => {
  const { backend, url } = await restNode(t);
  backend.answer = async () => statusAnswer;
  const parameters = ["status", "SG", "--consistency", "local", "--site", "B1"];
  const { stdout, stderr } = await folio(parameters, { FOLIO_SERVER: url });
  t.match(JSON.parse(stdout), { current_counter: 12, next_full_number: "SG000013" }, stderr);
  t.match(backend.queries, [{ consistency: "local", query: { kind: "status", prefix: "SG", scope: { site: "B1" } } }]);
});

t.test("config get, set and list", async (t) => {
  const { backend, url } = await restNode(t);
  backend.answer = async ({ kind }) =>
    kind === "definitions" ? { kind, definitions: [definition], next: undefined } : { kind: "definition", definition };
  backend.result = async () => ({ kind: "configured", definition: { ...definition, version: 2 }, created: false });
  const env = { FOLIO_SERVER: url, FOLIO_API_KEY: "admin-key" };
  t.match(JSON.parse((await folio("config get SG", env)).stdout), { prefix: "SG", version: 1 });
  const listed = await folio("config list -o table", env);
  t.match(listed.stdout, /SG +│ %s%06d +│ never/);
  t.notMatch(listed.stdout, /more:/);
  backend.answer = async () => ({ kind: "definitions", definitions: [definition], next: "SG" });
  t.match((await folio("config list -o table --limit 1", env)).stdout, /\nmore: --after SG\n$/);
  const set = await folio(
    "config set SG --template {PREFIX}{YYYY}-{SEQ:4} --padding 4 --separator - --start 5 --step 2 --maximum 9999 " +
      "--reset-rule yearly --time-zone UTC --fiscal-year-start 4 --scope site --no-active --description test " +
      "--if-version 1 --client-id erp",
    env,
  );
  t.match(JSON.parse(set.stdout), { version: 2 }, set.stderr);
  t.match(backend.commands, [
    {
      kind: "configure",
      prefix: "SG",
      expectedVersion: 1,
      provenance: { clientId: "erp" },
      change: {
        template: "{PREFIX}{YYYY}-{SEQ:4}",
        padding: 4,
        separator: "-",
        start: 5,
        step: 2,
        maximum: 9999,
        resetRule: "yearly",
        timeZone: "UTC",
        fiscalYearStart: 4,
        scope: "site",
        isActive: false,
        description: "test",
      },
    },
  ]);
  const nothing = await folio("config set SG", env);
  t.equal(nothing.code, 2);
  t.match(nothing.stderr, /nothing to change/);
});

t.test("reset moves a counter", async (t) => {
  const { backend, url } = await restNode(t);
  backend.result = async () => resetDone;
  const line =
    "reset SG 50 --reason moved --force --expected-version 1 --period 2026 --site B1 --partition p " +
    "--document-type t --client-id erp";
  const { code, stdout, stderr } = await folio(line, { FOLIO_SERVER: url, FOLIO_API_KEY: "admin-key" });
  t.equal(code, 0, stderr);
  t.match(JSON.parse(stdout), { success: true, old_value: 1, new_value: 50 });
  t.match(backend.commands, [
    {
      kind: "reset",
      newValue: 50,
      reason: "moved",
      force: true,
      expectedVersion: 1,
      period: "2026",
      scope: { site: "B1", partition: "p", documentType: "t" },
    },
  ]);
});

const record = {
  messageId: "1-0",
  kind: "drawn",
  prefix: "SG",
  time: 0,
  principal: "anonymous",
  clientId: "erp",
  generatedBy: "\u001b[31mred",
  correlationId: "",
  requestId: "r",
  firstFullNumber: "SG000001",
  lastFullNumber: "SG000001",
  count: 1,
} as const;

t.test("audit shows a page, its filters, and how to go on", async (t) => {
  const { backend, url } = await restNode(t);
  backend.answer = async (query) => {
    const last = query.kind === "audit" && query.after === "2-0";
    return { kind: "audit", records: [{ ...record, messageId: last ? "3-0" : "1-0" }], next: last ? undefined : "2-0" };
  };
  const env = { FOLIO_SERVER: url };
  const page = await folio(
    "audit SG -o table --limit 1 --kind drawn --client-id erp --generated-by anna --correlation-id c " +
      "--from 2026-01-01T00:00:00Z --to 2027-01-01T00:00:00Z",
    env,
  );
  t.match(page.stdout, /1-0 +│ drawn +│ SG000001/, page.stderr);
  t.match(page.stdout, /more: --after 2-0/);
  t.notOk(page.stdout.includes("\u001b"), "stored text cannot drive the terminal");
  t.match(backend.queries[0]?.query, {
    kind: "audit",
    prefix: "SG",
    limit: 1,
    filter: { kinds: ["drawn"], clientId: "erp", generatedBy: "anna", correlationId: "c", from: 1767225600000 },
  });
  const all = await folio("audit SG --all -o table", env);
  t.match(all.stdout, /1-0[\s\S]*3-0/);
  t.notMatch(all.stdout, /more:/);
});

t.test("members shows role, term, indices and how far each is behind", async (t) => {
  const { backend, url } = await restNode(t);
  const leader: MemberView = {
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
    lag: 0,
  };
  const away: MemberView = {
    ...leader,
    id: 1,
    role: "unknown",
    reachable: false,
    term: undefined,
    lastIndex: undefined,
    commitIndex: undefined,
    appliedIndex: undefined,
    matchIndex: 44,
    lag: 7,
  };
  backend.view = { ...backend.view, nodes: [away, leader] };
  const table = await folio("members -o table", { FOLIO_SERVER: url });
  t.match(table.stdout, /cluster cluster-1: healthy, leader 3, term 4/, table.stderr);
  t.match(table.stdout, /│ 3 +│ leader +│ voter +│ yes +│ 4 +│ 51 +│ 50 +│ 50 +│ 51 +│ 0 /);
  t.match(table.stdout, /│ 1 +│ unknown +│ voter +│ no +│ +│ +│ +│ +│ 44 +│ 7 /);
  const json = await folio("members", { FOLIO_SERVER: url });
  t.match(JSON.parse(json.stdout), {
    leader_id: 3,
    nodes: [
      { id: 1, lag: 7 },
      { id: 3, lag: 0 },
    ],
  });
  backend.view = { ...backend.view, ready: false, reason: "no leader is known", leaderId: undefined, healthy: false };
  const lost = await folio("members -o table", { FOLIO_SERVER: url });
  t.match(lost.stdout, /not healthy, leader none known/);
  t.match(lost.stdout, /node 2 is not ready: no leader is known/);
});
