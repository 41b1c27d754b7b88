import type { Test } from "tap";
import type { NodeId } from "../../src/raft/types.js";
import { SNAPSHOTS_SERVED_MAX } from "../../src/transport/snapshot-limits.js";
import type { SnapshotAnswer } from "../../src/transport/transport.js";
import { Basket, CountingSource, gate, offers } from "./snapshot-ends.js";
import type { World } from "./transport-contract.js";
import { connect, forward, intact, type Site, Witness } from "./witness.js";

const KIB = 1024;

/** How every transport must carry snapshots. */
export function snapshotContract(t: Test, name: string, makeWorld: () => World): void {
  const check = (what: string, body: (t: Test, start: (id: NodeId) => Promise<Site>) => Promise<void>) =>
    t.test(`${name}, snapshots: ${what}`, async (t) => {
      const world = makeWorld();
      t.teardown(() => world.end());
      await body(t, (id) => world.start(id, new Witness()));
    });

  for (const [sender, receiver] of [
    [1, 2],
    [2, 1],
  ] as const) {
    check(`all chunks of node ${sender} arrive at node ${receiver}, in order, and the end`, async (t, start) => {
      const [from, to] = [await start(sender), await start(receiver)];
      await connect(from, to);
      const [source, basket] = [new CountingSource({ chunks: 40, chunkBytes: 3 * KIB }), new Basket()];
      offers(from.witness, source);
      to.transport.fetchSnapshot(sender, 17, basket);
      t.equal(await basket.untilEnded(), "whole");
      t.strictSame([basket.count, basket.bytes], [40, 40 * 3 * KIB]);
      t.ok(from.witness.log.includes(`snapshot ${receiver} 17`), "the sender heard who asked, and for how much");
      await source.untilClosed;
      t.strictSame([source.asked, source.closed, basket.endings], [41, 1, ["whole"]]);
    });
  }

  check("one without chunks ends at once", async (t, start) => {
    const [one, two] = [await start(1), await start(2)];
    await connect(one, two);
    const [source, basket] = [new CountingSource({ chunks: 0 }), new Basket()];
    offers(one.witness, source);
    two.transport.fetchSnapshot(1, 0, basket);
    t.equal(await basket.untilEnded(), "whole");
    t.equal(basket.count, 0);
  });

  check("a refusal reaches the receiver as a sentence", async (t, start) => {
    const [one, two] = [await start(1), await start(2)];
    await connect(one, two);
    one.witness.onSnapshot = (_from, _least, done) => setImmediate(() => done({ refusal: "this node is not seated" }));
    const basket = new Basket();
    two.transport.fetchSnapshot(1, 5, basket);
    t.equal(basket.endings.length, 0, "never from within the call");
    t.match(await basket.untilEnded(), /^no snapshot from node 1: .*this node is not seated$/);
  });

  check("a source that fails half-way ends the transfer, with its reason", async (t, start) => {
    const [one, two] = [await start(1), await start(2)];
    await connect(one, two);
    const [source, basket] = [new CountingSource({ chunks: 20, failsAt: 7 }), new Basket()];
    offers(one.witness, source);
    two.transport.fetchSnapshot(1, 5, basket);
    t.match(await basket.untilEnded(), /^no snapshot from node 1: .*the disk is gone$/);
    await source.untilClosed;
    t.strictSame([source.closed, basket.endings.length, basket.count <= 7], [1, 1, true]);
  });

  check("who is no peer, and who is gone, cannot be asked", async (t, start) => {
    const [one, two] = [await start(1), await start(2)];
    await connect(one, two);
    const [unknown, unasked, gone] = [new Basket(), new Basket(), new Basket()];
    two.transport.fetchSnapshot(9, 5, unknown);
    two.transport.fetchSnapshot(9, 5, unasked).cancel();
    t.match(await unknown.untilEnded(), /^no snapshot from node 9: .*no peer/);
    await one.transport.stop();
    two.transport.fetchSnapshot(1, 5, gone);
    t.match(await gone.untilEnded(), /^no snapshot from node 1: /);
    t.strictSame(unasked.endings, []);
  });

  check("a receiver that cancels half-way hears nothing more, and the source is closed once", async (t, start) => {
    const [one, two] = [await start(1), await start(2)];
    await connect(one, two);
    const [source, basket] = [new CountingSource({ chunks: 1_000_000 }), new Basket()];
    offers(one.witness, source);
    const fetch = two.transport.fetchSnapshot(1, 5, basket);
    await basket.until(() => basket.count === 3);
    fetch.cancel();
    fetch.cancel();
    const { count } = basket;
    await source.untilClosed;
    const [another, next] = [new CountingSource({ chunks: 3 }), new Basket()];
    offers(one.witness, another);
    two.transport.fetchSnapshot(1, 5, next);
    t.equal(await next.untilEnded(), "whole", "the next one is not in its way");
    t.strictSame([basket.count, basket.endings, source.closed], [count, [], 1]);
  });

  check("a source that is handed over after the receiver cancelled is closed", async (t, start) => {
    const [one, two] = [await start(1), await start(2)];
    await connect(one, two);
    let answer: (answer: SnapshotAnswer) => void = () => {};
    one.witness.onSnapshot = (_from, _least, done) => {
      answer = done;
    };
    const basket = new Basket();
    const fetch = two.transport.fetchSnapshot(1, 5, basket);
    await one.witness.untilSaw("snapshot 2 5");
    fetch.cancel();
    // Another transfer shows that the cancellation has arrived: what came before it was handled before it.
    const [probe, probed] = [new CountingSource({ chunks: 1 }), new Basket()];
    const thinking = answer;
    offers(one.witness, probe);
    two.transport.fetchSnapshot(1, 6, probed);
    t.equal(await probed.untilEnded(), "whole");
    const source = new CountingSource({ chunks: 5 });
    thinking({ source });
    await source.untilClosed;
    t.strictSame([source.closed, basket.count, basket.endings], [1, 0, []]);
  });

  check("a sender that stops half-way closes its source, and the receiver learns of it", async (t, start) => {
    const [one, two] = [await start(1), await start(2)];
    await connect(one, two);
    const [source, basket] = [new CountingSource({ chunks: 1_000_000 }), new Basket()];
    offers(one.witness, source);
    two.transport.fetchSnapshot(1, 5, basket);
    await basket.until(() => basket.count === 3);
    await one.transport.stop();
    t.equal(source.closed, 1, "when stop has resolved");
    t.match(await basket.untilEnded(), /^no snapshot from node 1: /);
    t.equal(basket.endings.length, 1);
  });

  check("a receiver that stops half-way is silent, and the sender's source is closed", async (t, start) => {
    const [one, two] = [await start(1), await start(2)];
    await connect(one, two);
    const [source, basket] = [new CountingSource({ chunks: 1_000_000 }), new Basket()];
    offers(one.witness, source);
    two.transport.fetchSnapshot(1, 5, basket);
    await basket.until(() => basket.count === 3);
    await two.transport.stop();
    const { count } = basket;
    await source.untilClosed;
    const late = new Basket();
    two.transport.fetchSnapshot(1, 5, late);
    await one.transport.stop();
    t.strictSame([basket.count, basket.endings, source.closed, late.endings], [count, [], 1, []]);
  });

  check("so many are sent at once, one more is refused, and one that ends makes room", async (t, start) => {
    const [one, two, three] = [await start(1), await start(2), await start(3)];
    await connect(one, two, three);
    const sources = Array.from({ length: SNAPSHOTS_SERVED_MAX + 1 }, () => new CountingSource({ chunks: 300 }));
    offers(one.witness, ...sources);
    const held = gate();
    const baskets = Array.from({ length: SNAPSHOTS_SERVED_MAX }, () => new Basket());
    for (const basket of baskets) basket.hold = (number) => (number === 1 ? held.opened : undefined);
    const fetches = baskets.map((basket, place) =>
      (place % 2 === 0 ? two : three).transport.fetchSnapshot(1, 5, basket),
    );
    await Promise.all(baskets.map((basket) => basket.until(() => basket.count === 2)));
    const [refused, last] = [new Basket(), new Basket()];
    const asked = one.witness.count("snapshot 2 5");
    two.transport.fetchSnapshot(1, 5, refused);
    t.match(await refused.untilEnded(), /^no snapshot from node 1: .*\d+ snapshots are being sent already$/);
    t.equal(one.witness.count("snapshot 2 5"), asked, "the host is not even asked");
    fetches.at(-1)?.cancel();
    await Promise.any(sources.map((source) => source.untilClosed));
    three.transport.fetchSnapshot(1, 5, last);
    t.equal(await last.untilEnded(), "whole");
    held.open();
    for (const basket of baskets.slice(0, -1)) t.equal(await basket.untilEnded(), "whole");
  });

  check("what a receiver does not take stays in the source", async (t, start) => {
    const [one, two] = [await start(1), await start(2)];
    await connect(one, two);
    const [source, basket] = [new CountingSource({ chunks: 200, chunkBytes: 256 * KIB }), new Basket()];
    offers(one.witness, source);
    const held = gate();
    basket.hold = (number) => (number === 2 ? held.opened : undefined);
    two.transport.fetchSnapshot(1, 5, basket);
    await basket.until(() => basket.count === 3);
    // Time enough for many chunks, told in other traffic instead of in milliseconds.
    for (let round = 1; round <= 100; round += 1) {
      one.transport.send(2, [forward(round, 64 * KIB)]);
      await two.witness.untilSaw("frame 1", round);
    }
    t.equal(basket.count, 3, "no chunk came before the one before was taken");
    t.ok(source.asked < 60, `${source.asked} chunks of 200 have left the source`);
    held.open();
    t.equal(await basket.untilEnded(), "whole");
    t.equal(basket.bytes, 200 * 256 * KIB);
  });

  check("50 MB go through while messages go on, in both directions", async (t, start) => {
    const [one, two] = [await start(1), await start(2)];
    await connect(one, two);
    const [source, basket] = [new CountingSource({ chunks: 200, chunkBytes: 256 * KIB }), new Basket()];
    offers(one.witness, source);
    basket.hold = (number) => {
      one.transport.send(2, [forward(number + 1, 500)]);
      two.transport.send(1, [forward(number + 1, 500)]);
      return undefined;
    };
    two.transport.fetchSnapshot(1, 5, basket);
    t.equal(await basket.untilEnded(), "whole");
    const ids = Array.from({ length: 200 }, (_, index) => index + 1);
    await two.witness.until(() => two.witness.messages.length === 200);
    await one.witness.until(() => one.witness.messages.length === 200);
    t.strictSame([two.witness.forwardIds(1), one.witness.forwardIds(2)], [ids, ids]);
    t.ok(two.witness.messages.every(({ message }) => message.type === "forward" && intact(message)));
    t.strictSame([one.witness.count("disconnected 2"), two.witness.count("disconnected 1")], [0, 0]);
  });

  check("a node that is nobody's peer may fetch: it joins", async (t, start) => {
    const [member, joiner] = [await start(3), await start(2)];
    member.transport.setPeers([]);
    joiner.transport.setPeers([member]);
    const [source, basket] = [new CountingSource({ chunks: 9 }), new Basket()];
    offers(member.witness, source);
    joiner.transport.fetchSnapshot(3, 5, basket);
    t.equal(await basket.untilEnded(), "whole");
  });
}
