import { invariant } from "../assert.js";
import { Progress } from "./progress.js";
import type { CoreState, Leader } from "./state.js";
import type { Configuration, Member, NodeId } from "./types.js";

/** How many election timeouts a removed peer is still served after its removal has committed. */
const DEPARTURE_TIMEOUTS = 2;

export function isMember(configuration: Configuration, id: NodeId): boolean {
  return configuration.members.some((member) => member.id === id);
}

/** A new leader looks for the place of agreement with everybody, from the end of its own log on. */
export function newProgress(state: CoreState): Map<NodeId, Progress> {
  const { log, options, now } = state;
  const progress = new Map<NodeId, Progress>();
  for (const member of log.configuration.members) {
    if (member.id === options.id) continue;
    progress.set(
      member.id,
      new Progress({ nextIndex: log.lastIndex + 1, joinedIndex: joinedIndex(state, member), now }),
    );
  }
  return progress;
}

function joinedIndex(state: CoreState, member: Member): number {
  const index = state.log.joinedIndex(member);
  invariant(index !== undefined, () => `member ${member.id} is in the configuration in force`);
  return index;
}

/**
 * The leader has appended a configuration, which is in force from now on (§4.1): newcomers are to
 * fetch a snapshot, and who is not in it any more departs.
 */
export function followConfiguration(state: CoreState, leader: Leader): void {
  const { log, options, now } = state;
  const { configuration, configurationIndex } = log;
  leader.changeIndex = configurationIndex;
  for (const member of configuration.members) {
    const known = leader.progress.get(member.id);
    if (member.id === options.id || (known !== undefined && known.departure === undefined)) continue;
    const joined = joinedIndex(state, member);
    leader.progress.set(member.id, new Progress({ nextIndex: joined, joinedIndex: joined, now }));
  }
  for (const [peer, progress] of leader.progress) {
    if (!isMember(configuration, peer)) progress.departure ??= { removedAt: configurationIndex, told: undefined };
  }
}

/** The newest configuration has committed: the next change may come, and who left is told. */
export function changeCommitted(state: CoreState, leader: Leader): void {
  leader.changeIndex = undefined;
  leader.leaves = !isMember(state.log.configuration, state.options.id);
  for (const { departure } of leader.progress.values()) {
    if (departure === undefined || departure.told !== undefined) continue;
    const deadline = state.now + DEPARTURE_TIMEOUTS * state.options.electionTimeoutMs;
    // Every request of that round carries the commit index.
    departure.told = { round: leader.round + 1, deadline };
    leader.roundWanted = true;
  }
}

/** A removed peer that holds its removal and has answered the round that said it committed, or cannot be reached. */
export function hasDeparted(progress: Progress, now: number): boolean {
  const { departure, matchIndex, roundAcked } = progress;
  if (departure?.told === undefined) return false;
  const { round, deadline } = departure.told;
  return now >= deadline || (matchIndex >= departure.removedAt && roundAcked >= round);
}

export function dismissDeparted(state: CoreState, leader: Leader): void {
  for (const [peer, progress] of leader.progress) if (hasDeparted(progress, state.now)) leader.progress.delete(peer);
}
