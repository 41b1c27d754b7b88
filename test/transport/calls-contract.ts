import type { Test } from "tap";
import {
  type ChangeMembersReply,
  type ChangeMembersRequest,
  type Description,
  PeerCallFailure,
} from "../../src/transport/transport.js";
import type { World } from "./transport-contract.js";
import { Witness } from "./witness.js";

const REQUESTS: readonly ChangeMembersRequest[] = [
  { kind: "add", nodeId: 0, storeId: "a1b2", address: "node-4.internal:7070" },
  { kind: "add", nodeId: 7, storeId: "a1b2", address: "[::1]:7070" },
  { kind: "promote", nodeId: 7 },
  { kind: "remove", nodeId: 2 ** 31 - 1 },
  { kind: "remove", nodeId: 7, storeId: "a1b2" },
  { kind: "transfer", nodeId: 3 },
  { kind: "transfer", nodeId: undefined },
];

const MEMBERS = [
  { id: 1, kind: "voter", storeId: "s1", address: "one:7070" },
  { id: 4, kind: "learner", storeId: "s4", address: "four:7070" },
] as const;

const REPLIES: readonly ChangeMembersReply[] = [
  { outcome: "done", reason: "", leaderAddress: "", nodeId: 4, configuration: { clusterId: "c", members: MEMBERS } },
  { outcome: "notLeader", reason: "Node 3 leads.", leaderId: 3, leaderAddress: "three:7070", nodeId: 0 },
  { outcome: "refused", reason: "Its log is 4 000 entries behind — „später“.", leaderAddress: "", nodeId: 4 },
  { outcome: "unknown", reason: "It was not seen to commit.", leaderAddress: "", nodeId: 4 },
];

async function failure(call: Promise<unknown>): Promise<PeerCallFailure> {
  try {
    await call;
  } catch (error) {
    if (error instanceof PeerCallFailure) return error;
    throw error;
  }
  throw new Error("it was answered");
}

/** How every transport must answer those who ask by address. */
export function callsContract(t: Test, name: string, makeWorld: () => World): void {
  const check = (what: string, body: (t: Test, world: World) => Promise<void>) =>
    t.test(`${name}, calls: ${what}`, async (t) => {
      const world = makeWorld();
      t.teardown(() => world.end());
      await body(t, world);
    });

  check("every request arrives as it was sent, and every reply comes back as it was given", async (t, world) => {
    const one = await world.start(1, new Witness());
    const heard: ChangeMembersRequest[] = [];
    let reply: ChangeMembersReply | undefined;
    one.witness.onMembersChange = (request, done) => {
      heard.push(request);
      if (reply !== undefined) setImmediate(done, reply);
    };
    for (const [place, request] of REQUESTS.entries()) {
      reply = REPLIES[place % REPLIES.length];
      t.strictSame(await world.calls.changeMembers(one.address, request, 10_000), reply);
    }
    t.strictSame(heard, REQUESTS);
  });

  check("a node says who it is", async (t, world) => {
    const one = await world.start(1, new Witness());
    const description: Description = {
      nodeId: 1,
      storeId: "5ca1ab1e",
      clusterId: "c0ffee",
      empty: false,
      version: "1.2",
    };
    one.witness.description = description;
    t.strictSame(await world.calls.describe(one.address, 10_000), description);
    const members = [{ id: 1, kind: "voter", storeId: "5ca1ab1e", address: "10.0.0.1:7070" }] as const;
    const member: Description = { ...description, configuration: { clusterId: "c0ffee", members } };
    one.witness.description = member;
    t.strictSame(await world.calls.describe(one.address, 10_000), member, "and whom it takes for members");
    one.witness.description = { ...description, clusterId: "", empty: true };
    t.strictSame(await world.calls.describe(one.address, 10_000), { ...description, clusterId: "", empty: true });
  });

  check("where nobody listens, nothing has happened, and the sentence says where", async (t, world) => {
    const one = await world.start(1, new Witness());
    await one.transport.stop();
    for (const call of [
      world.calls.describe(one.address, 10_000),
      world.calls.changeMembers(one.address, { kind: "remove", nodeId: 2 }, 10_000),
    ]) {
      const { kind, message } = await failure(call);
      t.equal(kind, "unreachable");
      t.ok(message.startsWith(`${one.address} cannot be reached`), message);
    }
  });

  check("no answer by the deadline, and a late one harms nobody", async (t, world) => {
    const one = await world.start(1, new Witness());
    let answer: (reply: ChangeMembersReply) => void = () => {};
    one.witness.onMembersChange = (_request, done) => {
      answer = done;
    };
    const { kind, message } = await failure(world.calls.changeMembers(one.address, { kind: "remove", nodeId: 2 }, 200));
    t.equal(kind, "unanswered");
    t.equal(message, `${one.address} did not answer within 200 ms`);
    answer({ outcome: "done", reason: "", leaderAddress: "", nodeId: 2 });
    await world.calls.describe(one.address, 10_000);
  });

  check("a node that stops before it answered leaves the fate open", async (t, world) => {
    const one = await world.start(1, new Witness());
    one.witness.onMembersChange = () => {};
    const asked = failure(world.calls.changeMembers(one.address, { kind: "promote", nodeId: 2 }, 10_000));
    await one.witness.untilSaw("change promote");
    await one.transport.stop();
    const { kind, message } = await asked;
    t.equal(kind, "unanswered");
    t.match(message, /was lost before it answered/);
  });
}
