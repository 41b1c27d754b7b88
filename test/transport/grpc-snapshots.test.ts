import {
  Client,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServerWritableStream,
  status,
} from "@grpc/grpc-js";
import t from "tap";
import { FETCH_OPTIONS, identify, LISTENER_OPTIONS, PEER_SERVICE } from "../../src/transport/peer-protocol.js";
import { encodeChunk, encodeFetch } from "../../src/transport/snapshot-codec.js";
import { GrpcWorld, worldOf } from "./grpc-world.js";
import { snapshotContract } from "./snapshot-contract.js";
import { Basket, CountingSource, chunkOf, gate, offers } from "./snapshot-ends.js";
import { connect, Witness } from "./witness.js";

snapshotContract(t, "gRPC", () => new GrpcWorld());

/** A receiver that speaks gRPC but is no node of ours. */
function fetchRaw(address: string, metadata: Metadata, request = encodeFetch(5)) {
  const client = new Client(`dns:${address}`, credentials.createInsecure(), FETCH_OPTIONS);
  const { path, requestSerialize, responseDeserialize } = PEER_SERVICE.fetchSnapshot;
  const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, metadata);
  const ended = new Promise<{ code: number; details: string }>((resolve) => {
    call.on("error", (error: Error & { code: number; details: string }) => resolve(error));
  });
  const hangUp = (): void => {
    call.cancel();
    client.close();
  };
  return { call, ended, hangUp };
}

/** A sender that answers under a node's name, or none, and does with the call what the test wants. */
async function impersonate(name: Metadata, onCall: (call: ServerWritableStream<Buffer, Buffer>) => void) {
  const server = new Server(LISTENER_OPTIONS);
  server.addService(PEER_SERVICE, {
    fetchSnapshot: (call: ServerWritableStream<Buffer, Buffer>) => {
      call.sendMetadata(name);
      onCall(call);
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { address: `127.0.0.1:${port}`, stop: () => server.forceShutdown() };
}

t.test("a receiver that does not say who it is, or says nonsense, is refused", async (t) => {
  const world = worldOf(t);
  const one = await world.start(1, new Witness());
  for (const [metadata, code] of [
    [new Metadata(), status.UNAUTHENTICATED],
    [identify(1), status.INVALID_ARGUMENT],
  ] as const) {
    const caller = fetchRaw(one.address, metadata);
    caller.call.resume();
    t.equal((await caller.ended).code, code);
    caller.hangUp();
  }
  const garbled = fetchRaw(one.address, identify(2), Buffer.from([0x08]));
  garbled.call.resume();
  t.match(await garbled.ended, { code: status.INVALID_ARGUMENT, details: /malformed request/ });
  garbled.hangUp();
  t.strictSame(one.witness.log, []);
});

t.test("a sender that answers under another name is not listened to", async (t) => {
  const world = worldOf(t);
  const two = await world.start(2, new Witness());
  for (const [name, words] of [
    [identify(3), /answers as node 3/],
    [new Metadata(), /answers as node without a name/],
  ] as const) {
    const liar = await impersonate(name, (call) => call.write(encodeChunk(chunkOf(0, 100))));
    t.teardown(liar.stop);
    two.transport.setPeers([{ id: 1, address: liar.address }]);
    const basket = new Basket();
    two.transport.fetchSnapshot(1, 5, basket);
    t.match(await basket.untilEnded(), words);
    t.equal(basket.count, 0);
  }
});

t.test("malformed chunks end the transfer", async (t) => {
  const world = worldOf(t);
  const two = await world.start(2, new Witness());
  const liar = await impersonate(identify(1), (call) => {
    call.write(encodeChunk(chunkOf(0, 100)));
    call.write(Buffer.from([0x0a, 0x7f, 0x00]));
  });
  t.teardown(liar.stop);
  two.transport.setPeers([{ id: 1, address: liar.address }]);
  const basket = new Basket();
  two.transport.fetchSnapshot(1, 5, basket);
  t.match(await basket.untilEnded(), /malformed chunk/);
  t.equal(basket.count, 1);
});

t.test("a sender that says nothing is given up, before the first chunk and after it", async (t) => {
  const world = worldOf(t);
  const one = await world.start(1, new Witness());
  const two = await world.start(2, new Witness(), { snapshotIdleMs: 150 });
  await connect(one, two);
  const basket = new Basket();
  one.witness.onSnapshot = () => {};
  two.transport.fetchSnapshot(1, 5, basket);
  t.match(await basket.untilEnded(), /nothing came for 150 ms/);

  const [source, later] = [new CountingSource({ chunks: 5 }), new Basket()];
  const next = source.next.bind(source);
  source.next = (done) => {
    if (source.asked < 3) next(done);
  };
  offers(one.witness, source);
  two.transport.fetchSnapshot(1, 5, later);
  t.match(await later.untilEnded(), /nothing came for 150 ms/);
  t.equal(later.count, 3);
  await source.untilClosed;
  t.equal(source.closed, 1);
});

t.test("what the sink keeps for long is not silence of the sender", async (t) => {
  const world = worldOf(t);
  const one = await world.start(1, new Witness());
  const two = await world.start(2, new Witness(), { snapshotIdleMs: 150 });
  await connect(one, two);
  const [source, basket] = [new CountingSource({ chunks: 5 }), new Basket()];
  offers(one.witness, source);
  basket.hold = (number) => (number === 1 ? new Promise((resolve) => setTimeout(resolve, 400)) : undefined);
  two.transport.fetchSnapshot(1, 5, basket);
  t.equal(await basket.untilEnded(), "whole");
});

t.test("a receiver that is slower than its sender gets the last chunk, too, and then hears of the end", async (t) => {
  const world = worldOf(t);
  const [one, two] = [await world.start(1, new Witness()), await world.start(2, new Witness())];
  await connect(one, two);
  for (const heldChunk of [0, 1, 2]) {
    const [source, basket, later] = [new CountingSource({ chunks: 3 }), new Basket(), new Basket()];
    offers(one.witness, source, new CountingSource({ chunks: 20 }));
    const held = gate();
    basket.hold = (number) => (number === heldChunk ? held.opened : undefined);
    two.transport.fetchSnapshot(1, 5, basket);
    await basket.until(() => basket.count === heldChunk + 1);
    await source.untilClosed;
    // A whole other transfer takes longer than the end of this one takes to arrive.
    two.transport.fetchSnapshot(1, 5, later);
    t.equal(await later.untilEnded(), "whole");
    t.strictSame(basket.endings, [], "not before everything was taken");
    held.open();
    t.equal(await basket.untilEnded(), "whole");
    t.equal(basket.count, 3);
  }
});

t.test("a receiver that takes nothing for too long is hung up on, and the source is closed", async (t) => {
  const world = worldOf(t);
  const one = await world.start(1, new Witness(), { snapshotStallMs: 150 });
  const two = await world.start(2, new Witness());
  await connect(one, two);
  const [source, basket] = [new CountingSource({ chunks: 400, chunkBytes: 256 * 1024 }), new Basket()];
  offers(one.witness, source);
  const held = gate();
  basket.hold = () => held.opened;
  two.transport.fetchSnapshot(1, 5, basket);
  await source.untilClosed;
  t.equal(source.closed, 1);
  held.open();
  t.match(await basket.untilEnded(), /the receiver took nothing for 150 ms/);
});

t.test("each fetch goes to the address that the peer has then", async (t) => {
  const world = worldOf(t);
  const two = await world.start(2, new Witness());
  two.transport.setPeers([{ id: 3, address: "127.0.0.1:1" }]);
  const lost = new Basket();
  two.transport.fetchSnapshot(3, 5, lost);
  t.match(await lost.untilEnded(), /^no snapshot from node 3: /);
  const three = await world.start(3, new Witness());
  offers(three.witness, new CountingSource({ chunks: 5 }), new CountingSource({ chunks: 5 }));
  two.transport.setPeers([{ id: 3, address: `localhost:${three.transport.port}` }]);
  const found = new Basket();
  two.transport.fetchSnapshot(3, 5, found);
  t.equal(await found.untilEnded(), "whole");
});

t.test(
  "a transfer outlives the stream between the two, and that the sender drops the receiver from its peers",
  async (t) => {
    const world = worldOf(t);
    const [one, two] = [await world.start(1, new Witness()), await world.start(2, new Witness())];
    await connect(one, two);
    const [source, basket] = [new CountingSource({ chunks: 50 }), new Basket()];
    offers(one.witness, source);
    const held = gate();
    basket.hold = (number) => (number === 3 ? held.opened : undefined);
    two.transport.fetchSnapshot(1, 5, basket);
    await basket.until(() => basket.count === 4);
    one.transport.setPeers([]);
    await two.witness.untilSaw("disconnected 1");
    held.open();
    t.equal(await basket.untilEnded(), "whole");
  },
);
