import fc from "fast-check";
import t from "tap";
import { MemoryNetwork, type NetworkEvent } from "../../src/transport/memory-transport.js";
import type { PeerCalls, PeerMessage } from "../../src/transport/transport.js";
import { callsContract } from "./calls-contract.js";
import { snapshotContract } from "./snapshot-contract.js";
import { transportContract, type World } from "./transport-contract.js";
import { connect, forward, type Site, Witness } from "./witness.js";

class MemoryWorld implements World {
  readonly network: MemoryNetwork;
  readonly #sites: Site[] = [];

  constructor(filter?: (from: number, to: number, messages: readonly PeerMessage[]) => readonly PeerMessage[]) {
    const defer = (callback: () => void): void => void setImmediate(callback);
    const timer = (delayMs: number, callback: () => void) => {
      const timeout = setTimeout(callback, delayMs);
      return () => clearTimeout(timeout);
    };
    const clocks = { wall: () => Date.now(), timer };
    this.network = new MemoryNetwork({ defer, ...clocks, ...(filter === undefined ? {} : { filter }) });
  }

  get calls(): PeerCalls {
    return this.network.calls(0);
  }

  async start(id: number, witness: Witness): Promise<Site> {
    const address = `node-${id}:1`;
    const transport = this.network.transport(id, address);
    await transport.start(witness);
    const site = { id, address, transport, witness };
    this.#sites.push(site);
    return site;
  }

  async end(): Promise<void> {
    for (const { transport } of this.#sites) await transport.stop();
  }
}

transportContract(t, "memory", () => new MemoryWorld());
snapshotContract(t, "memory", () => new MemoryWorld());
callsContract(t, "memory", () => new MemoryWorld());

t.test("nodes that are cut apart are disconnected, and connected again when the cut is healed", async (t) => {
  const world = new MemoryWorld();
  t.teardown(() => world.end());
  const [one, two] = [await world.start(1, new Witness()), await world.start(2, new Witness())];
  await connect(one, two);
  one.transport.send(2, [forward(1)]);
  world.network.cut(1, 2);
  await Promise.all([one.witness.untilSaw("disconnected 2"), two.witness.untilSaw("disconnected 1")]);
  one.transport.send(2, [forward(2)]);
  world.network.heal(2, 1);
  await Promise.all([one.witness.untilSaw("connected 2", 2), two.witness.untilSaw("connected 1", 2)]);
  one.transport.send(2, [forward(3)]);
  await two.witness.untilSaw("frame 1");
  t.strictSame(two.witness.forwardIds(1), [3], "what was under way when the stream was cut is lost");
});

t.test("a filter decides what of a frame arrives", async (t) => {
  const world = new MemoryWorld((from, _to, messages) =>
    messages.filter((message) => from === 2 && message.type === "forward" && message.forwardId % 2 === 0),
  );
  t.teardown(() => world.end());
  const [one, two] = [await world.start(1, new Witness()), await world.start(2, new Witness())];
  await connect(one, two);
  one.transport.send(2, [forward(2)]);
  two.transport.send(1, [forward(1)]);
  two.transport.send(1, [forward(2), forward(3), forward(4)]);
  await one.witness.untilSaw("frame 2");
  t.strictSame(one.witness.forwardIds(2), [2, 4]);
  t.strictSame(two.witness.messages, []);
});

t.test("two live nodes cannot have one id", async (t) => {
  const world = new MemoryWorld();
  t.teardown(() => world.end());
  await world.start(1, new Witness());
  await t.rejects(world.network.transport(1).start(new Witness()), /node 1 is on the network already/);
});

t.test("whatever the delays are, frames of a stream keep their order and connected comes first", async (t) => {
  const property = fc.property(fc.infiniteStream(fc.nat(20)), fc.nat(30), (delays, count) => {
    const due: { readonly at: number; readonly event: NetworkEvent; readonly callback: () => void }[] = [];
    let now = 0;
    const defer = (callback: () => void, event: NetworkEvent): void => {
      due.push({ at: now + 1 + (delays.next().value ?? 0), event, callback });
    };
    const run = (): void => {
      while (due.length > 0) {
        due.sort((left, right) => left.at - right.at);
        const next = due.shift();
        now = next?.at ?? now;
        next?.callback();
      }
    };
    const network = new MemoryNetwork({ defer, wall: () => now });
    const sites = [1, 2].map((id) => ({ id, address: "", transport: network.transport(id), witness: new Witness() }));
    for (const { transport, witness } of sites) void transport.start(witness);
    for (const { transport } of sites) transport.setPeers(sites);
    run();
    const ids = Array.from({ length: count }, (_, index) => index);
    for (const id of ids) sites[0]?.transport.send(2, [forward(id)]);
    run();
    const { log } = sites[1]?.witness ?? new Witness();
    if (log[0] !== "connected 1") throw new Error(`began with ${log[0]}`);
    if (String(sites[1]?.witness.forwardIds(1)) !== String(ids)) throw new Error("out of order");
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 200 }));
});
