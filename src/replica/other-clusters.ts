import type { RaftCore } from "../raft/core.js";
import { voterIds } from "../raft/quorum.js";
import type { NodeId } from "../raft/types.js";
import type { ReplicaObserver } from "./ports.js";

/** Whether callers are served, wait because they may be served soon, or are refused. */
export type Service = "open" | "held" | "refused";

export interface Stand {
  readonly service: Service;
  /** Why not, in a sentence; "" when open. */
  readonly reason: string;
}

const OPEN: Stand = { service: "open", reason: "" };

/**
 * What those whom PEERS or JOIN name say of their cluster. A data directory that came from another cluster believes
 * itself, and a lone voter in it leads at once: all that speaks against it are those beside whom it was started. They
 * may be the strangers as well (an address was given away, a process strayed), so a node that others answer, as its
 * leader or its followers, goes on and only says so; one that stands for itself serves nobody.
 */
export class OtherClusters {
  readonly #named: readonly string[];
  readonly #listenMs: number;
  readonly #observer: ReplicaObserver;
  readonly #clusterId: () => string;
  readonly #counts: (peer: NodeId) => boolean;
  /** What was last said at each address; "": to belong to none. */
  readonly #told = new Map<string, string>();
  /** Who belongs to which other cluster than `than`; "": nobody that is known of. Asked for in every turn. */
  #others = { than: "", text: "" };
  /** When the core was first asked for, monotonic ms. */
  #openedAt: number | undefined;
  /** When another member last answered, monotonic ms: an election is no reason to turn callers away. */
  #accompaniedAt = Number.NEGATIVE_INFINITY;
  #noticed = "";

  constructor(options: {
    /** host:port of whom PEERS or JOIN names beside this node, where the host asks them. */
    readonly named: readonly string[];
    /** How long a lone voter waits for their word, and how long any other node goes without its members. */
    readonly listenMs: number;
    readonly observer: ReplicaObserver;
    /** This node's own, of a configuration that has committed; "" before. */
    readonly clusterId: () => string;
    /** Whether the peer's stream speaks for a member. */
    readonly counts: (peer: NodeId) => boolean;
  }) {
    this.#named = options.named;
    this.#listenMs = options.listenMs;
    this.#observer = options.observer;
    this.#clusterId = options.clusterId;
    this.#counts = options.counts;
  }

  told(address: string, clusterId: string): void {
    this.#told.set(address, clusterId);
    this.#others = { than: "", text: "" };
  }

  /** Now and then: who answers, and what operators should read, once. */
  look(core: RaftCore, now: number): void {
    const isAccompanied = this.#isAccompanied(core);
    if (isAccompanied) this.#accompaniedAt = now;
    const { service, reason } = this.stand(core, now);
    if (service === "refused") this.#notice("error", reason);
    else if (isAccompanied) this.#notice("warn", this.#whyAccompanied());
  }

  #notice(level: "warn" | "error", message: string): void {
    if (message === this.#noticed) return;
    this.#noticed = message;
    if (message !== "") this.#observer.notice(level, message);
  }

  #whyAccompanied(): string {
    const others = this.#othersThan(this.#clusterId());
    if (others === "") return "";
    return `${others}. Others of its own answer, so it serves on; check DATA_DIR there, and PEERS or JOIN here.`;
  }

  stand(core: RaftCore, now: number): Stand {
    this.#openedAt ??= now;
    const others = this.#othersThan(this.#clusterId());
    const isListening = now - this.#openedAt < this.#listenMs;
    if (others === "" && !isListening) return OPEN;
    if (this.#isAccompanied(core) || now - this.#accompaniedAt < this.#listenMs) return OPEN;
    const isLone = voterIds(core.configuration).every((id) => id === core.id);
    // The others of several voters need their time to answer, and without them nobody is served.
    if (isListening && !isLone) return OPEN;
    if (others !== "") return { service: "refused", reason: this.#whyRefused(others) };
    return this.#unheard().length > 0 ? { service: "held", reason: this.#whyHeld() } : OPEN;
  }

  /** Leads and is answered, or follows whoever leads: its cluster is not this directory alone. */
  #isAccompanied(core: RaftCore): boolean {
    const { leader, configuration, id: self } = core;
    if (leader === undefined || !core.hasQuorum) return false;
    return leader !== self || configuration.members.some(({ id }) => id !== self && this.#counts(id));
  }

  #whyRefused(others: string): string {
    return (
      `${others}. Nobody else of its own answers, so it serves nobody. Check DATA_DIR: if the directory is not this node's, ` +
      "put its own back, or stop it and let it begin anew with `folio repair --rejoin`. If it is, correct PEERS or JOIN, " +
      "or stop those who run there, and start this node again."
    );
  }

  #unheard(): string[] {
    const own = this.#clusterId();
    return this.#named.filter((address) => own === "" || this.#told.get(address) !== own);
  }

  #whyHeld(): string {
    return (
      `The node is the only voter, and listens for up to ${this.#listenMs} ms whether those whom PEERS or JOIN name ` +
      `(${this.#unheard().join(", ")}) belong to another cluster.`
    );
  }

  #othersThan(own: string): string {
    if (own === "") return "";
    if (this.#others.than !== own) this.#others = { than: own, text: this.#describeOthers(own) };
    return this.#others.text;
  }

  #describeOthers(own: string): string {
    const others = [...this.#told].filter(([, clusterId]) => clusterId !== "" && clusterId !== own);
    if (others.length === 0) return "";
    const each = others.map(([address, clusterId]) => `${address} belongs to cluster ${clusterId}`);
    return `PEERS or JOIN names a node of another cluster: ${each.join(", ")}, but this node's data to cluster ${own}`;
  }
}
