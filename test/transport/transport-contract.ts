import type { Test } from "tap";
import type { NodeId } from "../../src/raft/types.js";
import type { PeerCalls, PeerMessage } from "../../src/transport/transport.js";
import { connect, forward, intact, meet, type Site, Witness } from "./witness.js";

/** Where a contract test takes its nodes from. */
export interface World {
  /** Starts a node; one that had the id before must have been stopped, and its address is used again. */
  start(id: NodeId, witness: Witness): Promise<Site>;
  /** For somebody who is no node of this world. */
  readonly calls: PeerCalls;
  /** Stops whatever still runs. */
  end(): Promise<void>;
}

const MIB = 1024 * 1024;

/** What every transport must do. */
export function transportContract(t: Test, name: string, makeWorld: () => World): void {
  const check = (what: string, body: (t: Test, world: World, start: (id: NodeId) => Promise<Site>) => Promise<void>) =>
    t.test(`${name}: ${what}`, async (t) => {
      const world = makeWorld();
      t.teardown(() => world.end());
      await body(t, world, (id) => world.start(id, new Witness()));
    });

  for (const [first, second] of [
    [1, 2],
    [2, 1],
  ] as const) {
    check(`node ${first} starts, then node ${second}: both learn that they are connected`, async (t, _world, start) => {
      const one = await start(first);
      one.transport.setPeers([]);
      await connect(one, await start(second));
      t.strictSame(one.witness.log, [`connected ${second}`]);
    });
  }

  check("messages arrive in order and whole, in both directions at once", async (t, _world, start) => {
    const [one, two] = [await start(1), await start(2)];
    await connect(one, two);
    const ids = Array.from({ length: 600 }, (_, index) => index + 1);
    for (let first = 0; first < ids.length; first += 3) {
      const batch = ids.slice(first, first + 3).map((id) => forward(id, (id * 37) % 3_000));
      one.transport.send(2, batch);
      two.transport.send(1, batch);
    }
    await Promise.all([
      one.witness.until(() => one.witness.messages.length === 600),
      two.witness.until(() => two.witness.messages.length === 600),
    ]);
    t.strictSame(one.witness.forwardIds(2), ids);
    t.strictSame(two.witness.forwardIds(1), ids);
    t.ok(two.witness.messages.every(({ message }) => message.type === "forward" && intact(message)));
  });

  check(
    "Raft messages carry who sent them and to whom, and every frame the sender's clock",
    async (t, _world, start) => {
      const [one, two] = [await start(1), await start(2)];
      await connect(one, two);
      const vote: PeerMessage = { type: "voteReply", from: 2, to: 1, term: 5, preVote: true, granted: false };
      const before = Date.now();
      two.transport.send(1, [vote]);
      await one.witness.untilSaw("frame 2");
      const [received] = one.witness.messages;
      t.strictSame(received?.message, vote);
      t.ok(received !== undefined && received.clock >= before && received.clock <= Date.now());
    },
  );

  check("each message reaches the node it was sent to, and no other", async (t, _world, start) => {
    const [one, two, three] = [await start(1), await start(2), await start(3)];
    await connect(one, two, three);
    two.transport.send(1, [forward(21)]);
    two.transport.send(3, [forward(23)]);
    three.transport.send(1, [forward(31)]);
    await one.witness.until(() => one.witness.messages.length === 2);
    await three.witness.until(() => three.witness.messages.length === 1);
    t.strictSame([one.witness.forwardIds(2), one.witness.forwardIds(3)], [[21], [31]]);
    t.strictSame([three.witness.forwardIds(2), two.witness.messages], [[23], []]);
  });

  check("what is sent before a stream is up is dropped, not queued", async (t, _world, start) => {
    const [one, two] = [await start(1), await start(2)];
    one.transport.send(2, [forward(1)]);
    meet(one, two);
    one.transport.send(2, [forward(2)]);
    await Promise.all([one.witness.untilSaw("connected 2"), two.witness.untilSaw("connected 1")]);
    one.transport.send(2, [forward(3)]);
    await two.witness.untilSaw("frame 1");
    t.strictSame(two.witness.forwardIds(1), [3]);
  });

  check("no event comes from within a call, and none for sending nothing", async (t, _world, start) => {
    const [one, two] = [await start(1), await start(2)];
    meet(one, two);
    t.strictSame([one.witness.log, two.witness.log], [[], []]);
    await Promise.all([one.witness.untilSaw("connected 2"), two.witness.untilSaw("connected 1")]);
    one.transport.send(2, []);
    one.transport.send(2, [forward(1)]);
    one.transport.setPeers([]);
    t.strictSame([one.witness.log, two.witness.log], [["connected 2"], ["connected 1"]]);
    await one.witness.untilSaw("disconnected 2");
  });

  check("a listener may send from within an event", async (t, world) => {
    const greeter = new Witness();
    const one = await world.start(1, greeter);
    const two = await world.start(2, new Witness());
    const echo = greeter
      .until(() => greeter.log.includes("connected 2"))
      .then(() => one.transport.send(2, [forward(7)]));
    await connect(one, two);
    await Promise.all([echo, two.witness.untilSaw("frame 1")]);
    t.strictSame(two.witness.log, ["connected 1", "frame 1"]);
  });

  check("a message of several MiB goes through, and so do many in one call", async (t, _world, start) => {
    const [one, two] = [await start(1), await start(2)];
    await connect(one, two);
    const payload = new Uint8Array(6 * MIB).map((_, index) => index % 253);
    const entries = [{ index: 2, term: 1, body: { kind: "command", payload } as const }];
    const terms = { term: 1, prevLogIndex: 1, prevLogTerm: 1, leaderCommit: 1, round: 1 };
    const many = Array.from({ length: 9 }, (_, index) => forward(index + 1, MIB));
    for (const [from, to] of [
      [one, two],
      [two, one],
    ] as const) {
      const append: PeerMessage = { type: "appendRequest", from: from.id, to: to.id, ...terms, entries };
      from.transport.send(to.id, [append, ...many]);
      await to.witness.until(() => to.witness.messages.length === 10);
      const arrived = to.witness.messages[0]?.message;
      const body = arrived?.type === "appendRequest" ? arrived.entries[0]?.body : undefined;
      t.ok(body?.kind === "command" && Buffer.compare(body.payload, payload) === 0, "the payload is whole");
      t.strictSame(to.witness.forwardIds(from.id), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
  });

  for (const restarted of [1, 2]) {
    check(
      `node ${restarted} restarts: it is connected again, and only new messages arrive`,
      async (t, world, start) => {
        const [one, two] = [await start(1), await start(2)];
        const [lasting, leaving] = restarted === 1 ? [two, one] : [one, two];
        await connect(one, two);
        lasting.transport.send(restarted, [forward(1)]);
        await leaving.transport.stop();
        await lasting.witness.untilSaw(`disconnected ${restarted}`);
        lasting.transport.send(restarted, [forward(2)]);
        const returned = await world.start(restarted, new Witness());
        returned.transport.setPeers([lasting]);
        await lasting.witness.untilSaw(`connected ${restarted}`, 2);
        await returned.witness.untilSaw(`connected ${lasting.id}`);
        lasting.transport.send(restarted, [forward(3)]);
        returned.transport.send(lasting.id, [forward(4)]);
        await Promise.all([
          returned.witness.untilSaw(`frame ${lasting.id}`),
          lasting.witness.untilSaw(`frame ${restarted}`),
        ]);
        t.strictSame(returned.witness.forwardIds(lasting.id), [3]);
        t.strictSame(lasting.witness.forwardIds(restarted), [4]);
      },
    );
  }

  check(
    "a peer that leaves the set is disconnected, and one that comes back is connected",
    async (t, _world, start) => {
      const [one, two, three] = [await start(1), await start(2), await start(3)];
      await connect(one, two, three);
      three.transport.setPeers([one]);
      await Promise.all([three.witness.untilSaw("disconnected 2"), two.witness.untilSaw("disconnected 3")]);
      three.transport.send(2, [forward(1)]);
      three.transport.setPeers([one, two]);
      await Promise.all([three.witness.untilSaw("connected 2", 2), two.witness.untilSaw("connected 3", 2)]);
      three.transport.send(2, [forward(2)]);
      await two.witness.untilSaw("frame 3");
      t.strictSame(two.witness.forwardIds(3), [2]);
      t.equal(three.witness.count("disconnected 1"), 0, "the stream to the peer that stayed was left alone");
    },
  );

  check("setting the same peers again changes nothing", async (t, _world, start) => {
    const [one, two] = [await start(1), await start(2)];
    await connect(one, two);
    meet(one, two);
    two.transport.send(1, [forward(1)]);
    await one.witness.untilSaw("frame 2");
    t.strictSame(one.witness.log, ["connected 2", "frame 2"]);
    t.strictSame(two.witness.log, ["connected 1"]);
  });

  check("a stranger that calls is answered, and stays when it becomes a peer", async (t, _world, start) => {
    const [member, joiner] = [await start(1), await start(7)];
    member.transport.setPeers([]);
    joiner.transport.setPeers([member]);
    await Promise.all([member.witness.untilSaw("connected 7"), joiner.witness.untilSaw("connected 1")]);
    joiner.transport.send(1, [forward(1)]);
    await member.witness.untilSaw("frame 7");
    member.transport.send(7, [forward(2)]);
    await joiner.witness.untilSaw("frame 1");
    member.transport.setPeers([joiner]);
    member.transport.send(7, [forward(3)]);
    await joiner.witness.untilSaw("frame 1", 2);
    t.strictSame(member.witness.log, ["connected 7", "frame 7"]);
    t.strictSame(joiner.witness.forwardIds(1), [2, 3]);
  });

  check(
    "a stopped transport is silent, its peers learn of it, and stopping again does nothing",
    async (t, _world, start) => {
      const [one, two] = [await start(1), await start(2)];
      await connect(one, two);
      await two.transport.stop();
      await one.witness.untilSaw("disconnected 2");
      two.transport.send(1, [forward(1)]);
      two.transport.setPeers([one]);
      await two.transport.stop();
      one.transport.send(2, [forward(2)]);
      await one.transport.stop();
      t.strictSame(one.witness.log, ["connected 2", "disconnected 2"]);
      t.strictSame(two.witness.log, ["connected 1"]);
    },
  );
}
