import type { Configuration, NodeId } from "../raft/types.js";
import type { LogStore, StorageFailure } from "../storage/log-store.js";
import type { Hello } from "../transport/transport.js";
import type { ReplicaObserver } from "./ports.js";
import type { Seat, Seats } from "./seats.js";

/** Brings the node to its seat: founds the cluster with the others, finds its seat again, or stays out. */
export class Seating {
  readonly #seats: Seats;
  readonly #log: LogStore;
  readonly #observer: ReplicaObserver;
  readonly #seated: (baseConfiguration: Configuration) => void;
  readonly #failed: (failure: StorageFailure) => void;
  #state: "open" | "founding" | "seated" = "open";
  #reason = "The node has not looked for its seat yet.";
  /** Hellos are repeated; what an operator was told once need not be. */
  readonly #refusals = new Map<NodeId, string>();

  constructor(options: {
    readonly seats: Seats;
    readonly log: LogStore;
    readonly observer: ReplicaObserver;
    /** Called once, with the configuration at the log's base. */
    readonly seated: (baseConfiguration: Configuration) => void;
    readonly failed: (failure: StorageFailure) => void;
  }) {
    this.#seats = options.seats;
    this.#log = options.log;
    this.#observer = options.observer;
    this.#seated = options.seated;
    this.#failed = options.failed;
  }

  /** Why the node has no seat, in a sentence; "" while it has. */
  get reason(): string {
    return this.#state === "seated" && this.#seats.seat().kind === "seated" ? "" : this.#reason;
  }

  /** The seat is another store's, or there is none: nobody who asks this node need wait. */
  get isOutside(): boolean {
    return this.#state !== "founding" && this.#seats.seat().kind === "foreign";
  }

  hello(): Hello {
    return this.#seats.hello();
  }

  /**
   * A configuration is in force; it may take this node's seat away. Returns whether the core may go on:
   * it goes by node ids alone, and must not act for a seat that is another store's.
   */
  adopt(configuration: Configuration): boolean {
    this.#seats.adopt(configuration);
    const seat = this.#seats.seat();
    this.#explain(seat);
    return seat.kind !== "foreign";
  }

  disconnected(peer: NodeId): void {
    this.#seats.disconnected(peer);
  }

  /** Returns whether the others should hear this node's hello again. */
  received(from: NodeId, hello: Hello): boolean {
    if (hello.nodeId !== from) return false;
    const hasNews = this.#seats.received(hello);
    const wasSeated = this.#state === "seated";
    this.settle();
    const refusal = this.#seats.refusal(from);
    if (refusal !== undefined && refusal !== this.#refusals.get(from)) {
      this.#refusals.set(from, refusal);
      this.#observer.notice("error", `Not heard: ${refusal}.`, { peer: from });
    }
    return hasNews && !wasSeated;
  }

  /** Takes the seat if this store is known to hold it now. */
  settle(): void {
    if (this.#state !== "open") return;
    const seat = this.#seats.seat();
    this.#explain(seat);
    if (seat.kind !== "seated" && seat.kind !== "removed") return;
    const { baseConfiguration } = this.#log.recovery;
    if (baseConfiguration !== undefined) {
      this.#take(baseConfiguration);
      return;
    }
    if (seat.kind === "removed") return;
    this.#state = "founding";
    this.#seats.found();
    this.#log.found(seat.configuration, (failure) => {
      if (failure === undefined) this.#take(seat.configuration);
      else this.#failed(failure);
    });
  }

  #take(baseConfiguration: Configuration): void {
    this.#state = "seated";
    this.#seated(baseConfiguration);
  }

  #explain(seat: Seat): void {
    let reason = "The node takes its seat.";
    if (seat.kind === "founding") {
      reason = `Waiting until the cluster can be founded: ${seat.waitingFor.join("; ")}.`;
    } else if (seat.kind === "joining") reason = "Waiting until the cluster lets this node in.";
    else if (seat.kind === "removed") {
      reason = `This node was removed from the cluster: it follows nobody and serves nobody. ${this.#seats.wayBack}`;
    } else if (seat.kind === "foreign") reason = `This node stays out of the cluster: ${seat.why}.`;
    if (reason === this.#reason) return;
    this.#reason = reason;
    const level = { founding: "info", joining: "info", seated: "info", removed: "warn", foreign: "error" } as const;
    this.#observer.notice(level[seat.kind], reason);
  }
}
