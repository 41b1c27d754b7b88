import { invariant } from "../assert.js";
import type { Session as StoredSession } from "../generated/folio/log/v1/log.js";
import type { LogIndex, Member, NodeId } from "../raft/types.js";

/** Where a command stands in the journal. */
export interface JournalPlace {
  readonly index: LogIndex;
  readonly ordinal: number;
}

export type Admission =
  | { readonly kind: "execute" }
  /** It acted before, there. */
  | { readonly kind: "repeated"; readonly place: JournalPlace }
  /** Below the mark: its origin gave it up or was answered. */
  | { readonly kind: "finished" }
  /** The session was closed, or never was. */
  | { readonly kind: "closed" };

interface Session {
  readonly id: number;
  readonly nodeId: NodeId;
  readonly storeId: string;
  readonly nonce: string;
  /** Requests below never act (again). Never goes back. */
  lowWater: number;
  /** Requests at or above the mark that acted. */
  readonly acted: Map<number, JournalPlace>;
}

const EXECUTE: Admission = { kind: "execute" };
const FINISHED: Admission = { kind: "finished" };
const CLOSED: Admission = { kind: "closed" };

/**
 * Exactly-once: part of the replicated state (dissertation §6.3). A tag (session, request) acts at
 * most once, whatever was forwarded, repeated, reordered or proposed again to the next leader.
 */
export class SessionTable {
  readonly #sessions = new Map<number, Session>();

  constructor(stored: readonly StoredSession[]) {
    for (const { id, nodeId, storeId, nonce, lowWater, requests, indices, ordinals } of stored) {
      const acted = new Map<number, JournalPlace>();
      for (const [place, request] of requests.entries()) {
        const index = indices[place];
        const ordinal = ordinals[place];
        invariant(index !== undefined && ordinal !== undefined, "a stored session has a place for every request");
        acted.set(request, { index, ordinal });
      }
      this.#sessions.set(id, { id, nodeId, storeId, nonce, lowWater, acted });
    }
  }

  get size(): number {
    return this.#sessions.size;
  }

  /**
   * Opens a session whose id is the entry's index, so that it never repeats, and closes the older
   * ones of the node. Repeating a registration (same nonce) returns the session it opened.
   */
  register(registration: { index: LogIndex; nodeId: NodeId; storeId: string; nonce: string }): number {
    const { index, nodeId, storeId, nonce } = registration;
    for (const session of this.#sessions.values()) {
      if (session.nodeId === nodeId && session.nonce === nonce) return session.id;
    }
    this.closeOf(nodeId);
    this.#sessions.set(index, { id: index, nodeId, storeId, nonce, lowWater: 1, acted: new Map() });
    return index;
  }

  /** Closes the sessions of a node: their commands act no more. */
  closeOf(nodeId: NodeId): void {
    for (const session of this.#sessions.values()) {
      if (session.nodeId === nodeId) this.#sessions.delete(session.id);
    }
  }

  /** Closes the sessions of every store that is none of the members: of nodes that left, or lost their directory. */
  closeStrangers(members: readonly Pick<Member, "id" | "storeId">[]): void {
    for (const session of this.#sessions.values()) {
      if (!holdsSeat(members, session)) this.#sessions.delete(session.id);
    }
  }

  isOpen(id: number): boolean {
    return this.#sessions.has(id);
  }

  /** Every request below `lowWater` is finished at its origin: what is known of it is forgotten. */
  raiseLowWater(id: number, lowWater: number): void {
    const session = this.#sessions.get(id);
    if (session === undefined || lowWater <= session.lowWater) return;
    if (session.acted.size > 0) {
      for (let request = session.lowWater; request < lowWater && session.acted.size > 0; request++) {
        session.acted.delete(request);
      }
    }
    session.lowWater = lowWater;
  }

  admit(id: number, request: number): Admission {
    const session = this.#sessions.get(id);
    if (session === undefined) return CLOSED;
    if (request < session.lowWater) return FINISHED;
    const place = session.acted.get(request);
    return place === undefined ? EXECUTE : { kind: "repeated", place };
  }

  /** The admitted request acts, there. */
  acted(id: number, request: number, place: JournalPlace): void {
    const session = this.#sessions.get(id);
    invariant(session !== undefined && !session.acted.has(request), "only an admitted request acts, and once");
    session.acted.set(request, place);
  }

  stored(): StoredSession[] {
    return [...this.#sessions.values()].map(({ acted, ...session }) => ({
      ...session,
      requests: [...acted.keys()],
      indices: [...acted.values()].map((place) => place.index),
      ordinals: [...acted.values()].map((place) => place.ordinal),
    }));
  }
}

/** Whether this very store is a member: a seat belongs to one store. */
export function holdsSeat(
  members: readonly Pick<Member, "id" | "storeId">[],
  { nodeId, storeId }: { readonly nodeId: NodeId; readonly storeId: string },
): boolean {
  return members.some((member) => member.id === nodeId && member.storeId === storeId);
}
