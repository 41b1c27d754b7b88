import type { Configuration, Entry, MemberChange } from "../../src/raft/types.js";
import type { CoreCluster } from "./core-cluster.js";
import { memberOf } from "./core-cluster.js";
import type { CoreNode } from "./core-node.js";
import type { Dice } from "./dice.js";

/** How much of it there is, per thousand looks at a node. */
export interface Upheaval {
  readonly compactPerThousand: number;
  readonly fetchPerThousand: number;
  readonly changePerThousand: number;
  readonly wipePerThousand: number;
}

export interface UpheavalReport {
  installed: number;
  changed: number;
  wiped: number;
}

/** What the life of a cluster does to its logs and its members: compaction, snapshots, members that come and go. */
export class RandomUpheaval {
  readonly #cluster: CoreCluster;
  readonly #dice: Dice;
  readonly #connects: (from: number, to: number) => boolean;
  readonly report: UpheavalReport = { installed: 0, changed: 0, wiped: 0 };

  constructor(cluster: CoreCluster, dice: Dice, connects: (from: number, to: number) => boolean) {
    this.#cluster = cluster;
    this.#dice = dice;
    this.#connects = connects;
  }

  tend(node: CoreNode, upheaval: Upheaval): void {
    const dice = this.#dice;
    if (dice.chance(upheaval.compactPerThousand)) {
      if (dice.chance(500)) node.checkpoint();
      this.#cluster.compact(node, node.checkpointIndex - dice.below(4));
    }
    if (node.fetch !== undefined && dice.chance(upheaval.fetchPerThousand)) this.#goOnFetching(node);
    if (node.core.roleName === "leader" && dice.chance(upheaval.changePerThousand)) this.#change(node);
    else if (dice.chance(upheaval.wipePerThousand)) this.#wipe(node);
  }

  /** Any time may pass between the request, the sender's view, and the built state; a broken link ends it. */
  #goOnFetching(node: CoreNode): void {
    const { fetch } = node;
    if (fetch === undefined) return;
    if (!this.#connects(fetch.from, node.id) || this.#dice.chance(30)) {
      node.fetch = undefined;
    } else if (fetch.taken === undefined) {
      this.#cluster.beginFetch(node);
    } else if (this.#cluster.endFetch(node)) this.report.installed++;
  }

  #change(node: CoreNode): void {
    const change = this.#anyChange(node.core.configuration);
    if (change !== undefined && this.#cluster.change(node, change).kind === "appended") this.report.changed++;
  }

  #anyChange({ members }: Configuration): MemberChange | undefined {
    const dice = this.#dice;
    const strangers = this.#cluster.nodes.filter(({ id }) => members.every((member) => member.id !== id));
    const member = dice.pick(members);
    const kind = dice.below(10);
    if (kind < 4) {
      const newcomer = dice.pick(strangers);
      if (newcomer === undefined) return undefined;
      const { id, address } = memberOf(newcomer.id, "learner");
      return { kind: "addLearner", member: { id, address, storeId: newcomer.storeId } };
    }
    if (member === undefined) return undefined;
    if (kind < 7) {
      const learner = dice.pick(members.filter((other) => other.kind === "learner"));
      return { kind: "promote", id: (learner ?? member).id };
    }
    if (kind < 9) return { kind: "remove", id: member.id };
    return { kind: "readdress", id: member.id, address: `node-${member.id}:${dice.below(9)}` };
  }

  /** A node whose removal has committed, and that nobody is taking in again, may be set up anew with an empty directory. */
  #wipe(node: CoreNode): void {
    const { committed } = this.#cluster.checks;
    const holdsSeat = ({ body }: Entry) =>
      body.kind === "configuration" &&
      body.configuration.members.some(({ id, storeId }) => id === node.id && storeId === node.storeId);
    const newest = committed.filter(({ body }) => body.kind === "configuration").at(-1);
    const later = this.#cluster.nodes
      .flatMap(({ log, disk }) => [...log.entries, ...disk.entries])
      .filter(({ index }) => index > committed.length);
    // One that was never a member has nothing to lose.
    if (node.core.lastIndex === 0 || newest === undefined || holdsSeat(newest) || later.some(holdsSeat)) return;
    this.#cluster.crash(node, "lost");
    node.wipe();
    this.#cluster.start(node);
    this.report.wiped++;
  }
}
