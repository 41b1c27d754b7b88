import type { RaftCore } from "../raft/core.js";
import { voterIds } from "../raft/quorum.js";
import type { NodeId } from "../raft/types.js";
import type { PeerStatus } from "../transport/transport.js";

/** What the peers last said of themselves: enough for any node to show the whole cluster. */
export class PeerBook {
  readonly #statuses = new Map<NodeId, PeerStatus>();
  readonly #connected = new Set<NodeId>();

  connected(peer: NodeId): void {
    this.#connected.add(peer);
  }

  disconnected(peer: NodeId): void {
    this.#connected.delete(peer);
  }

  isConnected(peer: NodeId): boolean {
    return this.#connected.has(peer);
  }

  get connectedPeers(): readonly NodeId[] {
    return [...this.#connected];
  }

  heard(peer: NodeId, status: PeerStatus): void {
    this.#statuses.set(peer, status);
  }

  statusOf(peer: NodeId): PeerStatus | undefined {
    return this.#statuses.get(peer);
  }

  /** The voter within reach that holds most of the leader's log. */
  bestSuccessor(leader: RaftCore): NodeId | undefined {
    return this.successors(leader)[0];
  }

  /** The voters within reach, those first that hold most of the leader's log. */
  successors(leader: RaftCore): readonly NodeId[] {
    return voterIds(leader.configuration)
      .filter((id) => this.#connected.has(id))
      .sort((a, b) => (leader.matchIndexOf(b) ?? 0) - (leader.matchIndexOf(a) ?? 0));
  }
}
