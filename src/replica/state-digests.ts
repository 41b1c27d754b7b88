import type { LogIndex, NodeId } from "../raft/types.js";
import type { PeerStatus, StateDigest } from "../transport/transport.js";
import { LIMITS } from "./options.js";
import type { ReplicaObserver, StateDivergence } from "./ports.js";

type Kind = StateDivergence["what"];

/** Digests of one kind, the newest of each index: this node's own, and what peers told of places it has not reached. */
class Ledger {
  readonly #kept: number;
  readonly #own = new Map<LogIndex, Uint8Array>();
  readonly #told = new Map<NodeId, Map<LogIndex, Uint8Array>>();
  /** Whether the newest comparison with a peer found the same. */
  readonly verdicts = new Map<NodeId, boolean>();
  newest: StateDigest | undefined;

  constructor(kept: number) {
    this.#kept = kept;
  }

  /** Returns which peers told of this very place before, and whether it was the same. */
  taken(digest: StateDigest): { readonly peer: NodeId; readonly isSame: boolean }[] {
    this.newest = digest;
    keep(this.#own, digest, this.#kept);
    const compared: { readonly peer: NodeId; readonly isSame: boolean }[] = [];
    for (const [peer, told] of this.#told) {
      const hash = told.get(digest.index);
      if (hash !== undefined) compared.push({ peer, isSame: isEqual(hash, digest.hash) });
      for (const index of told.keys()) if (index <= digest.index) told.delete(index);
    }
    return compared;
  }

  /** Returns whether it is the same here; undefined: this node has not been there yet, or long ago. */
  heard(peer: NodeId, digest: StateDigest): boolean | undefined {
    const own = this.#own.get(digest.index);
    if (own !== undefined) return isEqual(own, digest.hash);
    if (this.newest === undefined || digest.index > this.newest.index) {
      let told = this.#told.get(peer);
      if (told === undefined) {
        told = new Map();
        this.#told.set(peer, told);
      }
      keep(told, digest, this.#kept);
    }
    return undefined;
  }

  retain(members: ReadonlySet<NodeId>): void {
    for (const peers of [this.#told, this.verdicts]) {
      for (const peer of peers.keys()) if (!members.has(peer)) peers.delete(peer);
    }
  }
}

function keep(digests: Map<LogIndex, Uint8Array>, { index, hash }: StateDigest, most: number): void {
  digests.delete(index);
  digests.set(index, hash);
  for (const oldest of digests.keys()) {
    if (digests.size <= most) return;
    digests.delete(oldest);
  }
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

/**
 * Compares this node's state with its peers', at the same entries: two nodes that applied the same and do
 * not hold the same are an alarm. It cannot be told from two alone which of them is wrong; a node that
 * does not agree with a majority of those it was compared with calls itself not ready.
 */
export class StateDigests {
  readonly #observer: ReplicaObserver;
  readonly #ledgers: Readonly<Record<Kind, Ledger>> = {
    entries: new Ledger(LIMITS.digestsKept),
    rows: new Ledger(LIMITS.rowsDigestsKept),
  };

  constructor(observer: ReplicaObserver) {
    this.#observer = observer;
  }

  /** What a status tells. */
  get told(): { readonly stateDigest?: StateDigest; readonly rowsDigest?: StateDigest } {
    const { newest: stateDigest } = this.#ledgers.entries;
    const { newest: rowsDigest } = this.#ledgers.rows;
    return {
      ...(stateDigest === undefined ? {} : { stateDigest }),
      ...(rowsDigest === undefined ? {} : { rowsDigest }),
    };
  }

  taken(what: Kind, digest: StateDigest): void {
    for (const { peer, isSame } of this.#ledgers[what].taken(digest)) {
      this.#compared(what, { peer, index: digest.index, isSame });
    }
  }

  heard(peer: NodeId, { stateDigest, rowsDigest }: PeerStatus): void {
    if (stateDigest !== undefined) this.#heard("entries", peer, stateDigest);
    if (rowsDigest !== undefined) this.#heard("rows", peer, rowsDigest);
  }

  #heard(what: Kind, peer: NodeId, digest: StateDigest): void {
    const isSame = this.#ledgers[what].heard(peer, digest);
    if (isSame !== undefined) this.#compared(what, { peer, index: digest.index, isSame });
  }

  #compared(
    what: Kind,
    { peer, index, isSame }: { readonly peer: NodeId; readonly index: LogIndex; readonly isSame: boolean },
  ): void {
    const { verdicts } = this.#ledgers[what];
    const before = verdicts.get(peer);
    verdicts.set(peer, isSame);
    if (!isSame && before !== false) this.#observer.stateDiverged({ peer, index, what });
  }

  /** Who is not a member any more has no say. */
  retain(members: readonly NodeId[]): void {
    const kept = new Set(members);
    for (const ledger of Object.values(this.#ledgers)) ledger.retain(kept);
  }

  /** Why this node must be doubted, in a sentence; "" while it agrees with a majority of those it was compared with. */
  get doubt(): string {
    for (const [what, { verdicts }] of Object.entries(this.#ledgers)) {
      const differing = [...verdicts].filter(([, isSame]) => !isSame).map(([peer]) => peer);
      const agreeing = verdicts.size - differing.length + 1;
      if (differing.length > 0 && differing.length >= agreeing) {
        const peers = differing.map((peer) => `node ${peer}`).join(" and ");
        return `This node's state (${what}) differs from that of ${peers}: one of them is wrong.`;
      }
    }
    return "";
  }
}
