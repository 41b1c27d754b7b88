import type { RaftCore } from "../raft/core.js";
import type { NodeId } from "../raft/types.js";
import { StorageFailure } from "../storage/log-store.js";
import type { PeerStatus, Transport } from "../transport/transport.js";
import { LIMITS } from "./options.js";
import type { PeerBook } from "./peer-book.js";
import { type SelfReport, statusOf } from "./report.js";
import type { StateDigests } from "./state-digests.js";

/** Tells the peers how this node is doing, and learns from theirs, also what this node has lost. */
export class StatusExchange {
  readonly #peers: PeerBook;
  readonly #transport: Transport;
  readonly #digests: StateDigests;
  /** Whether the peer holds its seat here: who is no member any more is not compared with. */
  readonly #isMember: (peer: NodeId) => boolean;
  /** Whether the peer counts this very store as the holder of this node's seat. */
  readonly #isCountedBy: (peer: NodeId) => boolean;
  #sentAt = Number.NEGATIVE_INFINITY;

  constructor(options: {
    readonly peers: PeerBook;
    readonly transport: Transport;
    readonly digests: StateDigests;
    readonly isMember: (peer: NodeId) => boolean;
    readonly isCountedBy: (peer: NodeId) => boolean;
  }) {
    this.#peers = options.peers;
    this.#transport = options.transport;
    this.#digests = options.digests;
    this.#isMember = options.isMember;
    this.#isCountedBy = options.isCountedBy;
  }

  /** At once to a peer that came back: a leader knows what it acknowledged before. */
  tell(peer: NodeId, core: RaftCore, self: SelfReport): void {
    this.#transport.send(peer, [statusOf(core, self, this.#digests.told)]);
  }

  /** To everybody, now and then. */
  tellAllIfDue(now: number, core: RaftCore, self: SelfReport): void {
    if (now - this.#sentAt < LIMITS.statusIntervalMs) return;
    this.#sentAt = now;
    for (const peer of this.#peers.connectedPeers) this.tell(peer, core, self);
  }

  /** Returns why this node must end, if the status proves that its log lost entries. */
  heard(from: NodeId, status: PeerStatus, core: RaftCore): StorageFailure | undefined {
    this.#peers.heard(from, status);
    if (this.#isMember(from)) this.#digests.heard(from, status);
    // To a leader that goes by an older membership, this node's seat may be another store's.
    return this.#isCountedBy(from) ? lostEntries(from, status, core) : undefined;
  }
}

/**
 * A match that a leader knows of was acknowledged by this very store, in the leader's term, when the
 * entries and the term were durable here. While this node is in that term nothing may shorten
 * the log below it; in a later term another leader may have. A node that is not even in
 * that term has lost the term too, and perhaps the vote that it cast in it.
 */
function lostEntries(from: NodeId, status: PeerStatus, core: RaftCore): StorageFailure | undefined {
  if (status.role !== "leader" || core.term > status.term) return undefined;
  // A snapshot takes the place of the log right now: it holds what was acknowledged.
  if (core.baseIndex > core.durableIndex) return undefined;
  const matchIndex = status.matches.find(({ nodeId }) => nodeId === core.id)?.matchIndex ?? 0;
  if (matchIndex <= core.durableIndex) return undefined;
  return new StorageFailure(
    "DAMAGED",
    `node ${from} knows that this node acknowledged entry ${matchIndex}, but its log ends at entry ` +
      `${core.durableIndex}: the end of the log was lost, so the node must not take part. Way out: \`folio repair --rejoin\` ` +
      "sets its directory aside and lets it come back as a new member",
  );
}
