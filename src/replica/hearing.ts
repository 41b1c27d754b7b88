import type { RaftCore } from "../raft/core.js";
import type { NodeId } from "../raft/types.js";
import type { Hello, PeerMessage, Transport, TransportEvents } from "../transport/transport.js";
import type { Dispatch } from "./dispatch.js";
import type { Life } from "./life.js";
import type { Membership } from "./membership.js";
import type { PeerBook } from "./peer-book.js";
import type { Clock } from "./ports.js";
import type { SkewGuard } from "./skew-guard.js";
import type { Standing } from "./standing.js";
import type { StatusExchange } from "./status-exchange.js";

/** Input from the peers: fed to the core or queued at once, its effects carried out in the turn that follows. */
export class Hearing {
  readonly #life: Life;
  readonly #membership: Membership;
  readonly #peers: PeerBook;
  readonly #statuses: StatusExchange;
  readonly #dispatch: Dispatch;
  readonly #skew: SkewGuard;
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #standing: Standing;
  readonly #leaderIsBack: (leader: NodeId) => void;
  readonly #wake: () => void;

  constructor(options: {
    readonly life: Life;
    readonly membership: Membership;
    readonly peers: PeerBook;
    readonly statuses: StatusExchange;
    readonly dispatch: Dispatch;
    readonly skew: SkewGuard;
    readonly transport: Transport;
    readonly clock: Clock;
    readonly standing: Standing;
    /** A new stream to the leader is up. */
    readonly leaderIsBack: (leader: NodeId) => void;
    readonly wake: () => void;
  }) {
    this.#life = options.life;
    this.#membership = options.membership;
    this.#peers = options.peers;
    this.#statuses = options.statuses;
    this.#dispatch = options.dispatch;
    this.#skew = options.skew;
    this.#transport = options.transport;
    this.#clock = options.clock;
    this.#standing = options.standing;
    this.#leaderIsBack = options.leaderIsBack;
    this.#wake = options.wake;
  }

  get events(): Pick<TransportEvents, "connected" | "disconnected" | "received"> {
    return {
      received: (from, messages, clock) => this.#received(from, messages, clock),
      connected: (peer) => this.#connected(peer),
      disconnected: (peer) => this.#disconnected(peer),
    };
  }

  #connected(peer: NodeId): void {
    this.#peers.connected(peer);
    if (!this.#life.isStopped) this.#life.guarded(() => this.#greet(peer));
  }

  #greet(peer: NodeId): void {
    this.#transport.send(peer, [this.#membership.hello()]);
    const { core } = this.#membership;
    if (core === undefined) return;
    core.streamReplaced(peer, this.#clock.monotonic());
    this.#statuses.tell(peer, core, this.#standing.selfReport());
    // Whatever was on its way in the stream before may be lost with it.
    if (peer === core.leader) this.#leaderIsBack(peer);
  }

  #disconnected(peer: NodeId): void {
    this.#peers.disconnected(peer);
    this.#membership.disconnected(peer);
    if (this.#life.isStopped) return;
    this.#life.guarded(() => this.#membership.core?.peerUnreachable(peer, this.#clock.monotonic()));
    this.#wake();
  }

  #received(from: NodeId, messages: readonly PeerMessage[], clock: number): void {
    if (!this.#life.isStopped) this.#life.guarded(() => this.#hear(from, messages, clock));
  }

  #hear(from: NodeId, messages: readonly PeerMessage[], clock: number): void {
    const now = this.#clock.monotonic();
    this.#skew.heard(from, now, clock);
    for (const message of messages) {
      if (this.#life.isStopped) return;
      const { core } = this.#membership;
      if (message.type === "hello") this.#membership.received(from, message);
      else if (core !== undefined && this.#membership.admits(from, message.type)) {
        this.#receive(core, from, message, now);
      }
    }
    this.#wake();
  }

  #receive(core: RaftCore, from: NodeId, message: Exclude<PeerMessage, Hello>, now: number): void {
    switch (message.type) {
      case "status": {
        const lost = this.#statuses.heard(from, message, core);
        if (lost !== undefined) this.#life.fail(lost);
        return;
      }
      case "forward":
        this.#dispatch.receiveForward(core, from, message);
        return;
      case "forwardRejected":
        this.#dispatch.receiveRejection(message, now);
        return;
      default:
        core.receive(message, now);
    }
  }
}
