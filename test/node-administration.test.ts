import t from "tap";
import { NodeAdministration } from "../src/node-administration.js";
import {
  type ChangeMembersReply,
  type ChangeMembersRequest,
  type Description,
  PeerCallFailure,
  type PeerCalls,
  type SnapshotAnswer,
} from "../src/transport/transport.js";

const OWN = "10.0.0.1:7070";
const LEADER = "10.0.0.2:7070";
const members = [
  { id: 1, kind: "voter", storeId: "s1", address: OWN },
  { id: 2, kind: "voter", storeId: "s2", address: LEADER },
] as const;
const newcomer: Description = { nodeId: 4, storeId: "s4", clusterId: "", empty: true, version: "1" };

function reply(outcome: ChangeMembersReply["outcome"], extra: Partial<ChangeMembersReply> = {}): ChangeMembersReply {
  const configuration = { clusterId: "c", members };
  return { outcome, reason: "", leaderAddress: LEADER, leaderId: 2, nodeId: 4, configuration, ...extra };
}

/** Node 1, a follower; node 2 leads. */
function administration(
  options: {
    readonly found?: Description | PeerCallFailure;
    readonly answers?: readonly ChangeMembersReply[];
    readonly snapshot?: SnapshotAnswer;
    readonly deadlineMs?: number;
    readonly members?: () => readonly { readonly id: number; readonly address: string }[];
  } = {},
) {
  const asked: ChangeMembersRequest[] = [];
  const described: number[] = [];
  const answers = [...(options.answers ?? [reply("done")])];
  const calls: PeerCalls = {
    describe: async (_address, deadlineMs) => {
      described.push(Math.ceil(deadlineMs / 100) * 100);
      const found = options.found ?? newcomer;
      if (found instanceof PeerCallFailure) throw found;
      return found;
    },
    changeMembers: async (address, request) => {
      t.equal(address, LEADER);
      asked.push(request);
      return (answers.length > 1 ? answers.shift() : answers[0]) ?? reply("done");
    },
  };
  const subject = new NodeAdministration({
    node: {
      address: OWN,
      clusterId: () => "c",
      members: options.members ?? (() => members),
      changeMembers: (_request, done) => setImmediate(() => done(reply("notLeader"))),
      openSnapshot: (done) => done(options.snapshot ?? { refusal: "this node has no state of a cluster" }),
    },
    calls,
    deadlineMs: options.deadlineMs ?? 5000,
  });
  return { asked, described, subject };
}

const add = { kind: "add", id: 4, address: "10.0.0.4:7070", voter: false } as const;

t.test("a follower brings the change to the leader, with the store that answers at the address", async (t) => {
  const known = [...members, { id: 4, address: "10.0.0.4:7070" }];
  const { asked, subject } = administration({ members: () => known });
  t.match(await subject.changeMembers(add), { kind: "done", leaderId: 2, members: [{ id: 1 }, { id: 2 }] });
  await subject.changeMembers({ kind: "promote", id: 4 });
  await subject.changeMembers({ kind: "remove", id: 4 });
  await subject.changeMembers({ kind: "transfer", id: undefined });
  t.same(asked, [
    { kind: "add", nodeId: 4, storeId: "s4", address: "10.0.0.4:7070" },
    { kind: "promote", nodeId: 4 },
    { kind: "remove", nodeId: 4 },
    { kind: "transfer", nodeId: undefined },
  ]);
});

t.test("who does not answer, has another id, or belongs elsewhere is not let in, and nobody is asked", async (t) => {
  const cases: [Description | PeerCallFailure, RegExp][] = [
    [
      new PeerCallFailure("unreachable", "10.0.0.4:7070 cannot be reached"),
      /cannot be reached; a node that was started with JOIN asks/,
    ],
    [{ ...newcomer, nodeId: 5 }, /at 10\.0\.0\.4:7070 node 5 answers, not node 4/],
    [{ ...newcomer, clusterId: "d", empty: false }, /node 4 at 10\.0\.0\.4:7070 belongs to another cluster, d/],
    [{ ...newcomer, empty: false }, /is not empty: its store may belong to another cluster/],
    [
      {
        ...newcomer,
        clusterId: "c",
        empty: false,
        configuration: { clusterId: "c", members: [{ id: 4, kind: "voter", storeId: "s9", address: "10.0.0.4:7070" }] },
      },
      /node 4 at 10\.0\.0\.4:7070 holds store s4, and knows that its seat was given to another: .*folio repair --rejoin/,
    ],
  ];
  for (const [found, sentence] of cases) {
    const { asked, subject } = administration({ found });
    const outcome = await subject.changeMembers(add);
    t.match(outcome, { kind: "refused", detail: sentence });
    t.same(asked, []);
  }
});

t.test("a member of this very cluster may be named again: its store is known", async (t) => {
  const { asked, subject } = administration({ found: { ...newcomer, clusterId: "c", empty: false } });
  t.match(await subject.changeMembers(add), { kind: "done" });
  t.equal(asked.length, 1);
});

t.test("as a voter it is promoted once it has caught up; if that takes too long, it stays a learner", async (t) => {
  const behind = reply("refused", { reason: "it has not caught up" });
  const patient = administration({ answers: [reply("done"), behind, behind, reply("done")] });
  t.match(await patient.subject.changeMembers({ ...add, voter: true }), { kind: "done" });
  t.same(
    patient.asked.map(({ kind }) => kind),
    ["add", "promote", "promote", "promote"],
  );
  const late = administration({ answers: [reply("done"), behind], deadlineMs: 300 });
  t.match(await late.subject.changeMembers({ ...add, voter: true }), { kind: "done" });
});

t.test("what was let in is told, whatever becomes of its promotion near the deadline", async (t) => {
  const lost = reply("notLeader", { leaderAddress: "" });
  const doubtful = reply("unknown", { reason: "not committed yet" });
  for (const fate of [lost, doubtful]) {
    const { subject, asked } = administration({ answers: [reply("done"), fate], deadlineMs: 300 });
    t.match(await subject.changeMembers({ ...add, voter: true }), { kind: "done", members: [{ id: 1 }, { id: 2 }] });
    t.equal(asked[1]?.kind, "promote");
  }
});

t.test("who is no member is neither promoted, nor removed, nor handed leadership, and nobody is asked", async (t) => {
  const { subject, asked } = administration();
  for (const kind of ["promote", "remove", "transfer"] as const) {
    const outcome = await subject.changeMembers({ kind, id: 99 });
    t.same(outcome, { kind: "absent", detail: "node 99 is no member; members are 1, 2" });
  }
  t.same(asked, []);
});

t.test(
  "a member that this node hears of just now is one, and a removal asked for twice in one call is done",
  async (t) => {
    const seen: { readonly id: number; readonly address: string }[] = [...members];
    const { subject } = administration({ members: () => seen, answers: [reply("unknown"), reply("done")] });
    const removal = subject.changeMembers({ kind: "remove", id: 4 });
    setImmediate(() => seen.push({ id: 4, address: "10.0.0.4:7070" }));
    t.match(await removal, { kind: "done" });
  },
);

t.test("a refusal is told; without a leader, or in doubt, the failure says which", async (t) => {
  const refused = administration({ answers: [reply("refused", { reason: "the last voter" })] });
  t.match(await refused.subject.changeMembers({ kind: "remove", id: 2 }), {
    kind: "refused",
    detail: "the last voter",
  });
  const leaderless = administration({ answers: [reply("notLeader", { leaderAddress: "" })], deadlineMs: 300 });
  await t.rejects(leaderless.subject.changeMembers({ kind: "remove", id: 2 }), { code: "NOT_EXECUTED" });
  const doubtful = administration({ answers: [reply("unknown", { reason: "not committed yet" })], deadlineMs: 300 });
  await t.rejects(doubtful.subject.changeMembers({ kind: "remove", id: 2 }), {
    code: "OUTCOME_UNKNOWN",
    message: /not committed yet/,
  });
});

t.test("whoever waits for less is answered within that, and nobody for longer than the node lets", async (t) => {
  const nobody = new PeerCallFailure("unreachable", "10.0.0.4:7070 cannot be reached");
  const short = administration({ answers: [reply("notLeader", { leaderAddress: "" })], deadlineMs: 60_000 });
  await t.rejects(short.subject.changeMembers({ kind: "remove", id: 2 }, 200), { code: "NOT_EXECUTED" });
  const long = administration({ answers: [reply("notLeader", { leaderAddress: "" })], deadlineMs: 200 });
  await t.rejects(long.subject.changeMembers({ kind: "remove", id: 2 }, 60_000), { code: "NOT_EXECUTED" });
  const describing = administration({ found: nobody, deadlineMs: 60_000 });
  await describing.subject.changeMembers(add, 200);
  t.same(describing.described, [200]);
});

/** So many chunks, and how often it was closed. */
function source(chunks: readonly string[], failure?: Error) {
  const left = chunks.map((text) => Buffer.from(text));
  const seen = { closed: 0 };
  const answer: SnapshotAnswer = {
    source: {
      next: (done) => {
        const chunk = left.shift();
        done(chunk === undefined ? failure : undefined, chunk);
      },
      close: () => {
        seen.closed++;
      },
    },
  };
  return { seen, answer };
}

t.test("a backup is the node's own copy as a file, closed once however it ends", async (t) => {
  const whole = source(["one", "two"]);
  const pieces: Uint8Array[] = [];
  for await (const piece of administration({ snapshot: whole.answer }).subject.backup()) pieces.push(piece);
  t.equal(Buffer.concat(pieces).toString("latin1"), "folio snapshot 1\n\0\0\0\u0003one\0\0\0\u0003two");
  t.equal(whole.seen.closed, 1);

  const left = source(["one", "two"]);
  for await (const _ of administration({ snapshot: left.answer }).subject.backup()) break;
  t.equal(left.seen.closed, 1, "also when nobody reads on, right at the beginning");

  const broken = source(["one"], new Error("a row is damaged"));
  const read = async () => {
    for await (const _ of administration({ snapshot: broken.answer }).subject.backup());
  };
  await t.rejects(read(), { message: "a row is damaged" });
  t.equal(broken.seen.closed, 1);

  const refused = async () => {
    for await (const _ of administration().subject.backup());
  };
  await t.rejects(refused(), { code: "NOT_EXECUTED", message: /No backup now: this node has no state/ });
});
