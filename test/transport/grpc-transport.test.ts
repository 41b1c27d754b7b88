import net from "node:net";
import { networkInterfaces } from "node:os";
import {
  Client,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  status,
} from "@grpc/grpc-js";
import t from "tap";
import { DIALLER_OPTIONS, identify, LISTENER_OPTIONS, PEER_SERVICE } from "../../src/transport/peer-protocol.js";
import { GrpcWorld, worldOf } from "./grpc-world.js";
import { transportContract } from "./transport-contract.js";
import { connect, forward, meet, Witness } from "./witness.js";

transportContract(t, "gRPC", () => new GrpcWorld());

/** A caller that speaks gRPC but is no node of ours. */
function callRaw(address: string, metadata: Metadata) {
  const client = new Client(`dns:${address}`, credentials.createInsecure(), DIALLER_OPTIONS);
  const { path, requestSerialize, responseDeserialize } = PEER_SERVICE.exchange;
  const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata);
  const answered = new Promise<void>((resolve) => call.on("metadata", () => resolve()));
  const ended = new Promise<{ code: number; details: string }>((resolve) => {
    call.on("error", (error: Error & { code: number; details: string }) => resolve(error));
  });
  call.on("data", () => {});
  const hangUp = (): void => {
    call.cancel();
    client.close();
  };
  return { call, answered, ended, hangUp };
}

/** A listener that answers under a node's name and does with the stream what the test wants. */
async function impersonate(
  nodeId: number,
  onStream: (call: ServerDuplexStream<Buffer, Buffer>) => void,
  { answersAtOnce } = { answersAtOnce: true },
) {
  const server = new Server(LISTENER_OPTIONS);
  server.addService(PEER_SERVICE, {
    exchange: (call: ServerDuplexStream<Buffer, Buffer>) => {
      if (answersAtOnce) call.sendMetadata(identify(nodeId));
      call.on("data", () => {});
      onStream(call);
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { address: `127.0.0.1:${port}`, stop: () => server.forceShutdown() };
}

t.test("malformed bytes from a caller end its stream with the reason, and the node goes on", async (t) => {
  const world = worldOf(t);
  const [one, two] = [await world.start(1, new Witness()), await world.start(2, new Witness())];
  await connect(one, two);
  const caller = callRaw(one.address, identify(9));
  t.teardown(caller.hangUp);
  await one.witness.untilSaw("connected 9");
  caller.call.write(Buffer.from("this is no frame"));
  const { code, details } = await caller.ended;
  t.equal(code, status.INVALID_ARGUMENT);
  t.match(details, /malformed frame/);
  await one.witness.untilSaw("disconnected 9");
  t.equal(one.transport.stats.streamsMalformed, 1);
  t.match(one.notices[0], /the stream to node 9 ended: malformed frame/);
  two.transport.send(1, [forward(1)]);
  await one.witness.untilSaw("frame 2");
});

t.test("malformed bytes from a node that was dialled end the stream, and it is dialled again", async (t) => {
  const world = worldOf(t);
  let streams = 0;
  const liar = await impersonate(1, (call) => {
    streams += 1;
    if (streams === 1) call.write(Buffer.alloc(40, 0xff));
  });
  t.teardown(liar.stop);
  const two = await world.start(2, new Witness());
  two.transport.setPeers([{ id: 1, address: liar.address }]);
  await two.witness.untilSaw("connected 1", 2);
  t.strictSame(two.witness.log, ["connected 1", "disconnected 1", "connected 1"]);
  t.equal(two.transport.stats.streamsMalformed, 1);
});

t.test("bytes that are not even HTTP/2 do the node no harm", async (t) => {
  const world = worldOf(t);
  const one = await world.start(1, new Witness());
  const socket = net.connect(one.transport.port, "127.0.0.1");
  socket.on("error", () => {});
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  socket.write("GET / HTTP/1.1\r\nHost: folio\r\n\r\n");
  socket.resume();
  await closed;
  await connect(one, await world.start(2, new Witness()));
  t.strictSame(one.witness.log, ["connected 2"]);
});

t.test("a caller that does not say who it is, or says nonsense, is refused with a status", async (t) => {
  const world = worldOf(t);
  const one = await world.start(1, new Witness());
  const cases = [[], ["0"], ["-3"], ["two"], ["1e3"], [" 4"], ["4294967296"], ["99999999999999999999"], ["2", "3"]];
  for (const values of cases) {
    const metadata = new Metadata();
    for (const value of values) metadata.add("folio-node-id", value);
    const caller = callRaw(one.address, metadata);
    const { code, details } = await caller.ended;
    caller.hangUp();
    t.equal(code, status.UNAUTHENTICATED, JSON.stringify(values));
    t.match(details, /folio-node-id/);
  }
  const twin = callRaw(one.address, identify(1));
  const { code, details } = await twin.ended;
  twin.hangUp();
  t.equal(code, status.INVALID_ARGUMENT);
  t.match(details, /this node itself/);
  t.strictSame(one.witness.log, []);
});

t.test("strangers are accepted up to a bound, and one that leaves makes room", async (t) => {
  const world = worldOf(t);
  const one = await world.start(1, new Witness());
  one.transport.setPeers([{ id: 2, address: "127.0.0.1:1" }]);
  const callers = Array.from({ length: 16 }, (_, index) => callRaw(one.address, identify(100 + index)));
  t.teardown(() => {
    for (const { hangUp } of callers) hangUp();
  });
  await Promise.all(callers.map(({ answered }) => answered));
  const tooMany = callRaw(one.address, identify(200));
  t.equal((await tooMany.ended).code, status.RESOURCE_EXHAUSTED);
  tooMany.hangUp();
  await connect(one, await world.start(2, new Witness()));
  callers[0]?.hangUp();
  await one.witness.untilSaw("disconnected 100");
  const late = callRaw(one.address, identify(200));
  t.teardown(late.hangUp);
  await one.witness.untilSaw("connected 200");
  t.equal(one.transport.stats.peersConnected, 17);
});

t.test("a newer stream of a peer replaces the older one", async (t) => {
  const world = worldOf(t);
  const one = await world.start(1, new Witness());
  const older = callRaw(one.address, identify(5));
  t.teardown(older.hangUp);
  await one.witness.untilSaw("connected 5");
  const newer = callRaw(one.address, identify(5));
  t.teardown(newer.hangUp);
  t.equal((await older.ended).code, status.ABORTED);
  await one.witness.untilSaw("connected 5", 2);
  t.strictSame(one.witness.log, ["connected 5", "disconnected 5", "connected 5"]);
  t.equal(one.transport.stats.peersConnected, 1);
});

t.test("a node that answers under another name is not talked to, and the operator reads why", async (t) => {
  const world = worldOf(t);
  const [one, three] = [await world.start(1, new Witness()), await world.start(3, new Witness())];
  three.transport.setPeers([{ id: 2, address: one.address }]);
  await one.witness.untilSaw("disconnected 3");
  t.strictSame(three.witness.log, []);
  t.match(three.notices[0], /node 2 cannot be reached at .*answers as node 1/);
});

t.test("a peer whose address changes is dialled at the new one", async (t) => {
  const world = worldOf(t);
  const [one, three] = [await world.start(1, new Witness()), await world.start(3, new Witness())];
  three.transport.setPeers([{ id: 2, address: "127.0.0.1:1" }]);
  const two = await world.start(2, new Witness());
  three.transport.setPeers([two]);
  await three.witness.untilSaw("connected 2");
  const moved = await new GrpcWorld().start(2, new Witness());
  t.teardown(() => moved.transport.stop());
  three.transport.setPeers([moved, one]);
  await three.witness.untilSaw("connected 2", 2);
  three.transport.send(2, [forward(1)]);
  await moved.witness.untilSaw("frame 3");
  await two.witness.untilSaw("disconnected 3");
});

t.test(
  "a joiner with a lower id is answered by a member that does not know it, and stays when it is known",
  async (t) => {
    const world = worldOf(t);
    const [joiner, member] = [await world.start(2, new Witness()), await world.start(3, new Witness())];
    member.transport.setPeers([]);
    joiner.transport.setPeers([member]);
    await Promise.all([member.witness.untilSaw("connected 2"), joiner.witness.untilSaw("connected 3")]);
    member.transport.setPeers([joiner]);
    member.transport.send(2, [forward(1)]);
    await joiner.witness.untilSaw("frame 3");
    t.strictSame(joiner.witness.log, ["connected 3", "frame 3"]);
    t.strictSame(member.witness.log, ["connected 2"]);
  },
);

t.test(
  "a member with a lower id that moved calls those who look for it where it was, and is readdressed",
  async (t) => {
    const world = worldOf(t);
    const [one, three] = [await world.start(1, new Witness()), await world.start(3, new Witness())];
    three.transport.setPeers([{ id: 1, address: "127.0.0.1:1" }]);
    one.transport.setPeers([three]);
    await Promise.all([one.witness.untilSaw("connected 3"), three.witness.untilSaw("connected 1")]);
    three.transport.setPeers([one]);
    three.transport.send(1, [forward(1)]);
    await one.witness.untilSaw("frame 3");
    t.strictSame(three.witness.log, ["connected 1"], "the stream that came in is no stream to the old address");
  },
);

t.test("a member that moved and calls from its new place keeps that stream when the others learn of it", async (t) => {
  const world = worldOf(t);
  const [one, three] = [await world.start(1, new Witness()), await world.start(3, new Witness())];
  one.transport.setPeers([{ id: 3, address: "127.0.0.1:1" }]);
  three.transport.setPeers([one]);
  await one.witness.untilSaw("connected 3");
  one.transport.setPeers([three]);
  one.transport.send(3, [forward(1)]);
  await three.witness.untilSaw("frame 1");
  t.strictSame(one.witness.log, ["connected 3"]);
});

t.test("where both dial, the stream of the node with the higher id stays on both sides", async (t) => {
  const world = worldOf(t);
  const [two, three] = [await world.start(2, new Witness()), await world.start(3, new Witness())];
  two.transport.setPeers([]);
  three.transport.setPeers([two]);
  await three.witness.untilSaw("connected 2");
  const second = callRaw(three.address, identify(2));
  t.equal((await second.ended).code, status.ALREADY_EXISTS);
  second.hangUp();

  // The other way around: node 2 dials, and is answered only after node 4 has dialled.
  let answer: () => void = () => {};
  let hungUp: () => void = () => {};
  const asked = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const gone = new Promise<void>((resolve) => {
    hungUp = resolve;
  });
  let call: ServerDuplexStream<Buffer, Buffer> | undefined;
  const isDialled = (inbound: ServerDuplexStream<Buffer, Buffer>): void => {
    call = inbound;
    inbound.on("cancelled", hungUp);
    answer();
  };
  const slow = await impersonate(4, isDialled, { answersAtOnce: false });
  t.teardown(slow.stop);
  two.transport.setPeers([three, { id: 4, address: slow.address }]);
  await asked;
  const four = callRaw(two.address, identify(4));
  t.teardown(four.hangUp);
  await two.witness.untilSaw("connected 4");
  call?.sendMetadata(identify(4));
  await gone;
  t.strictSame(two.witness.log, ["connected 3", "connected 4"]);
});

t.test("peers come and go at any time, above and below, and leave the others alone", async (t) => {
  const world = worldOf(t);
  const start = (id: number) => world.start(id, new Witness());
  const [four, two, six, one, five] = [await start(4), await start(2), await start(6), await start(1), await start(5)];
  await connect(four, two);
  await connect(four, two, six);
  await connect(four, two, six, one);
  for (const { transport } of [four, six, one]) transport.setPeers([four, six, one]);
  two.transport.setPeers([]);
  await Promise.all([four, six, one].map(({ witness }) => witness.untilSaw("disconnected 2")));
  await connect(four, six, one, five);
  t.strictSame(four.witness.log, ["connected 2", "connected 6", "connected 1", "disconnected 2", "connected 5"]);
  t.equal(four.transport.stats.peersConnected, 3);
});

t.test("a name that does not resolve is tried on, and a right one then connects", async (t) => {
  const world = worldOf(t);
  const one = await world.start(1, new Witness());
  let tell: (message: string) => void = () => {};
  const told = new Promise<string>((resolve) => {
    tell = resolve;
  });
  const two = await world.start(2, new Witness(), { notice: (_level, message) => tell(message) });
  two.transport.setPeers([{ id: 1, address: "folio-nowhere.invalid:7070" }]);
  t.match(await told, /cannot be reached at folio-nowhere.invalid:7070/);
  const port = one.transport.port;
  two.transport.setPeers([{ id: 1, address: `localhost:${port}` }]);
  await two.witness.untilSaw("connected 1");
});

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === "::1"),
);

t.test("IPv6 addresses stand in brackets", { skip: hasIpv6 ? false : "no IPv6 loopback here" }, async (t) => {
  const world = worldOf(t);
  const one = await world.start(1, new Witness(), { host: "::1" });
  const two = await world.start(2, new Witness());
  two.transport.setPeers([{ id: 1, address: `[::1]:${one.transport.port}` }]);
  await two.witness.untilSaw("connected 1");
});

t.test("a listener that cannot bind rejects with a sentence that names the address", async (t) => {
  const world = worldOf(t);
  const one = await world.start(1, new Witness());
  const { port } = one.transport;
  await t.rejects(world.start(2, new Witness(), { port }), {
    message: new RegExp(`the peer port cannot listen on 127.0.0.1:${port}: another process listens there`),
  });
});

t.test("a stopped node's port is free again, and its connections are gone", async (t) => {
  const world = worldOf(t);
  const [one, two] = [await world.start(1, new Witness()), await world.start(2, new Witness())];
  await connect(one, two);
  const { port } = one.transport;
  await one.transport.stop();
  const server = net.createServer();
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", () => resolve()));
  await new Promise<void>((resolve) => server.close(() => resolve()));
  t.equal(one.transport.stats.peersConnected, 0);
});

t.test("what a peer does not take is buffered up to a bound, and dropped beyond it", async (t) => {
  const world = worldOf(t);
  const one = await world.start(1, new Witness());
  const sleeper = callRaw(one.address, identify(4));
  sleeper.call.pause();
  t.teardown(sleeper.hangUp);
  await one.witness.untilSaw("connected 4");
  const frames = Array.from({ length: 64 }, (_, index) => forward(index, 1024 * 1024));
  for (const frame of frames) one.transport.send(4, [frame]);
  const { framesDropped } = one.transport.stats;
  t.ok(framesDropped >= 32 && framesDropped < 64, `${framesDropped} of 64 MiB were dropped`);
  one.transport.send(99, [forward(1)]);
  t.equal(one.transport.stats.framesDropped, framesDropped + 1, "so is what is sent to a node without a stream");
});

t.test("a message that is larger than can be sent is dropped, the operator told, and the stream lives", async (t) => {
  const world = worldOf(t);
  const [one, two] = [await world.start(1, new Witness()), await world.start(2, new Witness())];
  await connect(one, two);
  two.transport.send(1, [forward(1, 17 * 1024 * 1024), forward(2)]);
  await one.witness.untilSaw("frame 2");
  t.strictSame(one.witness.forwardIds(2), [2]);
  t.equal(two.transport.stats.framesDropped, 1);
  t.match(two.notices, [/a message to node 1 is too large/]);
});

t.test("a peer that falls silent is dialled anew beside the silent stream, which is then replaced", async (t) => {
  const world = worldOf(t);
  const mute = await impersonate(1, () => {});
  t.teardown(mute.stop);
  const two = await world.start(2, new Witness());
  two.transport.setPeers([{ id: 1, address: mute.address }]);
  await two.witness.untilSaw("connected 1", 2);
  t.strictSame(two.witness.log, ["connected 1", "disconnected 1", "connected 1"]);
});

t.test("idle peers stay connected: they tell each other that they live", async (t) => {
  const world = worldOf(t);
  const [one, two] = [await world.start(1, new Witness()), await world.start(2, new Witness())];
  await connect(one, two);
  const heard = (): number => Math.min(one.transport.stats.framesReceived, two.transport.stats.framesReceived);
  await new Promise<void>((resolve) => {
    const look = (): void => void (heard() >= 6 ? resolve() : setTimeout(look, 50));
    look();
  });
  t.strictSame([one.witness.log, two.witness.log], [["connected 2"], ["connected 1"]]);
});

t.test("a stream counts what went over it", async (t) => {
  const world = worldOf(t);
  const [one, two] = [await world.start(1, new Witness()), await world.start(2, new Witness())];
  meet(one, two);
  await connect(one, two);
  two.transport.send(1, [forward(1, 1_000)]);
  await one.witness.untilSaw("frame 2");
  const { framesReceived, bytesReceived, streamsOpened, peersConnected } = one.transport.stats;
  t.ok(framesReceived >= 1 && bytesReceived > 1_000);
  t.strictSame({ streamsOpened, peersConnected }, { streamsOpened: 1, peersConnected: 1 });
});
