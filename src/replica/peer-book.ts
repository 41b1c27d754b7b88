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
}
