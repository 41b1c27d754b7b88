import type { Configuration, NodeId } from "./types.js";

export function voterIds(configuration: Configuration): NodeId[] {
  return configuration.members.filter((member) => member.kind === "voter").map((member) => member.id);
}

export function isVoter(configuration: Configuration, id: NodeId): boolean {
  return configuration.members.some((member) => member.id === id && member.kind === "voter");
}

export function isSameConfiguration(one: Configuration, other: Configuration): boolean {
  return (
    one.clusterId === other.clusterId &&
    one.members.length === other.members.length &&
    one.members.every((member, place) => {
      const { id, kind, storeId, address } = member;
      const same = other.members[place];
      return same?.id === id && same.kind === kind && same.storeId === storeId && same.address === address;
    })
  );
}

/** The least number of voters that every other majority must share a member with. */
export function majority(voterCount: number): number {
  return Math.floor(voterCount / 2) + 1;
}

/**
 * The greatest value that a majority has reached, given one value per voter: the index that a
 * majority stores, or the round that a majority answered. 0 without voters: nothing is agreed.
 */
export function majorityReached(values: readonly number[]): number {
  if (values.length === 0) return 0;
  const descending = [...values].sort((a, b) => b - a);
  return descending[majority(values.length) - 1] ?? 0;
}

export type VoteTally = "won" | "lost" | "open";

/** Counts the answers of voters only; the answers of others may be in the map and do not matter. */
export function tally(voters: readonly NodeId[], answers: ReadonlyMap<NodeId, boolean>): VoteTally {
  let granted = 0;
  let refused = 0;
  for (const voter of voters) {
    const answer = answers.get(voter);
    if (answer === true) granted++;
    else if (answer === false) refused++;
  }
  const needed = majority(voters.length);
  if (voters.length > 0 && granted >= needed) return "won";
  return refused > voters.length - needed ? "lost" : "open";
}
