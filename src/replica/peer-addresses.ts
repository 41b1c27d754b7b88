import type { Configuration, NodeId } from "../raft/types.js";
import type { PeerAddress } from "../transport/transport.js";

interface Place {
  /** Where it may be reached, most likely first; never empty. */
  readonly addresses: readonly string[];
  /** Which of them is tried. */
  tried: number;
  /** Monotonic ms since when that has been in vain. */
  since: number;
}

/**
 * Where each peer is dialled. PEERS comes first for whom it names: it is what the operator of this very
 * node says, and may lead through a proxy. What the configuration says is tried in turn with it, as
 * either may be out of date: PEERS after a member moved, the configuration before it could say so.
 */
export class PeerAddresses {
  readonly #patienceMs: number;
  readonly #known: readonly PeerAddress[];
  readonly #places = new Map<NodeId, Place>();

  /** @param options.known of PEERS, or of whoever let this node in */
  constructor(options: { readonly patienceMs: number; readonly known: readonly PeerAddress[] }) {
    this.#patienceMs = options.patienceMs;
    this.#known = options.known;
  }

  /** The members' addresses are these now. Who is no member any more keeps the address it had. */
  adopt({ members }: Configuration, now: number): void {
    for (const { id, address } of members) {
      const named = this.#known.find((peer) => peer.id === id)?.address ?? address;
      const addresses = named === address ? [address] : [named, address];
      if (this.#places.get(id)?.addresses.join() !== addresses.join()) {
        this.#places.set(id, { addresses, tried: 0, since: now });
      }
    }
  }

  /** Tries another address of whoever has been dialled in vain for long. */
  rotate(now: number, isConnected: (peer: NodeId) => boolean): void {
    for (const [peer, place] of this.#places) {
      if (isConnected(peer)) place.since = now;
      else if (place.addresses.length > 1 && now - place.since >= this.#patienceMs) {
        place.tried = (place.tried + 1) % place.addresses.length;
        place.since = now;
      }
    }
  }

  /** Those of whom an address is known. */
  of(peers: Iterable<NodeId>): PeerAddress[] {
    const addresses: PeerAddress[] = [];
    for (const id of peers) {
      const place = this.#places.get(id);
      const address = place?.addresses[place.tried];
      if (address !== undefined) addresses.push({ id, address });
    }
    return addresses;
  }
}
