import t from "tap";
import { OperatingFailure } from "../../src/failure.js";
import { ADMIN, type Answer, call, startEdge } from "./rest-edge.js";

const members = "/api/v1/cluster/members";

t.test("a node is let in by id and address, as a learner unless a voter is wanted", async (t) => {
  const { app, administration } = await startEdge(t);
  const payload = { id: 4, address: "10.0.0.4:7070" };
  const answer = await call(app, { method: "POST", url: members, headers: ADMIN, payload });
  t.equal(answer.status, 200);
  t.same(answer.body, {
    message: "node 4 is a learner",
    leader_id: 3,
    members: [
      { id: 1, kind: "voter", address: "10.0.0.1:7070" },
      { id: 4, kind: "learner", address: "10.0.0.4:7070" },
    ],
  });
  const hasty = await call(app, { method: "POST", url: members, headers: ADMIN, payload: { ...payload, voter: true } });
  t.equal(hasty.body["message"], "node 4 is a learner, which has not caught up yet: promote it later");
  t.same(administration.changes, [
    { kind: "add", id: 4, address: "10.0.0.4:7070", voter: false },
    { kind: "add", id: 4, address: "10.0.0.4:7070", voter: true },
  ]);
});

t.test("promotion, removal and hand-over name the node, the last one may leave it open", async (t) => {
  const { app, administration } = await startEdge(t);
  const promoted = await call(app, { method: "POST", url: `${members}/4/promote`, headers: ADMIN });
  t.match(promoted, { status: 200, body: { message: "node 4 is a learner" } });
  const removed = await call(app, { method: "DELETE", url: `${members}/4`, headers: ADMIN });
  t.match(removed, { status: 200, body: { message: "node 4 has no seat any more" } });
  const url = "/api/v1/cluster/leader";
  const named = await call(app, { method: "POST", url, headers: ADMIN, payload: { id: 2 } });
  t.match(named, { status: 200, body: { message: "node 3 leads", leader_id: 3 } });
  await call(app, { method: "POST", url, headers: ADMIN, payload: {} });
  t.equal((await call(app, { method: "POST", url, headers: ADMIN })).status, 200, "nothing to say is no body, too");
  t.same(administration.changes, [
    { kind: "promote", id: 4 },
    { kind: "remove", id: 4 },
    { kind: "transfer", id: 2 },
    { kind: "transfer", id: undefined },
    { kind: "transfer", id: undefined },
  ]);
});

t.test("what the cluster refuses is a 409 with its reason; without a leader it is a 503, in doubt a 504", async (t) => {
  const { app, administration } = await startEdge(t);
  const remove = () => call(app, { method: "DELETE", url: `${members}/4`, headers: ADMIN });
  administration.outcome = async () => ({ kind: "refused", detail: "another change is under way" });
  t.match(await remove(), { status: 409, body: { code: "CONFLICT", detail: "another change is under way" } });
  administration.outcome = async () => {
    throw new OperatingFailure("NOT_EXECUTED", "no leader took it", 1000);
  };
  const unheard = await remove();
  t.match(unheard, { status: 503, body: { code: "NOT_EXECUTED" } });
  t.equal(unheard.headers["retry-after"], "1");
  administration.outcome = async () => {
    throw new OperatingFailure("OUTCOME_UNKNOWN", "it may have happened");
  };
  t.match(await remove(), { status: 504, body: { code: "OUTCOME_UNKNOWN" } });
});

t.test("a change may take as long as the caller waits", async (t) => {
  const { app, administration } = await startEdge(t);
  const headers = { ...ADMIN, prefer: "wait=1.5" };
  const id = { id: 4, address: "10.0.0.4:7070" };
  await call(app, { method: "POST", url: members, headers, payload: id });
  await call(app, { method: "POST", url: `${members}/4/promote`, headers });
  await call(app, { method: "DELETE", url: `${members}/4`, headers });
  await call(app, { method: "POST", url: "/api/v1/cluster/leader", headers, payload: {} });
  await call(app, { method: "DELETE", url: `${members}/4`, headers: ADMIN });
  t.same(administration.deadlinesMs, [1500, 1500, 1500, 1500, undefined]);
});

t.test("an id that is no member's is a 404 that names those that are", async (t) => {
  const { app, administration } = await startEdge(t);
  administration.outcome = async () => ({ kind: "absent", detail: "node 99 is no member; members are 1, 2, 3" });
  for (const [method, url] of [
    ["DELETE", `${members}/99`],
    ["POST", `${members}/99/promote`],
  ] as const) {
    const { status, body } = await call(app, { method, url, headers: ADMIN });
    t.match(
      { status, body },
      { status: 404, body: { code: "NOT_FOUND", detail: "node 99 is no member; members are 1, 2, 3" } },
    );
  }
});

t.test("a wrong field is named, and nobody is asked", async (t) => {
  const { app, administration } = await startEdge(t);
  const fieldOf = ({ status, body }: Answer) => [status, body.errors?.[0]?.field];
  const post = (payload: object) => call(app, { method: "POST", url: members, headers: ADMIN, payload });
  for (const id of [0, 65_536, 1.5, "4"]) t.same(fieldOf(await post({ id, address: "a:1" })), [400, "id"]);
  for (const address of ["a", "a:0", "a:65536", "http://a:1", "a b:1", "::1:7070", ""]) {
    t.same(fieldOf(await post({ id: 4, address })), [400, "address"], address);
  }
  t.same(fieldOf(await post({ id: 4 })), [400, "address"]);
  t.same(fieldOf(await post({ id: 4, address: "a:1", voter: "yes" })), [400, "voter"]);
  t.same(fieldOf(await post({ id: 4, address: "a:1", kind: "voter" })), [400, "kind"]);
  for (const id of ["0", "x", "65536", "04", "-1"]) {
    t.same(fieldOf(await call(app, { method: "DELETE", url: `${members}/${id}`, headers: ADMIN })), [400, "id"], id);
    const url = `${members}/${id}/promote`;
    t.same(fieldOf(await call(app, { method: "POST", url, headers: ADMIN })), [400, "id"], id);
  }
  const url = "/api/v1/cluster/leader";
  t.same(fieldOf(await call(app, { method: "POST", url, headers: ADMIN, payload: { id: "x" } })), [400, "id"]);
  const headers = { ...ADMIN, "content-type": "application/json" };
  for (const payload of ["null", "1", "[]"]) {
    t.same(fieldOf(await call(app, { method: "POST", url, headers, payload })), [400, ""], payload);
  }
  t.same(administration.changes, []);
});

t.test("a node that is gone by the time it was let in is said to be", async (t) => {
  const { app, administration } = await startEdge(t);
  administration.outcome = async () => ({ kind: "done", leaderId: undefined, members: [] });
  const payload = { id: 4, address: "[::1]:7070" };
  const added = await call(app, { method: "POST", url: members, headers: ADMIN, payload });
  t.match(added.body, { message: "node 4 was let in and has been removed since", leader_id: null });
  const moved = await call(app, { method: "POST", url: "/api/v1/cluster/leader", headers: ADMIN, payload: {} });
  t.equal(moved.body["message"], "leadership was handed over");
});
