import t from "tap";
import { type AskNode, askLeader } from "../src/leader-calls.js";
import { type ChangeMembersReply, type ChangeMembersRequest, PeerCallFailure } from "../src/transport/transport.js";

const promote: ChangeMembersRequest = { kind: "promote", nodeId: 4 };
const remove: ChangeMembersRequest = { kind: "remove", nodeId: 4 };

function reply(outcome: ChangeMembersReply["outcome"], extra: Partial<ChangeMembersReply> = {}): ChangeMembersReply {
  return { outcome, reason: outcome === "done" ? "" : `it is ${outcome}`, leaderAddress: "", nodeId: 4, ...extra };
}

/** Nodes by address: what each answers, in turn; the last answer stands. */
function nodes(script: Readonly<Record<string, readonly (ChangeMembersReply | PeerCallFailure)[]>>) {
  const asked: string[] = [];
  const ask: AskNode = async (address) => {
    const turn = asked.filter((other) => other === address).length;
    asked.push(address);
    const answers = script[address] ?? [];
    const answer = answers[Math.min(turn, answers.length - 1)];
    if (answer === undefined) throw new PeerCallFailure("unreachable", `${address} cannot be reached`);
    if (answer instanceof PeerCallFailure) throw answer;
    return answer;
  };
  return { asked, ask };
}

const unanswered = new PeerCallFailure("unanswered", "it did not answer");

t.test("whoever is asked names the leader, and the leader decides", async (t) => {
  const { asked, ask } = nodes({ a: [reply("notLeader", { leaderAddress: "c" })], c: [reply("done")] });
  t.match(await askLeader(promote, { ask, addresses: ["a", "b"], deadlineMs: 5000 }), { kind: "done" });
  t.same(asked, ["a", "c"]);
});

t.test("a node that cannot be reached, or knows no leader, is passed over", async (t) => {
  const { asked, ask } = nodes({ b: [reply("notLeader")], c: [reply("refused")] });
  const answer = await askLeader(promote, { ask, addresses: ["a", "b", "c"], deadlineMs: 5000 });
  t.match(answer, { kind: "refused", reply: { reason: "it is refused" } });
  t.same(asked, ["a", "b", "c"]);
});

t.test("during an election the addresses are asked again, round by round", async (t) => {
  const { asked, ask } = nodes({ a: [reply("notLeader"), reply("notLeader"), reply("done")], b: [reply("notLeader")] });
  t.match(await askLeader(promote, { ask, addresses: ["a", "b"], deadlineMs: 5000 }), { kind: "done" });
  t.same(asked, ["a", "b", "a", "b", "a"]);
});

t.test("two nodes that take each other for the leader do not catch the asker", async (t) => {
  const { asked, ask } = nodes({
    a: [reply("notLeader", { leaderAddress: "b" })],
    b: [reply("notLeader", { leaderAddress: "a" })],
    c: [reply("done")],
  });
  t.match(await askLeader(promote, { ask, addresses: ["a", "c"], deadlineMs: 5000 }), { kind: "done" });
  t.ok(asked.length <= 6, asked.join());
});

t.test("without a leader until the deadline it is certain that nothing happened", async (t) => {
  const { ask } = nodes({ a: [reply("notLeader")] });
  t.match(await askLeader(promote, { ask, addresses: ["a"], deadlineMs: 150 }), {
    kind: "unheard",
    why: "a knows no leader",
  });
  t.match(await askLeader(promote, { ask, addresses: ["x"], deadlineMs: 150 }), {
    kind: "unheard",
    why: "x cannot be reached",
  });
});

t.test("what may have happened is asked for again until it is decided, else its outcome is unknown", async (t) => {
  const decided = nodes({ a: [unanswered, reply("unknown"), reply("done")] });
  t.match(await askLeader(promote, { ask: decided.ask, addresses: ["a"], deadlineMs: 5000 }), { kind: "done" });
  const never = nodes({ a: [unanswered, reply("notLeader")] });
  t.match(
    await askLeader(promote, { ask: never.ask, addresses: ["a"], deadlineMs: 250 }),
    { kind: "unknown", why: "it did not answer" },
    "and why is what left it open, not what was heard afterwards",
  );
});

t.test("no node is asked with less time than an answer takes: it would leave open what was certain", async (t) => {
  const times: number[] = [];
  const ask: AskNode = async (_address, _request, deadlineMs) => {
    times.push(deadlineMs);
    return reply("notLeader");
  };
  t.match(await askLeader(promote, { ask, addresses: ["a"], deadlineMs: 350 }), { kind: "unheard" });
  t.ok(times.length > 0 && times.every((ms) => ms > 350 / 4), times.join());
});

t.test("leadership is not handed over twice", async (t) => {
  const { asked, ask } = nodes({ a: [unanswered, reply("done")] });
  const transfer: ChangeMembersRequest = { kind: "transfer", nodeId: undefined };
  t.match(await askLeader(transfer, { ask, addresses: ["a", "b"], deadlineMs: 5000 }), { kind: "unknown" });
  t.same(asked, ["a"]);
});

t.test("a removal in force that a leader does not call done has not committed: it may come back", async (t) => {
  const members = [{ id: 1, kind: "voter", storeId: "s", address: "a" }] as const;
  const underWay = reply("refused", { configuration: { clusterId: "c", members } });
  const unseen = nodes({ a: [unanswered, underWay] });
  t.match(await askLeader(remove, { ask: unseen.ask, addresses: ["a"], deadlineMs: 5000 }), {
    kind: "unknown",
    why: "it did not answer",
  });
  const never = nodes({ a: [underWay] });
  t.match(
    await askLeader(remove, { ask: never.ask, addresses: ["a"], deadlineMs: 5000 }),
    { kind: "refused" },
    "whoever asked for nothing before has changed nothing",
  );
});

t.test("what nobody planned is not taken for an answer", async (t) => {
  const ask = async () => {
    throw new TypeError("a mistake");
  };
  await t.rejects(askLeader(promote, { ask, addresses: ["a"], deadlineMs: 5000 }), { name: "TypeError" });
});
