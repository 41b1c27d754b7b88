import { Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import t from "tap";
import { PeerLink } from "../../src/transport/peer-link.js";
import { identify, LISTENER_OPTIONS, PEER_SERVICE } from "../../src/transport/peer-protocol.js";
import { newCounters } from "../../src/transport/transport-stats.js";
import { Witness } from "./witness.js";

/** Node 2 as it is seen from outside: counts who calls, answers, and can hang up. */
async function listen() {
  const calls: ServerDuplexStream<Buffer, Buffer>[] = [];
  let called: () => void = () => {};
  const server = new Server(LISTENER_OPTIONS);
  server.addService(PEER_SERVICE, {
    exchange: (call: ServerDuplexStream<Buffer, Buffer>) => {
      calls.push(call);
      call.sendMetadata(identify(2));
      call.on("data", () => {});
      called();
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const untilCalled = async (times: number): Promise<void> => {
    while (calls.length < times) {
      await new Promise<void>((resolve) => {
        called = resolve;
      });
    }
  };
  return { address: `127.0.0.1:${port}`, calls, untilCalled, stop: () => server.forceShutdown() };
}

t.test(
  "a node with a lower id that has just started calls at its first tick; later it leaves others time",
  async (t) => {
    const two = await listen();
    t.teardown(two.stop);
    const witness = new Witness();
    const link = new PeerLink({
      self: 1,
      peer: 2,
      wall: () => 0,
      random: () => 0.5,
      notice: () => {},
      counters: newCounters(),
      events: () => witness,
      ended: () => {},
    });
    t.teardown(() => link.close({ code: 1, details: "the test is over" }));
    link.dialAt(two.address);
    link.dial();
    t.equal(two.calls.length, 0);
    link.tick();
    await two.untilCalled(1);
    await witness.untilSaw("connected 2");

    two.calls[0]?.end();
    await witness.untilSaw("disconnected 2");
    for (let tick = 0; tick < 3; tick++) link.tick();
    t.equal(link.connected, false);
    t.equal(two.calls.length, 1);
    link.tick();
    await two.untilCalled(2);
  },
);
