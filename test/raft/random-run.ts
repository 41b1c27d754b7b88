import type { NodeId, RaftMessage } from "../../src/raft/types.js";
import { CheckFailure } from "./cluster-checks.js";
import { CoreCluster } from "./core-cluster.js";
import type { CoreNode } from "./core-node.js";
import { Dice } from "./dice.js";
import { RandomUpheaval, type Upheaval, type UpheavalReport } from "./random-upheaval.js";

const ELECTION_TIMEOUT_MS = 100;
const MAIL_MAX = 400;
const NO_UPHEAVAL: Upheaval = {
  compactPerThousand: 0,
  fetchPerThousand: 0,
  changePerThousand: 0,
  wipePerThousand: 0,
};

interface Weather extends Upheaval {
  readonly lossPerThousand: number;
  readonly repeatPerThousand: number;
  /** How often not the oldest message is taken but any. */
  readonly reorderPerThousand: number;
  readonly crashPerThousand: number;
  readonly partitionPerThousand: number;
  /** Messages and writes handled per virtual millisecond: less is a slower world. */
  readonly pace: number;
  /** How often a message of long ago arrives (again). */
  readonly echoPerThousand: number;
  /** How often a node's clock leaps to its deadline, per thousand looks at it. */
  readonly haste: number;
  readonly stallPerThousand: number;
  /** Virtual time between two looks at a node, at most. */
  readonly tickMs: number;
  /** How often a write is left in flight when it could complete. */
  readonly slowDiskPerThousand: number;
  /** The node whose writes stay in flight for some election timeouts; 0 for none. */
  readonly stuckDisk: NodeId;
}

export interface RunReport extends UpheavalReport {
  readonly committed: number;
  readonly terms: number;
  readonly readsAnswered: number;
  readonly healedMs: number;
}

/** One run of a few virtual seconds under random faults; then everything heals and must go on. */
export class RandomRun {
  readonly #dice: Dice;
  readonly #cluster: CoreCluster;
  readonly #upheaval: RandomUpheaval;
  /** Without it, members stay and logs are never cut. */
  readonly #hasUpheaval: boolean;
  readonly #cut = new Set<string>();
  #weather: Weather;
  #commands = 0;
  /** Some messages of long ago: delay by any amount. */
  readonly #old: RaftMessage[] = [];

  constructor(seed: number, hasUpheaval: boolean) {
    this.#dice = new Dice(seed);
    this.#hasUpheaval = hasUpheaval;
    const [voters, learners, spares] = this.#dice.pick([
      [3, 0, 2],
      [3, 0, 1],
      [5, 0, 1],
      [3, 1, 1],
      [1, 1, 2],
      [2, 0, 1],
    ] as const) ?? [3, 0, 0];
    this.#cluster = new CoreCluster({
      voters,
      learners,
      spares: hasUpheaval ? spares : 0,
      seed,
      core: {
        electionTimeoutMs: ELECTION_TIMEOUT_MS,
        inFlightMax: 1 + this.#dice.below(4),
        appendEntriesMax: 1 + this.#dice.below(4),
        appendBytesMax: this.#dice.chance(300) ? 50 : 1_000,
        readsMax: 2 + this.#dice.below(8),
      },
    });
    this.#weather = this.#forecast();
    this.#upheaval = new RandomUpheaval(this.#cluster, this.#dice, (from, to) => !this.#cut.has(`${from}>${to}`));
  }

  run(steps: number): RunReport {
    for (let step = 0; step < steps; step++) {
      if (step % 150 === 149) this.#weather = this.#forecast();
      this.#step();
    }
    const healedMs = this.#heal();
    const readsAnswered = [...this.#cluster.reads.values()].filter(({ outcome }) => typeof outcome === "number").length;
    const terms = Math.max(...this.#cluster.nodes.map((node) => node.core.term));
    const committed = this.#cluster.checks.committed.length;
    return { committed, terms, readsAnswered, healedMs, ...this.#upheaval.report };
  }

  #forecast(): Weather {
    const dice = this.#dice;
    const calm = dice.chance(400);
    return {
      lossPerThousand: calm ? 5 : dice.below(250),
      repeatPerThousand: calm ? 5 : dice.below(200),
      reorderPerThousand: calm ? 20 : dice.below(900),
      crashPerThousand: calm ? 0 : dice.below(12),
      partitionPerThousand: calm ? 0 : dice.below(15),
      pace: calm ? 6 : 1 + dice.below(dice.chance(300) ? 2 : 6),
      echoPerThousand: calm ? 0 : dice.below(60),
      haste: calm ? 1 : dice.below(dice.chance(300) ? 60 : 12),
      stallPerThousand: calm ? 1 : dice.below(dice.chance(300) ? 120 : 15),
      tickMs: calm || dice.chance(500) ? 3 : 4 + dice.below(16),
      slowDiskPerThousand: dice.chance(300) ? 950 : dice.below(500),
      stuckDisk: calm || dice.chance(400) ? 0 : 1 + dice.below(5),
      ...(this.#hasUpheaval ? this.#forecastUpheaval() : NO_UPHEAVAL),
    };
  }

  #forecastUpheaval(): Upheaval {
    const dice = this.#dice;
    return {
      compactPerThousand: dice.chance(500) ? 10 : dice.below(200),
      fetchPerThousand: dice.chance(500) ? 400 : 10 + dice.below(100),
      changePerThousand: dice.chance(400) ? 0 : dice.below(150),
      wipePerThousand: dice.chance(500) ? 0 : dice.below(20),
    };
  }

  #step(): void {
    const { pace, crashPerThousand, partitionPerThousand, tickMs } = this.#weather;
    this.#cluster.now += this.#dice.below(tickMs + 1);
    // Everybody stands still: leaders lose their majority, followers their leader.
    if (this.#dice.chance(this.#weather.stallPerThousand)) this.#cluster.now += this.#dice.below(300);
    for (const node of this.#cluster.nodes) this.#tend(node);
    for (let count = 0; count < pace; count++) this.#handleMail();
    this.#demand();
    if (this.#dice.chance(partitionPerThousand)) this.#partition();
    if (this.#dice.chance(crashPerThousand)) this.#crash();
    if (this.#cluster.mail.length > MAIL_MAX) this.#cluster.mail.splice(0, MAIL_MAX / 2);
  }

  /** Time and disk of one node: late timers, stalls and slow writes included. */
  #tend(node: CoreNode): void {
    const dice = this.#dice;
    const now = this.#cluster.nowAt(node);
    if (!node.isUp) {
      if (dice.chance(30)) this.#cluster.start(node);
      return;
    }
    if (node.core.nextDeadline <= now && dice.chance(800)) {
      if (dice.chance(20)) node.core.resume(now);
      this.#cluster.tick(node);
    } else if (dice.chance(this.#weather.haste)) this.#timeOut(node);
    if (node.id === this.#weather.stuckDisk && !dice.chance(15)) return;
    if (!dice.chance(this.#weather.slowDiskPerThousand)) this.#cluster.completeWrite(node);
    if (dice.chance(20)) node.checkpoint();
    if (this.#hasUpheaval) this.#upheaval.tend(node, this.#weather);
  }

  /** The node's clock leaps ahead: it stands, or looks for its majority, though nothing is wrong. */
  #timeOut(node: CoreNode): void {
    node.aheadMs += Math.max(0, node.core.nextDeadline - this.#cluster.nowAt(node));
    this.#cluster.tick(node);
  }

  #handleMail(): void {
    const dice = this.#dice;
    const { mail } = this.#cluster;
    if (mail.length === 0) return;
    const place = dice.chance(this.#weather.reorderPerThousand) ? dice.below(mail.length) : 0;
    const message = mail[place] as RaftMessage;
    if (this.#old.length < 50) this.#old.push(message);
    else if (dice.chance(100)) this.#old[dice.below(50)] = message;
    if (!dice.chance(this.#weather.repeatPerThousand)) mail.splice(place, 1);
    if (dice.chance(this.#weather.lossPerThousand) || this.#cut.has(`${message.from}>${message.to}`)) return;
    this.#cluster.deliver(message);
    const old = this.#old[dice.below(50)];
    if (old !== undefined && dice.chance(this.#weather.echoPerThousand)) this.#cluster.deliver(old);
  }

  #demand(): void {
    const dice = this.#dice;
    const node = dice.pick(this.#cluster.nodes.filter(({ isUp }) => isUp));
    if (node === undefined) return;
    if (node.core.acceptsProposals && dice.chance(400)) this.#cluster.propose(node, `command ${this.#commands++}`);
    if (dice.chance(100)) this.#cluster.read(node);
    // Old leaders too: those are the ones that could answer what is no longer true.
    for (const leader of this.#cluster.nodes) {
      if (leader.isUp && leader.core.roleName === "leader" && dice.chance(100)) this.#cluster.read(leader);
    }
    if (dice.chance(8)) this.#cluster.transfer(node, (dice.pick(this.#cluster.nodes) as CoreNode).id);
  }

  /** Full, partial and one-way: any set of directed links. */
  #partition(): void {
    const dice = this.#dice;
    this.#cut.clear();
    if (dice.chance(400)) return;
    const ids = this.#cluster.nodes.map(({ id }) => id);
    const inside = new Set<NodeId>(ids.filter(() => dice.chance(300)));
    const { leader } = this.#cluster;
    if (leader !== undefined && dice.chance(500)) inside.add(leader.id);
    const isOneWay = dice.chance(300);
    for (const from of ids) {
      for (const to of ids) {
        const crosses = inside.has(from) !== inside.has(to) && (!isOneWay || inside.has(from));
        if (crosses || dice.chance(40)) this.#cut.add(`${from}>${to}`);
      }
    }
  }

  #crash(): void {
    const dice = this.#dice;
    const all = dice.chance(100);
    for (const node of this.#cluster.nodes) {
      if (node.isUp && (all || dice.chance(300))) this.#cluster.crash(node, dice.chance(500) ? "durable" : "lost");
    }
  }

  /** Every fault ends: a command of the then leader must commit everywhere. Returns how long it took, ms. */
  #heal(): number {
    const cluster = this.#cluster;
    this.#cut.clear();
    for (const node of cluster.nodes) if (!node.isUp) cluster.start(node);
    const healedAt = cluster.now;
    let proposed = -1;
    while (cluster.now - healedAt < 10 * ELECTION_TIMEOUT_MS) {
      cluster.now++;
      for (const message of cluster.mail.splice(0)) cluster.deliver(message);
      for (const node of cluster.nodes) cluster.completeWrite(node);
      for (const node of cluster.nodes)
        if (node.fetch !== undefined && cluster.beginFetch(node)) cluster.endFetch(node);
      for (const node of cluster.nodes) if (node.core.nextDeadline <= cluster.nowAt(node)) cluster.tick(node);
      const { leader } = cluster;
      if (proposed < 0 && leader?.core.acceptsProposals === true && cluster.propose(leader, "after healing")) {
        proposed = leader.core.lastIndex;
      }
      if (proposed >= 0 && leader !== undefined && leader.core.lastIndex < proposed) proposed = -1;
      const members = cluster.nodes.filter(({ id }) => leader?.core.configuration.members.some((one) => one.id === id));
      if (proposed > 0 && members.every(({ appliedIndex }) => appliedIndex >= proposed)) {
        return cluster.now - healedAt;
      }
    }
    throw new CheckFailure("liveness: a healthy cluster did not commit a command within ten election timeouts");
  }
}
