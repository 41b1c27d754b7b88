import { Client, credentials, Metadata, Server, ServerCredentials, type ServiceError, status } from "@grpc/grpc-js";
import t from "tap";
import {
  ChangeMembersReply_Outcome as WireOutcome,
  ChangeMembersReply as WireReply,
  ChangeMembersRequest as WireRequest,
} from "../../src/generated/folio/peer/v1/peer.js";
import { PeerClient } from "../../src/transport/peer-client.js";
import { DIALLER_OPTIONS, PEER_SERVICE } from "../../src/transport/peer-protocol.js";
import { callsContract } from "./calls-contract.js";
import { GrpcWorld, worldOf } from "./grpc-world.js";
import { Witness } from "./witness.js";

callsContract(t, "gRPC", () => new GrpcWorld());

/** Asks for a change in bytes that our own client would not send. */
function changeRaw(address: string, bytes: Uint8Array): Promise<ServiceError | null> {
  const client = new Client(`dns:${address}`, credentials.createInsecure(), DIALLER_OPTIONS);
  const { path, requestSerialize, responseDeserialize } = PEER_SERVICE.changeMembers;
  return new Promise((resolve) => {
    const answered = (error: ServiceError | null): void => {
      client.close();
      resolve(error);
    };
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, Buffer.from(bytes), new Metadata(), answered);
  });
}

/** A server of another version. */
async function server(answer: Buffer | undefined) {
  const server = new Server();
  if (answer !== undefined) {
    server.addService(
      { changeMembers: PEER_SERVICE.changeMembers },
      { changeMembers: (_call: unknown, callback: (error: null, bytes: Buffer) => void) => callback(null, answer) },
    );
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { address: `127.0.0.1:${port}`, stop: () => server.forceShutdown() };
}

t.test("nonsense is refused with a sentence, and the host is not asked", async (t) => {
  const world = worldOf(t);
  const one = await world.start(1, new Witness());
  const add = { nodeId: 4, storeId: "s", address: "a:1" };
  const remove = { nodeId: 4, storeId: "s".repeat(400) };
  const cases: readonly (readonly [Uint8Array, RegExp])[] = [
    [Buffer.from([0x0a, 0x7f]), /cannot be read/],
    [Buffer.alloc(0), /of a kind that this version does not know/],
    [WireRequest.encode({ change: { $case: "add", value: { ...add, storeId: "" } } }).finish(), /store_id/],
    [WireRequest.encode({ change: { $case: "add", value: { ...add, address: "" } } }).finish(), /address/],
    [WireRequest.encode({ change: { $case: "add", value: { ...add, address: "a".repeat(400) } } }).finish(), /address/],
    [WireRequest.encode({ change: { $case: "add", value: { ...add, nodeId: 2 ** 31 } } }).finish(), /node_id/],
    [WireRequest.encode({ change: { $case: "promote", value: { nodeId: 0 } } }).finish(), /node_id/],
    [WireRequest.encode({ change: { $case: "remove", value: { nodeId: 0, storeId: "" } } }).finish(), /node_id/],
    [WireRequest.encode({ change: { $case: "remove", value: remove } }).finish(), /store_id/],
    [WireRequest.encode({ change: { $case: "transfer", value: { nodeId: 2 ** 40 } } }).finish(), /node_id/],
  ];
  for (const [bytes, words] of cases) {
    t.match(await changeRaw(one.address, bytes), { code: status.INVALID_ARGUMENT, details: words });
  }
  t.strictSame(one.witness.log, []);
});

t.test("changes of membership wait in a bounded number, and one that is answered makes room", async (t) => {
  const world = worldOf(t);
  const one = await world.start(1, new Witness());
  const answers: (() => void)[] = [];
  one.witness.onMembersChange = (_request, done) => {
    answers.push(() => done({ outcome: "done", reason: "", leaderAddress: "", nodeId: 2 }));
  };
  const ask = () => world.calls.changeMembers(one.address, { kind: "remove", nodeId: 2 }, 30_000);
  const first = Array.from({ length: 16 }, ask);
  await one.witness.untilSaw("change remove", 16);
  await t.rejects(ask(), { kind: "refused", message: /16 changes of membership are waiting already/ });
  answers[0]?.();
  await Promise.race(first);
  const next = ask();
  await one.witness.untilSaw("change remove", 17);
  for (const answer of answers.slice(1)) answer();
  await Promise.all([...first, next]);
});

t.test("a node of a version that does not know the question has done nothing", async (t) => {
  const old = await server(undefined);
  t.teardown(old.stop);
  const asked = new PeerClient().changeMembers(old.address, { kind: "remove", nodeId: 2 }, 10_000);
  await t.rejects(asked, { kind: "refused", message: new RegExp(`^${old.address} refused: `) });
});

t.test("what only a newer version can say is not known here", async (t) => {
  // outcome: 17
  const newer = await server(Buffer.from([0x08, 0x11]));
  t.teardown(newer.stop);
  const answer = await new PeerClient().changeMembers(newer.address, { kind: "remove", nodeId: 2 }, 10_000);
  t.equal(answer.outcome, "unknown");
  const members = [{ nodeId: 1, kind: 9, storeId: "", address: "" }];
  const configuration = { clusterId: "c", members };
  const reply = { outcome: WireOutcome.OUTCOME_DONE, reason: "", leaderId: 0, leaderAddress: "", nodeId: 0 };
  const newest = await server(Buffer.from(WireReply.encode({ ...reply, configuration }).finish()));
  t.teardown(newest.stop);
  const asked = new PeerClient().changeMembers(newest.address, { kind: "remove", nodeId: 2 }, 10_000);
  await t.rejects(asked, { kind: "unanswered", message: /answered what this version cannot read/ });
});

t.test("a name that does not resolve is unreachable", async (t) => {
  const asked = new PeerClient().describe("folio-nowhere.invalid:7070", 10_000);
  await t.rejects(asked, { kind: "unreachable", message: /^folio-nowhere.invalid:7070 cannot be reached: / });
});
