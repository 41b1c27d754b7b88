import fc from "fast-check";
import t from "tap";
import { MemoryNetwork, type NetworkEvent } from "../../src/transport/memory-transport.js";
import type { PeerCallFailure } from "../../src/transport/transport.js";
import { Basket, CountingSource, chunkOf, offers } from "./snapshot-ends.js";
import { Witness } from "./witness.js";

/** A network on a clock of its own: everything is delayed by what the test says, and happens in `run`. */
class VirtualWorld {
  nowMs = 0;
  readonly network: MemoryNetwork;
  loses: (event: NetworkEvent) => boolean = () => false;
  readonly #due: { readonly atMs: number; readonly order: number; readonly callback: () => void }[] = [];
  #order = 0;

  constructor(delayMs: () => number = () => 1) {
    this.network = new MemoryNetwork({
      defer: (callback) => void this.after(delayMs(), callback),
      wall: () => this.nowMs,
      loses: (event) => this.loses(event),
      timer: (delay, callback) => this.after(delay, callback),
    });
  }

  after(delayMs: number, callback: () => void): () => void {
    const entry = { atMs: this.nowMs + delayMs, order: this.#order++, callback };
    this.#due.push(entry);
    return () => {
      const place = this.#due.indexOf(entry);
      if (place >= 0) this.#due.splice(place, 1);
    };
  }

  /** Until nothing more happens, or the condition holds. */
  run(condition: () => boolean = () => false): void {
    while (this.#due.length > 0 && !condition()) {
      this.#due.sort((left, right) => left.atMs - right.atMs || left.order - right.order);
      const next = this.#due.shift();
      this.nowMs = next?.atMs ?? this.nowMs;
      next?.callback();
    }
  }

  start(id: number) {
    const [transport, witness] = [this.network.transport(id), new Witness()];
    void transport.start(witness);
    transport.setPeers([1, 2, 3].map((peer) => ({ id: peer, address: "" })));
    return { transport, witness };
  }
}

/** Answers in the turn that it is asked in. */
class InstantSource extends CountingSource {
  override next(done: (failure: Error | undefined, chunk: Uint8Array | undefined) => void): void {
    const number = this.asked++;
    done(undefined, number < 20 ? chunkOf(number, 50) : undefined);
  }
}

function transferring(world: VirtualWorld) {
  const [one, two] = [world.start(1), world.start(2)];
  const [source, basket] = [new InstantSource({ chunks: 20 }), new Basket()];
  one.witness.onSnapshot = (_from, _least, done) => done({ source });
  const fetch = two.transport.fetchSnapshot(1, 5, basket);
  return { one, two, source, basket, fetch };
}

t.test("each chunk takes the link's time, there and back", async (t) => {
  const world = new VirtualWorld(() => 10);
  const { basket, source } = transferring(world);
  world.run();
  t.strictSame([basket.endings, basket.count, source.closed], [["whole"], 20, 1]);
  t.equal(world.nowMs, 420);
});

t.test("a cut ends the transfers over that link, and no others", async (t) => {
  const world = new VirtualWorld();
  const { basket, source, two } = transferring(world);
  const three = world.start(3);
  const [other, undisturbed] = [new InstantSource({ chunks: 20 }), new Basket()];
  three.witness.onSnapshot = (_from, _least, done) => done({ source: other });
  two.transport.fetchSnapshot(3, 5, undisturbed);
  world.run(() => basket.count === 4);
  world.network.cut(2, 1);
  t.strictSame([source.closed, basket.endings], [1, []], "not from within the call");
  world.run();
  t.strictSame(basket.endings, ["no snapshot from node 1: the connection broke"]);
  t.strictSame([undisturbed.endings, other.closed, basket.count], [["whole"], 1, 4]);
  const again = new Basket();
  two.transport.fetchSnapshot(1, 5, again);
  world.run();
  t.strictSame(again.endings, ["no snapshot from node 1: the connection broke"]);
});

t.test("a lost step ends the transfer on both sides", async (t) => {
  for (const direction of [1, 2]) {
    const world = new VirtualWorld();
    const { basket, source } = transferring(world);
    world.run(() => basket.count === 7);
    world.loses = ({ kind, to }) => kind === "chunk" && to === direction;
    world.run();
    t.strictSame(basket.endings, ["no snapshot from node 1: the connection broke"]);
    t.strictSame([basket.count, source.closed], [7, 1]);
  }
});

t.test("a source that never answers is given up after 10 s of the network's clock", async (t) => {
  const world = new VirtualWorld();
  const [one, two] = [world.start(1), world.start(2)];
  const [source, basket] = [new InstantSource({ chunks: 20 }), new Basket()];
  source.next = () => {};
  one.witness.onSnapshot = (_from, _least, done) => done({ source });
  two.transport.fetchSnapshot(1, 5, basket);
  world.run();
  t.strictSame(basket.endings, ["no snapshot from node 1: no chunk came for too long"]);
  t.strictSame([source.closed, world.nowMs], [1, 10_001]);
});

t.test("calls fail on a cut link, and those under way when it is cut or loses them", async (t) => {
  const world = new VirtualWorld();
  const one = world.start(1);
  one.witness.onMembersChange = () => {};
  const kinds: string[] = [];
  const ask = (from: number): void => {
    const call = world.network.calls(from).changeMembers("node-1:7070", { kind: "remove", nodeId: 3 }, 60_000);
    call.catch((failure: PeerCallFailure) => kinds.push(failure.kind));
  };
  ask(2);
  world.run(() => one.witness.count("change remove") === 1);
  world.network.cut(1, 2);
  ask(2);
  world.run();
  await Promise.resolve();
  t.strictSame(kinds, ["unanswered", "unreachable"]);
  one.witness.onMembersChange = (_request, done) => done({ outcome: "done", reason: "", leaderAddress: "", nodeId: 3 });
  world.loses = ({ kind, from }) => kind === "call" && from === 1;
  ask(3);
  world.run();
  await Promise.resolve();
  t.strictSame(kinds, ["unanswered", "unreachable", "unanswered"]);
  t.equal(one.witness.count("change remove"), 2);
});

t.test(
  "whatever is lost, cancelled or stopped, and when: a source is closed once, a sink hears one end, or none",
  async (t) => {
    const fault = fc.constantFrom("none", "cancel", "cut", "lose", "stopSender", "stopReceiver");
    const property = fc.property(
      fc.infiniteStream(fc.nat(20)),
      fault,
      fc.nat(400),
      fc.boolean(),
      (delays, what, atMs, late) => {
        const world = new VirtualWorld(() => 1 + (delays.next().value ?? 0));
        const [one, two] = [world.start(1), world.start(2)];
        const [source, basket] = [new InstantSource({ chunks: 20 }), new Basket()];
        one.witness.onSnapshot = (_from, _least, done) => {
          if (late) world.after(100, () => done({ source }));
          else done({ source });
        };
        const fetch = two.transport.fetchSnapshot(1, 5, basket);
        world.after(atMs, () => {
          if (what === "cancel") fetch.cancel();
          else if (what === "cut") world.network.cut(1, 2);
          else if (what === "lose") world.loses = () => true;
          else if (what === "stopSender") void one.transport.stop();
          else if (what === "stopReceiver") void two.transport.stop();
        });
        world.run();
        const wasGiven = one.witness.count("snapshot 2 5") === 1;
        if (source.closed !== (wasGiven ? 1 : 0)) throw new Error(`closed ${source.closed} times`);
        const isSilent = what === "cancel" || what === "stopReceiver";
        if (basket.endings.length !== 1 && !(isSilent && basket.endings.length === 0)) {
          throw new Error(`ends: ${basket.endings.join("; ")}`);
        }
        if (basket.endings[0] === "whole" && basket.count !== 20) throw new Error(`whole after ${basket.count} chunks`);
      },
    );
    t.doesNotThrow(() => fc.assert(property, { numRuns: 500 }));
  },
);

t.test("the same delays and faults give the same course", async (t) => {
  const course = (): string => {
    let seed = 7;
    const world = new VirtualWorld(() => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % 17;
    });
    world.loses = () => seed % 97 === 0;
    const log: string[] = [];
    const [one, two] = [world.start(1), world.start(2)];
    for (let round = 0; round < 20; round += 1) {
      const basket = new Basket();
      offers(one.witness, new InstantSource({ chunks: 20 }));
      two.transport.fetchSnapshot(1, round, basket);
      world.run();
      log.push(`${world.nowMs} ${basket.count} ${basket.endings.join()}`);
    }
    return log.join("\n");
  };
  t.equal(course(), course());
  t.match(course(), /whole/);
  t.match(course(), /broke/);
});
