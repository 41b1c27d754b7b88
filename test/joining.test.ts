import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join as pathOf } from "node:path";
import { pino } from "pino";
import t, { type Test } from "tap";
import { becomeVoter, claimSeat, Interrupted, type Joining, join, leave } from "../src/joining.js";
import { type KnownMember, NodeSeat } from "../src/node-seat.js";
import { closeStores, openStores } from "../src/node-stores.js";
import { clearSeat, readClaim, writeClaim } from "../src/seat-claim.js";
import { type ChangeMembersReply, type ChangeMembersRequest, PeerCallFailure } from "../src/transport/transport.js";

const STORE = "0123456789abcdef0123456789abcdef";

function reply(outcome: ChangeMembersReply["outcome"], extra: Partial<ChangeMembersReply> = {}): ChangeMembersReply {
  const configuration = { clusterId: "c", members: [] };
  return { outcome, reason: "", leaderAddress: "", nodeId: 0, configuration, ...extra };
}

/** A cluster that lets in whoever asks and lets go whoever leaves, as the leader would: a seat is one store's. */
class Cluster {
  readonly asked: ChangeMembersRequest[] = [];
  readonly seats = new Map<number, string>();
  /** Addresses at which nobody is any more. */
  readonly gone = new Set<string>();
  answer: (request: ChangeMembersRequest) => ChangeMembersReply = (request) => this.#decide(request);

  #decide(request: ChangeMembersRequest): ChangeMembersReply {
    if (request.kind === "remove") {
      if (this.seats.get(request.nodeId) === request.storeId) this.seats.delete(request.nodeId);
      return reply("done");
    }
    if (request.kind !== "add") return reply("done");
    const { nodeId, storeId } = request;
    const known = [...this.seats].find(([, holder]) => holder === storeId)?.[0];
    const id = nodeId === 0 ? (known ?? 4 + this.seats.size) : nodeId;
    const holder = this.seats.get(id) ?? storeId;
    if (holder !== storeId) return reply("refused", { reason: `the seat of node ${id} is taken` });
    this.seats.set(id, storeId);
    return reply("done", { nodeId: id });
  }
}

function joiner(t: Test, cluster = new Cluster(), dataDir = t.testdir()) {
  const notices: string[] = [];
  const joining: Joining = {
    ask: async (address, request) => {
      if (cluster.gone.has(address)) throw new PeerCallFailure("unreachable", `${address} cannot be reached`);
      cluster.asked.push(request);
      return cluster.answer(request);
    },
    addresses: ["10.0.0.1:7070"],
    address: "10.0.0.4:7070",
    dataDir,
    randomId: () => STORE,
    notice: (message) => notices.push(message),
  };
  return { cluster, dataDir, joining, notices };
}

t.test("with an id of its own, a node needs no claim", async (t) => {
  const { cluster, dataDir, joining } = joiner(t);
  t.same(await claimSeat(joining, 4), { nodeId: 4, store: undefined });
  t.same(cluster.asked, []);
  t.equal(await readClaim(dataDir), undefined);
});

t.test("with NODE_ID=auto the leader assigns the id, once: it is noted with the store that asked", async (t) => {
  const { cluster, dataDir, joining } = joiner(t);
  t.same(await claimSeat(joining, "auto"), { nodeId: 4, store: { id: STORE, exists: false } });
  t.same(cluster.asked, [{ kind: "add", nodeId: 0, storeId: STORE, address: "10.0.0.4:7070" }]);
  t.same(await readClaim(dataDir), { nodeId: 4, storeId: STORE, stage: "claimed" });
  t.same(await claimSeat(joining, "auto"), { nodeId: 4, store: { id: STORE, exists: false } }, "a restart asks nobody");
  t.equal(cluster.asked.length, 1);
  await writeClaim(dataDir, { nodeId: 4, storeId: STORE, stage: "opened" });
  t.same(await claimSeat(joining, "auto"), { nodeId: 4, store: { id: STORE, exists: true } });
});

t.test(
  "a store that was made once is not made again under its name: it would not remember what it promised",
  async (t) => {
    const dataDir = t.testdir();
    const notice = () => undefined;
    const fresh = { dataDir, nodeId: 4, store: { id: STORE, exists: false }, notice };
    const stores = await openStores(fresh);
    t.equal(stores.log.storeId, STORE);
    await closeStores(stores);
    const known = { ...fresh, store: { id: STORE, exists: true } };
    await closeStores(await openStores(known));
    await t.rejects(openStores({ ...known, store: { id: "f".repeat(32), exists: true } }), { code: "FOREIGN" });
    rmSync(pathOf(dataDir, "log"), { recursive: true });
    await t.rejects(openStores(known), { code: "DAMAGED", message: /is missing, though it was made before.*--rejoin/ });
  },
);

t.test("a crash before the answer was noted asks again under the same store, and gets the same id", async (t) => {
  const { cluster, dataDir, joining } = joiner(t);
  await writeClaim(dataDir, { storeId: STORE, nodeId: undefined, stage: "claimed" });
  cluster.seats.set(7, STORE);
  const another = { ...joining, randomId: () => "f".repeat(32) };
  t.same(await claimSeat(another, "auto"), { nodeId: 7, store: { id: STORE, exists: false } });
});

t.test("a refusal is told once, and asking goes on until the cluster lets the node in", async (t) => {
  const { cluster, joining, notices } = joiner(t);
  let refusals = 3;
  const decide = cluster.answer;
  cluster.answer = (request) =>
    refusals-- > 0 ? reply("refused", { reason: "a change is under way" }) : decide(request);
  const configuration = await join(joining, { nodeId: 4, storeId: STORE });
  t.same(configuration, { clusterId: "c", members: [] });
  t.equal(cluster.asked.length, 4);
  t.same(notices, ["Not let in yet, asking on: the cluster refuses: a change is under way"]);
});

t.test("a node that is told to stop asks nobody a second time", async (t) => {
  const stopping = new AbortController();
  const { cluster, joining, dataDir } = joiner(t);
  cluster.answer = () => {
    stopping.abort();
    return reply("notLeader");
  };
  const told = { ...joining, addresses: ["10.0.0.1:7070", "10.0.0.2:7070"], stopping: stopping.signal };
  await t.rejects(claimSeat(told, "auto"), Interrupted);
  t.equal(cluster.asked.length, 1);
  t.same(await readClaim(dataDir), { nodeId: undefined, storeId: STORE, stage: "claimed" }, "and may go on later");
});

t.test("what it is given just then is noted, and it goes no further", async (t) => {
  const stopping = new AbortController();
  const { cluster, joining, dataDir } = joiner(t);
  const decide = cluster.answer;
  cluster.answer = (request) => {
    stopping.abort();
    return decide(request);
  };
  const told = { ...joining, stopping: stopping.signal };
  const { nodeId } = await claimSeat(told, "auto");
  t.equal((await readClaim(dataDir))?.nodeId, nodeId);
  await t.rejects(join(told, { nodeId, storeId: STORE }), Interrupted);
  t.equal(cluster.asked.length, 1);
  const last = new AbortController();
  cluster.answer = (request) => {
    last.abort();
    return decide(request);
  };
  await t.rejects(join({ ...joining, stopping: last.signal }, { nodeId, storeId: STORE }), Interrupted);
});

t.test("a seat given up just before a crash is given up for certain, and the directory begins anew", async (t) => {
  for (const holder of [STORE, undefined, "f".repeat(32)]) {
    const cluster = new Cluster();
    if (holder !== undefined) cluster.seats.set(4, holder);
    const dataDir = t.testdir();
    await writeClaim(dataDir, { storeId: STORE, nodeId: 4, stage: "leaving" });
    for (const name of ["log", "state", "state-12", "statement"]) mkdirSync(pathOf(dataDir, name));
    const { joining } = joiner(t, cluster, dataDir);
    const fresh = { ...joining, randomId: () => "a".repeat(32) };
    const seat = await claimSeat(fresh, "auto");
    t.equal(seat.store?.id, "a".repeat(32));
    t.equal(cluster.seats.get(4) === holder, holder === "f".repeat(32), "nobody else's seat is touched");
    t.notOk([...cluster.seats.values()].includes(STORE), "the old store has no seat");
    for (const name of ["log", "state", "state-12"]) t.notOk(existsSync(pathOf(dataDir, name)), name);
    t.ok(existsSync(pathOf(dataDir, "statement")), "what is not a store stays");
  }
});

t.test("as long as it is not certain that the seat is given up, the directory stays and asking goes on", async (t) => {
  const { cluster, dataDir, joining, notices } = joiner(t);
  cluster.seats.set(4, STORE);
  await writeClaim(dataDir, { storeId: STORE, nodeId: 4, stage: "leaving" });
  mkdirSync(pathOf(dataDir, "log"));
  const decide = cluster.answer;
  const passing = [
    reply("refused", { reason: "Another change of membership is under way." }),
    reply("refused", { reason: "The node is shutting down." }),
  ];
  cluster.answer = (request) => {
    t.ok(existsSync(pathOf(dataDir, "log")), "nothing is cleared while it asks");
    return passing.shift() ?? decide(request);
  };
  t.same(await claimSeat(joining, 5), { nodeId: 5, store: undefined });
  t.same([...cluster.seats], [], "the old seat is free");
  t.same(
    cluster.asked,
    Array.from({ length: 3 }, () => ({ kind: "remove", nodeId: 4, storeId: STORE })),
  );
  t.match(notices, [/still leaving.* is under way/i, /still leaving.*shutting down/i, /has given its seat up before/]);
  t.notOk(existsSync(pathOf(dataDir, "log")));
});

t.test("a node that leaves notes it first, and only what the leader calls done counts as done", async (t) => {
  const seat = { nodeId: 4, storeId: STORE };
  const { cluster, dataDir, joining } = joiner(t);
  const decide = cluster.answer;
  cluster.answer = () => reply("refused", { reason: "Another change of membership is under way." });
  t.equal(await leave(joining, seat, 1000), "Another change of membership is under way.");
  t.same(await readClaim(dataDir), { ...seat, stage: "leaving" });
  cluster.answer = decide;
  for (const holder of [STORE, undefined, "f".repeat(32)]) {
    if (holder !== undefined) cluster.seats.set(4, holder);
    t.equal(await leave(joining, seat, 1000), undefined, "its own seat, one that is gone, one that is another's now");
  }
  t.same([...cluster.seats], [[4, "f".repeat(32)]], "nobody else's seat is touched");
});

t.test("clearing a seat can be repeated, and ends with the note", async (t) => {
  const dataDir = t.testdir({ log: { CURRENT: "x" }, "other.txt": "x" });
  await writeClaim(dataDir, { storeId: STORE, nodeId: 4, stage: "leaving" });
  await clearSeat(dataDir);
  await clearSeat(dataDir);
  t.equal(await readClaim(dataDir), undefined);
  t.ok(existsSync(pathOf(dataDir, "other.txt")));
});

t.test("a damaged claim stops the start with the way out", async (t) => {
  const { dataDir, joining } = joiner(t);
  await writeClaim(dataDir, { storeId: STORE, nodeId: 65_535, stage: "claimed" });
  const path = pathOf(dataDir, "claim");
  const sound = readFileSync(path, "latin1");
  for (const text of ["", sound.slice(0, -1), sound.replace("65535", "0"), sound.replace("store=0", "store=")]) {
    writeFileSync(path, text);
    const refused = {
      name: "StorageFailure",
      code: "DAMAGED",
      message: /note of this node's seat.*claim\).*folio repair --rejoin/,
    };
    await t.rejects(claimSeat(joining, "auto"), refused, text);
    await t.rejects(claimSeat(joining, "auto"), { message: JSON.stringify(text) }, "what may still tell the id");
  }
});

t.test("a learner asks for a vote until it has one", async (t) => {
  const { cluster, joining, notices } = joiner(t);
  let refusals = 2;
  cluster.answer = () => (refusals-- > 0 ? reply("refused", { reason: "it has not caught up" }) : reply("done"));
  let seat: "voter" | "learner" | undefined;
  becomeVoter(asking(joining), 4, () => seat);
  await until(() => notices.length === 0);
  t.same(cluster.asked, [], "without a seat there is nothing to ask for");
  seat = "learner";
  await until(() => cluster.asked.length === 3);
  seat = "voter";
  t.same(notices, ["Not a voter yet: it has not caught up"]);
  t.match(cluster.asked[2], { kind: "promote", nodeId: 4 });
});

function seatOf({ joining }: { readonly joining: Joining }, leaves: boolean, members: readonly KnownMember[]) {
  return new NodeSeat({
    config: { nodeId: 4, voter: !leaves, leave: leaves },
    storeId: STORE,
    joining,
    logger: pino({ level: "silent" }),
    members: () => members,
  });
}

const other = { id: 7, kind: "voter", address: "10.0.0.7:7070" } as const;

t.test(
  "where all of JOIN was replaced meanwhile, the members that the node knows are asked for its vote",
  async (t) => {
    const node = joiner(t);
    node.cluster.gone.add("10.0.0.1:7070");
    const seat = seatOf(node, false, [{ id: 4, kind: "learner", address: "10.0.0.4:7070" }, other]);
    seat.start();
    await until(() => node.cluster.asked.length === 1);
    seat.stop();
    t.same(node.cluster.asked, [{ kind: "promote", nodeId: 4 }]);
  },
);

t.test("a learner with LEAVE gives its seat up, or makes sure that it is gone; a voter stays", async (t) => {
  const own = (kind: "voter" | "learner") => [{ id: 4, kind, address: "10.0.0.4:7070" }, other] as const;
  const removal = { kind: "remove", nodeId: 4, storeId: STORE };
  for (const members of [own("learner"), [other], []]) {
    const node = joiner(t);
    t.equal(await seatOf(node, true, members).giveUp(), true);
    t.same(node.cluster.asked, [removal]);
  }
  const voter = joiner(t);
  t.equal(await seatOf(voter, true, own("voter")).giveUp(), false);
  t.equal(await seatOf(voter, false, own("learner")).giveUp(), false, "without LEAVE it comes back as itself");
  t.same(voter.cluster.asked, []);
  t.equal(await readClaim(voter.dataDir), undefined);
});

t.test("a voter asks for nothing, and a node that stops asks no more", async (t) => {
  const { cluster, joining } = joiner(t);
  becomeVoter(asking(joining), 4, () => "voter");
  cluster.answer = () => reply("refused", { reason: "not caught up" });
  const promotion = becomeVoter(asking(joining), 4, () => "learner");
  await until(() => cluster.asked.length === 1);
  promotion.stop();
  const { length } = cluster.asked;
  await new Promise((resolve) => setTimeout(resolve, 500));
  t.ok(cluster.asked.length <= length, "nothing more was asked");
});

/** As a node that runs asks: whom, it looks up each time. */
function asking({ addresses, ...joining }: Joining) {
  return { ...joining, addresses: () => addresses };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}
