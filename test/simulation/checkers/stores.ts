import type { Configuration, Member, Position } from "../../../src/raft/types.js";
import type { DurableLog } from "./durable-log.js";

/** Every store that there ever was: who counts is a store, and not whoever runs under a node's id now. */
export class Stores {
  readonly #byId = new Map<string, DurableLog>();

  opened(storeId: string, durable: DurableLog): void {
    this.#byId.set(storeId, durable);
  }

  of({ storeId }: Pick<Member, "storeId">): DurableLog | undefined {
    return this.#byId.get(storeId);
  }

  /** How many voters' stores hold the entry. */
  holders(configuration: Configuration, position: Position): number {
    return votersOf(configuration).filter((voter) => this.of(voter)?.holds(position) === true).length;
  }

  /** How many voters' stores once voted so. */
  grants(configuration: Configuration, { term, candidate }: { term: number; candidate: number }): number {
    return votersOf(configuration).filter((voter) => this.of(voter)?.votes.get(term) === candidate).length;
  }
}

/** More than half, counted here: the product's own function would agree with its own mistake. */
export function quorumOf(voterCount: number): number {
  return Math.floor(voterCount / 2) + 1;
}

export function votersOf({ members }: Configuration): Member[] {
  return members.filter(({ kind }) => kind === "voter");
}
