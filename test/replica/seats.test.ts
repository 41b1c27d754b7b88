import t from "tap";
import type { Configuration, Member } from "../../src/raft/types.js";
import { Seats } from "../../src/replica/seats.js";
import type { Hello, PeerMessage } from "../../src/transport/transport.js";

// Who is heard, and with what (src/replica/README.md, Identity).

const ASKS: readonly PeerMessage["type"][] = [
  "appendRequest",
  "installSnapshot",
  "voteRequest",
  "timeoutNow",
  "readRequest",
  "readReply",
  "forward",
  "forwardRejected",
  "status",
];
const COUNTS: readonly PeerMessage["type"][] = ["voteReply", "appendReply"];

function member(id: number, storeId = `store-${id}`): Member {
  return { id, kind: "voter", storeId, address: `node-${id}:7070` };
}

function configuration(members: readonly Member[], clusterId = "c1"): Configuration {
  return { clusterId, members };
}

const THREE = configuration([member(1), member(2), member(3)]);

function hello(nodeId: number, over: Partial<Hello> = {}): Hello {
  return {
    type: "hello",
    nodeId,
    storeId: `store-${nodeId}`,
    clusterId: "c1",
    empty: false,
    seen: [],
    configuration: THREE,
    address: `node-${nodeId}:7070`,
    version: "test",
    ...over,
  };
}

/** Node 1, which goes by a configuration of a cluster whose name has committed, or has not yet. */
function seatsOf(own: Configuration | undefined, { isNamed = true, storeId = "store-1", empty = false } = {}): Seats {
  const self = { nodeId: 1, storeId, address: "node-1:7070", version: "test" };
  const seats = new Seats({ self, founders: [], configuration: own, empty });
  if (isNamed && own !== undefined) seats.named();
  return seats;
}

function heardOf(seats: Seats, from: Hello): { readonly asks: boolean; readonly counts: boolean } {
  seats.received(from);
  const asks = new Set(ASKS.map((type) => seats.admits(from.nodeId, type)));
  const counts = new Set(COUNTS.map((type) => seats.admits(from.nodeId, type)));
  if (asks.size !== 1 || counts.size !== 1) throw new Error("messages of one kind fare alike");
  return { asks: asks.has(true), counts: counts.has(true) };
}

t.test("the store that holds the seat is heard with everything", async (t) => {
  t.same(heardOf(seatsOf(THREE), hello(2)), { asks: true, counts: true });
  t.equal(seatsOf(THREE).admits(2, "appendRequest"), false, "not before it has said who it is");
});

t.test("a wiped voter never counts, and is not heard at all before it has taken a seat", async (t) => {
  const wiped = hello(2, { storeId: "empty", clusterId: "", empty: true, configuration: undefined });
  t.same(heardOf(seatsOf(THREE), wiped), { asks: false, counts: false });
  t.match(seatsOf(THREE).refusal(2), undefined);
  const seats = seatsOf(THREE);
  seats.received(wiped);
  t.match(seats.refusal(2), /holds store empty, which has no seat/);
});

t.test("another store in a member's seat never counts, whatever it says of itself", async (t) => {
  const replaced = configuration([member(1), member(2, "new"), member(3)]);
  t.same(heardOf(seatsOf(THREE), hello(2, { storeId: "new", configuration: replaced })), { asks: true, counts: false });
});

t.test("a leader outside of this node's configuration is heard, and its answers do not count (§4.1)", async (t) => {
  const grown = configuration([...THREE.members, member(4)]);
  t.same(heardOf(seatsOf(THREE), hello(4, { configuration: grown })), { asks: true, counts: false });
});

t.test("a leader that removes itself is heard to the end", async (t) => {
  const shrunk = configuration([member(1), member(3)]);
  t.same(heardOf(seatsOf(shrunk), hello(2, { configuration: shrunk })), { asks: true, counts: false });
});

t.test("a store that knows its seat to be another's is not heard", async (t) => {
  const replaced = configuration([member(1), member(2, "new"), member(3)]);
  t.same(heardOf(seatsOf(replaced), hello(2, { configuration: replaced })), { asks: false, counts: false });
});

t.test("two clusters never mix, not even where a store holds a seat in both", async (t) => {
  const other = configuration(THREE.members, "c2");
  t.same(heardOf(seatsOf(THREE), hello(2, { clusterId: "c2", configuration: other })), { asks: false, counts: false });
  const seats = seatsOf(THREE);
  seats.received(hello(2, { clusterId: "c2" }));
  t.match(seats.refusal(2), /belongs to cluster c2, this node to c1/);
});

t.test(
  "before a name has committed, the seat alone decides: two foundings of one cluster have to be mended",
  async (t) => {
    const founding = configuration(THREE.members, "mine, uncommitted");
    const seats = seatsOf(founding, { isNamed: false });
    t.equal(seats.hello().clusterId, "", "a name that has not committed is told to nobody");
    t.same(heardOf(seats, hello(2, { clusterId: "" })), { asks: true, counts: true });
    t.same(heardOf(seats, hello(4, { clusterId: "theirs" })), { asks: false, counts: false });
    t.same(heardOf(seats, hello(2, { clusterId: "theirs" })), { asks: true, counts: true });
  },
);

t.test(
  "a node that does not know yet that its name has committed hears a leader outside of its founding",
  async (t) => {
    const grown = configuration([...THREE.members, member(4)]);
    const leader = hello(4, { configuration: grown });
    t.same(
      heardOf(seatsOf(THREE, { isNamed: false }), leader),
      { asks: true, counts: false },
      "the name that has committed there stands in this log",
    );
    const late = seatsOf(configuration(THREE.members, ""), { isNamed: false });
    t.same(heardOf(late, leader), { asks: false, counts: false }, "anybody could say so");
    late.received(hello(2));
    t.same(heardOf(late, leader), { asks: true, counts: false }, "a member of its founding says so");
    late.received(hello(3, { clusterId: "c2" }));
    t.same(heardOf(late, leader), { asks: false, counts: false }, "they are not of one mind");
  },
);

t.test("a cluster that was recovered under a new name does not hear the old one, from the start", async (t) => {
  const seats = seatsOf(configuration([member(1)], "new name"));
  t.same(heardOf(seats, hello(2)), { asks: false, counts: false });
});

t.test("what is meant for a seat does not go out to another store", async (t) => {
  const replaced = configuration([member(1), member(2, "new"), member(3)]);
  const seats = seatsOf(replaced);
  t.equal(seats.mayHear(2), true, "who has not said yet who it is may be it");
  seats.received(hello(2));
  t.equal(seats.mayHear(2), false);
  seats.received(hello(2, { storeId: "new" }));
  t.equal(seats.mayHear(2), true);
  seats.received(hello(4));
  t.equal(seats.mayHear(4), true, "who departs is told so");
});

t.test("a node finds its seat in whichever hello names it, and waits otherwise", async (t) => {
  const joining = seatsOf(undefined, { storeId: "joins", empty: true });
  t.same(joining.seat(), { kind: "joining" });
  joining.received(hello(2));
  t.same(joining.seat(), { kind: "joining" });
  const grown = configuration([...THREE.members, member(1, "joins")]);
  joining.received(hello(3, { configuration: grown }));
  t.same(joining.seat(), { kind: "seated", configuration: grown });
});

t.test("a node that was removed is told from one whose seat was given away", async (t) => {
  const without = configuration([member(2), member(3)]);
  t.same(seatsOf(without).seat(), { kind: "removed" });
  t.equal(seatsOf(without).isMember, false);
  t.match(seatsOf(configuration([member(1, "new"), member(2)])).seat(), {
    kind: "foreign",
    why: /belongs to store new/,
  });
  t.equal(seatsOf(THREE).isMember, true);
});

t.test("a peer counts this store only if its own configuration does", async (t) => {
  const seats = seatsOf(THREE);
  t.equal(seats.isCountedBy(2), false);
  seats.received(hello(2));
  t.equal(seats.isCountedBy(2), true);
  seats.received(hello(2, { configuration: configuration([member(1, "the store before"), member(2)]) }));
  t.equal(seats.isCountedBy(2), false);
});

t.test(
  "the store that held a seat last is heard with its answers, and counts nowhere; another one is not",
  async (t) => {
    const seats = new Seats({
      self: { nodeId: 1, storeId: "store-1", address: "node-1:7070", version: "test" },
      founders: [],
      configuration: THREE,
      empty: false,
    });
    seats.named();
    seats.received(hello(3));
    t.ok(seats.counts(3));
    seats.adopt(configuration([member(1), member(2)]));
    t.ok(
      COUNTS.every((type) => seats.admits(3, type)),
      "its leader learns whether it knows of its removal",
    );
    t.notOk(seats.counts(3));
    seats.received(hello(3, { storeId: "other" }));
    t.notOk(COUNTS.some((type) => seats.admits(3, type)));
    seats.adopt(configuration([member(1), member(2), member(3, "other")]));
    t.ok(seats.counts(3), "the seat is its own now");
    seats.received(hello(3));
    t.notOk(
      COUNTS.some((type) => seats.admits(3, type)),
      "and the former store's no more",
    );
  },
);
