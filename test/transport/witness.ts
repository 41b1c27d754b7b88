import type { NodeId } from "../../src/raft/types.js";
import type {
  ChangeMembersReply,
  ChangeMembersRequest,
  Description,
  Forward,
  PeerMessage,
  SnapshotAnswer,
  Transport,
  TransportEvents,
} from "../../src/transport/transport.js";

/** Writes down what a transport reports, and waits for conditions on it. */
export class Witness implements TransportEvents {
  /** "connected 2", "disconnected 2", "frame 2" in the order they came. */
  readonly log: string[] = [];
  readonly messages: { readonly from: NodeId; readonly message: PeerMessage; readonly clock: number }[] = [];
  readonly #waiting = new Set<() => void>();

  readonly received = (from: NodeId, messages: readonly PeerMessage[], clock: number): void => {
    for (const message of messages) this.messages.push({ from, message, clock });
    this.#happened(`frame ${from}`);
  };
  readonly connected = (peer: NodeId): void => this.#happened(`connected ${peer}`);
  readonly disconnected = (peer: NodeId): void => this.#happened(`disconnected ${peer}`);

  /** What the node does with each request; a test puts its own in place. */
  onSnapshot: TransportEvents["snapshotRequested"] = (_from, _least, done) => done({ refusal: "none is here" });
  onMembersChange: TransportEvents["membersChangeRequested"] = (_request, done) =>
    done({ outcome: "refused", reason: "nobody leads", leaderAddress: "", nodeId: 0 });
  description: Description = { nodeId: 1, storeId: "", clusterId: "", empty: true, version: "test" };

  readonly snapshotRequested = (from: NodeId, least: number, done: (answer: SnapshotAnswer) => void): void => {
    this.#happened(`snapshot ${from} ${least}`);
    this.onSnapshot(from, least, done);
  };
  readonly membersChangeRequested = (
    request: ChangeMembersRequest,
    done: (reply: ChangeMembersReply) => void,
  ): void => {
    this.#happened(`change ${request.kind}`);
    this.onMembersChange(request, done);
  };
  readonly describeRequested = (): Description => this.description;

  /** The ids of the forwards that came from a node, in order. */
  forwardIds(from: NodeId): number[] {
    const sent = this.messages.filter((received) => received.from === from).map(({ message }) => message);
    return sent.filter((message) => message.type === "forward").map(({ forwardId }) => forwardId);
  }

  count(event: string): number {
    return this.log.filter((entry) => entry === event).length;
  }

  /** Resolves as soon as the condition holds; it is looked at again after every event. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  untilSaw(event: string, times = 1): Promise<void> {
    return this.until(() => this.count(event) >= times);
  }

  #happened(event: string): void {
    this.log.push(event);
    for (const look of [...this.#waiting]) look();
  }
}

/** A node of a test: a started transport and what it reported. */
export interface Site {
  readonly id: NodeId;
  readonly address: string;
  readonly transport: Transport;
  readonly witness: Witness;
}

export function forward(forwardId: number, sizeBytes = 10): Forward {
  return { type: "forward", forwardId, group: new Uint8Array(sizeBytes).fill(forwardId % 251), commandCount: 1 };
}

/** Whether a forward arrived as `forward` made it. */
export function intact({ forwardId, group }: Forward): boolean {
  return Buffer.compare(group, forward(forwardId, group.byteLength).group) === 0;
}

export function meet(...sites: readonly Site[]): void {
  const peers = sites.map(({ id, address }) => ({ id, address }));
  for (const { transport } of sites) transport.setPeers(peers);
}

/** Makes them peers and waits until every two of them are connected. */
export async function connect(...sites: readonly Site[]): Promise<void> {
  meet(...sites);
  for (const { witness, id } of sites) {
    for (const other of sites) if (other.id !== id) await witness.untilSaw(`connected ${other.id}`);
  }
}
