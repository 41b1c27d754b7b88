import t from "tap";
import type { ChangeMembersRequest } from "../../src/transport/transport.js";
import { Load } from "./load.js";
import { VirtualCluster, type VirtualNode } from "./virtual-cluster.js";

// The life of a cluster, drawn by lot: members come, go and come back, die and are wiped, logs are cut,
// transfers break. Whatever happens, what was answered stands in its place, once, and in the end all is well.

const IDS_MAX = 6;

class Life {
  readonly cluster: VirtualCluster;
  readonly load: Load;
  readonly #asked: { reply: unknown }[] = [];

  constructor(seed: number) {
    this.cluster = new VirtualCluster(3, seed);
    const log = { logEntriesMax: 40, logTailEntries: 5, rowsDigestIntervalEntries: 64 };
    // Every other cluster has a state that takes a second or so to be sent.
    const isLarge = seed % 2 === 0;
    this.cluster.options = { ...log, snapshotBytesPerSecond: isLarge ? 2_000_000 : 32_000_000 };
    this.load = new Load(this.cluster, { lineBytes: isLarge ? 2000 : 0 });
    this.cluster.loses = ({ kind }) => kind === "chunk" && this.below(40) === 0;
  }

  below(limit: number): number {
    return Math.floor((this.cluster.random() / 2 ** 32) * limit);
  }

  any<Value>(values: readonly Value[]): Value | undefined {
    return values[this.below(values.length)];
  }

  get live(): VirtualNode[] {
    return this.cluster.nodes.filter((node) => node.replica !== undefined);
  }

  get down(): VirtualNode[] {
    return this.cluster.nodes.filter((node) => node.replica === undefined);
  }

  get members(): readonly { id: number; kind: string; storeId: string }[] {
    const cores = this.live.flatMap((node) => node.replica?.core ?? []);
    const newest = cores.sort((a, b) => b.commitIndex - a.commitIndex)[0];
    return newest?.configuration.members ?? [];
  }

  isSeated(node: VirtualNode): boolean {
    return this.members.some(({ id, storeId }) => id === node.id && storeId === node.storeId);
  }

  async step(): Promise<void> {
    const choice = this.below(24);
    const node = this.any(this.cluster.nodes);
    if (node === undefined) return;
    const voters = this.members.filter(({ kind }) => kind === "voter");
    const downVoters = voters.filter(({ id }) => this.cluster.node(id).replica === undefined).length;
    if (choice === 0 && node.replica !== undefined) {
      const mayDie = !voters.some(({ id }) => id === node.id) || downVoters * 2 + 2 < voters.length;
      if (mayDie) await node.crash(this.below(2) === 0 ? "durable" : "lost");
    } else if (choice < 3) await this.any(this.down)?.start();
    else if (choice === 3) await this.join();
    else if (choice === 4 && !this.isSeated(node)) await this.replace(node);
    else if (choice < 7) this.ask({ kind: "promote", nodeId: node.id });
    else if (choice === 7 && this.members.length > 3) this.ask({ kind: "remove", nodeId: node.id });
    else if (choice === 8) this.ask({ kind: "transfer", nodeId: this.below(2) === 0 ? node.id : undefined });
    else if (choice === 9) await this.partition(node);
    else if (choice === 10 && node.replica !== undefined) {
      this.ask({ kind: "add", nodeId: node.id, storeId: node.storeId, address: node.address });
    } else if (this.live.length > 0) this.load.run(this.live, 1 + this.below(30), this.below(20));
  }

  /** An empty node asks to be let in. */
  async join(): Promise<void> {
    if (this.cluster.nodes.length >= IDS_MAX) return;
    const node = this.cluster.joiner(this.cluster.nodes.length + 1);
    await node.start();
    this.ask({ kind: "add", nodeId: node.id, storeId: node.storeId, address: node.address });
  }

  /** A node without a seat begins anew. */
  async replace(node: VirtualNode): Promise<void> {
    await node.crash();
    node.wipe();
    await node.start();
  }

  async partition(node: VirtualNode): Promise<void> {
    for (const other of this.cluster.nodes) if (other !== node) this.cluster.network.cut(node.id, other.id);
    this.load.run(this.live, this.below(20), this.below(60));
    this.heal(node);
  }

  heal(node: VirtualNode): void {
    for (const other of this.cluster.nodes) if (other !== node) this.cluster.network.heal(node.id, other.id);
  }

  ask(request: ChangeMembersRequest): void {
    const leader = this.live.find((node) => node.replica?.isLeader === true);
    if (leader !== undefined) this.#asked.push(leader.change(request));
  }

  /** Every fault ends; every member comes back. */
  async settle(): Promise<void> {
    this.cluster.loses = () => false;
    for (const node of this.down) await node.start();
    const seated = () => this.live.filter((node) => this.isSeated(node));
    this.cluster.time.until(() => this.unanswered === 0);
    // Wiped just when it was let in: nobody has that store any more.
    for (const { id, storeId } of this.members) {
      if (this.cluster.node(id).storeId !== storeId) this.cluster.changed({ kind: "remove", nodeId: id });
    }
    this.cluster.time.until(() => seated().length >= this.members.length && seated().every((node) => node.isReady));
    this.load.run(seated(), 20);
    this.load.untilAnswered();
    this.cluster.time.advance(5000);
    for (const node of this.live) if (!this.isSeated(node)) await node.crash();
  }

  get unanswered(): number {
    return this.#asked.filter(({ reply }) => reply === undefined).length;
  }
}

const SEEDS = Number(process.env["FOLIO_LIVES"] ?? 40);
const FIRST = Number(process.env["FOLIO_FIRST_LIFE"] ?? 1);

t.test("whatever becomes of its members, a cluster loses nothing and doubles nothing", async (t) => {
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const life = new Life(seed);
    await life.cluster.start();
    life.cluster.untilReady();
    try {
      for (let step = 0; step < 120; step++) await life.step();
      await life.settle();
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.stack : error}\n${life.cluster.describe()}`);
    }
    const { cluster, load } = life;
    t.equal(load.violation(), undefined, `seed ${seed}`);
    t.equal(life.unanswered, 0, `seed ${seed}: every request is answered`);
    t.same(
      cluster.nodes.flatMap(({ failures }) => failures),
      [],
      `seed ${seed}: nobody ended by itself`,
    );
    t.same(
      cluster.nodes.flatMap(({ divergences }) => divergences),
      [],
      `seed ${seed}: no two states differ`,
    );
  }
});
