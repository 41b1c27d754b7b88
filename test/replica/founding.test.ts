import t from "tap";
import { Seating } from "../../src/replica/seating.js";
import { Seats } from "../../src/replica/seats.js";
import type { LogStore } from "../../src/storage/log-store.js";
import { MemoryDisk } from "../../src/storage/memory-disk.js";
import { openMemoryLogStore } from "../../src/storage/memory-log-store.js";
import type { Hello } from "../../src/transport/transport.js";
import { VirtualCluster } from "./virtual-cluster.js";

const IDS = [1, 2, 3];
const MAJORITY = 2;
const FOUNDERS = IDS.map((id) => ({ id, address: `node-${id}:7070` }));

/** One founder: a disk, and a seating that lives until it is restarted or wiped. */
class Founder {
  readonly id: number;
  disk = new MemoryDisk();
  log!: LogStore;
  seating!: Seating;
  /** What the disk has to do: completions of writes. */
  deferred: (() => void)[] = [];
  readonly #newId: () => string;
  readonly #tellAll: (from: Founder) => void;

  constructor(id: number, newId: () => string, tellAll: (from: Founder) => void) {
    this.id = id;
    this.#newId = newId;
    this.#tellAll = tellAll;
  }

  open(): void {
    const { id } = this;
    this.deferred = [];
    const defer = (callback: () => void) => this.deferred.push(callback);
    this.log = openMemoryLogStore({ disk: this.disk, nodeId: id, randomId: this.#newId, defer });
    const { storeId, recovery } = this.log;
    const seats = new Seats({
      self: { nodeId: id, storeId, address: `node-${id}:7070`, version: "test" },
      founders: FOUNDERS,
      configuration: recovery.baseConfiguration,
      empty: recovery.empty,
    });
    this.seating = new Seating({
      seats,
      log: this.log,
      observer: {
        transition: () => undefined,
        entryPacked: () => undefined,
        logWritten: () => undefined,
        entryApplied: () => undefined,
        checkpointWritten: () => undefined,
        logCut: () => undefined,
        snapshotMoved: () => undefined,
        stateDiverged: () => undefined,
        notice: () => undefined,
      },
      seated: (configuration) => {
        this.seating.adopt(configuration);
        this.#tellAll(this);
      },
      failed: (failure) => {
        throw failure;
      },
    });
    this.seating.settle();
  }

  /** The stores of the configuration that this node holds its seat in, durably. */
  get founded(): string {
    const { configuration } = this.seating.hello();
    return (configuration?.members ?? []).map(({ storeId }) => storeId).join(" ");
  }
}

/** Three founders and their streams; what happens next is drawn by lot. */
class Founding {
  readonly #founders: readonly Founder[];
  /** Hellos on their way, in order per stream: "from>to". */
  readonly #streams = new Map<string, Hello[]>();
  /** Configurations that a majority of live stores held at some time, and how many wipes there were by then. */
  readonly #able = new Map<string, number>();
  #wipes = 0;
  #random: number;

  constructor(seed: number) {
    this.#random = seed;
    const newId = () => Array.from({ length: 4 }, () => this.#draw().toString(16).padStart(8, "0")).join("");
    this.#founders = IDS.map((id) => new Founder(id, newId, (from) => this.#tellAll(from)));
    for (const founder of this.#founders) founder.open();
    for (const founder of this.#founders) this.#connect(founder);
  }

  get #others() {
    return (founder: Founder) => this.#founders.filter((other) => other !== founder);
  }

  #draw(): number {
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#random;
  }

  #below(limit: number): number {
    return Math.floor((this.#draw() / 2 ** 32) * limit);
  }

  #send(from: Founder, to: Founder): void {
    const key = `${from.id}>${to.id}`;
    this.#streams.set(key, [...(this.#streams.get(key) ?? []), from.seating.hello()]);
  }

  #tellAll(from: Founder): void {
    for (const to of this.#others(from)) this.#send(from, to);
  }

  #connect(founder: Founder): void {
    for (const other of this.#others(founder)) {
      this.#send(founder, other);
      this.#send(other, founder);
    }
  }

  #restart(founder: Founder, isWiped: boolean): void {
    founder.disk.crash(this.#below(2) === 0 ? "durable" : "lost");
    if (isWiped) founder.disk = new MemoryDisk();
    for (const other of this.#others(founder)) {
      this.#streams.delete(`${founder.id}>${other.id}`);
      this.#streams.delete(`${other.id}>${founder.id}`);
      other.seating.disconnected(founder.id);
    }
    founder.open();
    this.#connect(founder);
  }

  step(): void {
    const streams = [...this.#streams].filter(([, hellos]) => hellos.length > 0);
    const disks = this.#founders.filter(({ deferred }) => deferred.length > 0);
    const choice = this.#below(20);
    const founder = this.#founders[this.#below(3)];
    if (choice === 0 && founder !== undefined) this.#restart(founder, false);
    else if (choice === 1 && founder !== undefined && this.#wipes < 2) {
      this.#wipes++;
      this.#restart(founder, true);
    } else if (choice < 6 && disks.length > 0) disks[this.#below(disks.length)]?.deferred.shift()?.();
    else this.#deliver(streams[this.#below(streams.length)]);
  }

  #deliver(stream: [string, Hello[]] | undefined): void {
    if (stream === undefined) return;
    const [key, hellos] = stream;
    const to = this.#founders[Number(key.at(-1)) - 1];
    const hello = hellos.shift();
    if (to === undefined || hello === undefined) return;
    if (to.seating.received(hello.nodeId, hello)) this.#tellAll(to);
  }

  /** Everything that is under way arrives. */
  settle(): void {
    for (let step = 0; step < 1000; step++) {
      for (const founder of this.#founders) founder.deferred.shift()?.();
      this.#deliver([...this.#streams].find(([, hellos]) => hellos.length > 0));
    }
  }

  get reasons(): string[] {
    return this.#founders.map(({ seating }) => seating.reason);
  }

  get wipes(): number {
    return this.#wipes;
  }

  /** What must never be; undefined if it is not so. */
  violation(): string | undefined {
    const held = this.#founders.map((founder) => ({ storeId: founder.log.storeId, stores: founder.founded }));
    for (const stores of new Set(held.map((one) => one.stores))) {
      const holders = held.filter((one) => one.stores === stores && stores.includes(one.storeId)).length;
      if (stores === "" || holders < MAJORITY) continue;
      for (const [earlier, wipesThen] of this.#able) {
        if (earlier !== stores && this.#wipes - wipesThen < MAJORITY) return `${earlier} and then ${stores}`;
      }
      if (!this.#able.has(stores)) this.#able.set(stores, this.#wipes);
    }
    return undefined;
  }
}

t.test("however founders start, restart and are wiped, no second cluster can commit beside the first", async (t) => {
  let founded = 0;
  for (let seed = 1; seed <= 600; seed++) {
    const founding = new Founding(seed);
    for (let step = 0; step < 120; step++) {
      founding.step();
      const violation = founding.violation();
      if (violation !== undefined) throw new Error(`seed ${seed}, step ${step}: ${violation}`);
    }
    founding.settle();
    if (founding.violation() !== undefined) throw new Error(`seed ${seed}: ${founding.violation()}`);
    const seated = founding.reasons.filter((reason) => reason === "").length;
    if (seated >= MAJORITY) founded++;
    if (founding.wipes === 0) t.equal(seated, 3, `seed ${seed}: without a wiped disk, all are seated in the end`);
    for (const reason of founding.reasons) {
      if (reason !== "" && founding.wipes === 0) t.fail(`seed ${seed}: ${reason}`);
    }
  }
  t.ok(founded > 400, `${founded} of 600 founded`);
});

t.test("a founder that is wiped while the others are founding hears that its seat is another store's", async (t) => {
  const cluster = new VirtualCluster(3);
  const [slow, other, wiped] = cluster.nodes;
  if (slow === undefined || other === undefined || wiped === undefined) throw new Error("there are three nodes");
  for (const node of [slow, other]) node.syncMs = 50;
  await cluster.start();
  // The slow nodes have made up their minds, and are writing.
  cluster.time.advance(10);
  await wiped.crash();
  wiped.wipe();
  await wiped.start();
  cluster.time.until(() => slow.isReady && other.isReady);
  cluster.time.advance(1000);
  t.match(wiped.replica?.view().reason, /the seat of node 3 belongs to store/);
});

t.test("a founder says whom it waits for, and why", async (t) => {
  const cluster = new VirtualCluster(3);
  await cluster.node(1).start();
  cluster.time.advance(100);
  t.match(cluster.node(1).replica?.view().reason, /node 2 was not heard yet; node 3 was not heard yet/);
  await cluster.node(2).start();
  cluster.time.advance(100);
  t.match(cluster.node(1).replica?.view().reason, /: node 2 has not heard of 3 yet; node 3 was not heard yet/);
});

t.test("founders whose PEERS differ found nothing, and say so", async (t) => {
  const cluster = new VirtualCluster(3);
  cluster.node(3).founders = [...cluster.founders, { id: 4, address: "node-4:7070" }];
  cluster.node(1).founders = cluster.founders.slice(0, 2);
  await cluster.start();
  cluster.time.advance(5000);
  t.match(
    cluster.node(1).replica?.view().reason,
    /node 2 counts nodes 1, 2, 3 as founders, this node 1, 2: PEERS must be/,
  );
  t.match(cluster.node(2).replica?.view().reason, /node 1 counts nodes 1, 2 as founders, this node 1, 2, 3: PEERS/);
  t.notOk(cluster.nodes.some((node) => node.replica?.core !== undefined));
});

t.test("a single node founds its cluster alone", async (t) => {
  const cluster = await new VirtualCluster(1).start();
  cluster.untilReady();
  const answer = cluster.node(1).propose("first");
  cluster.time.until(() => answer.result === 1);
  t.equal(cluster.leader.id, 1);
});

t.test("a single founder whose disk was wiped stays out of the cluster that grew from it (seed 101627)", async (t) => {
  const cluster = await new VirtualCluster(1).start();
  cluster.untilReady();
  for (const nodeId of [2, 3]) {
    const joiner = cluster.joiner(nodeId);
    await joiner.start();
    const { storeId, address } = joiner;
    cluster.changed({ kind: "add", nodeId, storeId, address });
    cluster.time.until(() => joiner.isReady);
    cluster.changed({ kind: "promote", nodeId });
  }
  const [founder, ...others] = cluster.nodes;
  if (founder === undefined) throw new Error("there are three nodes");
  await founder.crash();
  founder.wipe();
  await founder.start();
  cluster.time.until(() => others.every(({ isReady }) => isReady));
  cluster.time.advance(10_000);
  t.equal(founder.replica?.core, undefined);
  t.match(founder.replica?.view().reason, /the seat of node 1 belongs to store .*it was wiped or replaced/);
});

t.test("an address in PEERS counts for a member, whatever was founded: machines move", async (t) => {
  const cluster = await new VirtualCluster(3).start();
  cluster.untilReady();
  const [node] = cluster.nodes;
  await node?.crash();
  if (node === undefined) throw new Error("there are three nodes");
  node.founders = [...cluster.founders.slice(0, 2), { id: 3, address: "moved:7070" }];
  await node.start();
  cluster.untilReady();
  t.same(node.dialled, [
    { id: 2, address: "node-2:7070" },
    { id: 3, address: "moved:7070" },
  ]);
});

t.test("a founder that hears of a name before it has committed is not bound by it", async (t) => {
  for (const isBackFirst of [false, true]) {
    const cluster = new VirtualCluster(3);
    const [first, second, late] = [cluster.node(2), cluster.node(1), cluster.node(3)];
    second.syncMs = 20;
    // Node 3 does not hear that the others are of one mind: it first hears of the cluster from its first leader.
    cluster.filter = (from, to, messages) =>
      messages.filter((message) => {
        if (message.type !== "hello") return from !== first.id || message.type !== "appendRequest";
        const isComplete = message.seen.every(({ storeId }) => storeId !== "");
        const isNamed = (message.configuration?.clusterId ?? "") !== "";
        return to !== 3 || !isComplete || (from === first.id && isNamed);
      });
    await cluster.start();
    cluster.time.until(() => first.replica?.core?.roleName === "candidate");
    first.syncMs = 20;
    cluster.time.until(() => late.replica?.core !== undefined);
    t.equal(first.replica?.core?.commitIndex, 0, "nothing has committed");
    // The name dies with the one who gave it.
    await first.crash();
    for (const node of [first, second]) node.syncMs = 0.5;
    const isCut = (id: number) => id === late.id && !isBackFirst;
    cluster.filter = (from, to, messages) =>
      messages.filter(({ type }) => type === "hello" || !(isCut(from) || isCut(to)));
    await first.start();
    cluster.time.until(() => first.isReady && second.isReady);
    cluster.filter = (_from, _to, messages) => messages;
    cluster.untilReady();
    t.ok(late.isReady);
    const names = cluster.nodes.map(({ replica }) => replica?.core?.configuration.clusterId);
    t.same(names, [names[0], names[0], names[0]]);
    t.not(names[0], "");
  }
});
