import t from "tap";
import { StallingProxy } from "../stalling-proxy.js";
import { worldOf } from "./grpc-world.js";
import { Witness } from "./witness.js";

/** Keepalive would break the connection after 8 s; whoever stops must not have to wait for that. */
const LIMIT_MS = 6000;

for (const stops of ["acceptor", "dialler"] as const) {
  t.test(`the ${stops} of a stream stops at once, also while the other side hears nothing`, async (t) => {
    const world = worldOf(t);
    const [one, two] = [await world.start(1, new Witness()), await world.start(2, new Witness())];
    const proxy = await StallingProxy.start(one.transport.port);
    t.teardown(() => proxy.stop());
    // The node with the higher id dials.
    one.transport.setPeers([{ id: 2, address: two.address }]);
    two.transport.setPeers([{ id: 1, address: `127.0.0.1:${proxy.port}` }]);
    await Promise.all([one.witness.untilSaw("connected 2"), two.witness.untilSaw("connected 1")]);
    proxy.stall("acceptor");
    proxy.stall("dialler");
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(resolve, LIMIT_MS, "it waited for the other side");
    });
    const stopped = (stops === "acceptor" ? one : two).transport.stop().then(() => "it has stopped");
    t.equal(await Promise.race([stopped, late]), "it has stopped");
    clearTimeout(timer);
  });
}
