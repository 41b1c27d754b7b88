import { askLeader } from "../src/leader-calls.js";
import { majority } from "../src/raft/quorum.js";
import { PeerClient } from "../src/transport/peer-client.js";
import { LaunchError } from "./launch-error.js";
import type { KnownCluster, KnownMember } from "./readiness.js";

/** How long the others may take to free the seat of a node that did not get as far as serving: somebody waits already. */
const withdrawalMs = 5000;

/**
 * In which order a node goes. Stopped first, it answers the calls that it has, and its callers see nothing. As long as it
 * is stopped and still counts, the others must be a majority without it; where they are one only once its seat is gone
 * (of two voters, or beside one that is down), the seat goes first, and calls that it has then may fail.
 */
export type RemovalOrder = "stop first" | "seat first";

/** Whether the process of a node is known to be gone: its peers may not have noticed yet. */
export type IsDown = (id: number) => boolean;

/** Why no change of the membership can be decided; undefined if one can. */
export function whyUndecided(known: KnownCluster | undefined, isDown: IsDown): string | undefined {
  if (known === undefined) return "no node serves";
  const voters = votersOf(known);
  const isDecided = known.healthy && answering(voters, isDown).length >= majority(voters.length);
  return isDecided ? undefined : "no leader is in touch with a quorum";
}

/**
 * Asked before anything is done: a node that was stopped and cannot be removed takes the quorum along.
 *
 * @throws LaunchError if the voters that would be left could not decide anything
 */
export function removalOrder(id: number, known: KnownCluster | undefined, isDown: IsDown): RemovalOrder {
  const stays = `node ${id} runs on, and keeps its seat`;
  if (known?.healthy !== true) throw new LaunchError(`${stays}: ${whyUndecided(known, isDown)}`);
  const voters = votersOf(known);
  if (voters.every((voter) => voter.id !== id)) return "stop first";
  const left = voters.filter((voter) => voter.id !== id);
  if (left.length === 0) throw new LaunchError(`${stays}: it is the last voter`);
  const others = answering(left, isDown);
  if (others.length >= majority(voters.length)) return "stop first";
  if (others.length >= majority(left.length)) return "seat first";
  const silent = left.filter((voter) => !others.includes(voter)).map((voter) => voter.id);
  throw new LaunchError(
    `${stays}: ${others.length} of the ${left.length} voters that would be left ${others.length === 1 ? "answers" : "answer"}, ` +
      `too few to decide anything. First start ${nodes(silent)}, or remove what is lost for good`,
  );
}

function votersOf({ nodes: members }: KnownCluster): readonly KnownMember[] {
  return members.filter(({ kind }) => kind === "voter");
}

function answering(voters: readonly KnownMember[], isDown: IsDown): readonly KnownMember[] {
  return voters.filter((voter) => voter.reachable && !isDown(voter.id));
}

function nodes(ids: readonly number[]): string {
  return `node${ids.length === 1 ? "" : "s"} ${ids.join(", ")}`;
}

/**
 * Has the leader free the seat of a node; one that has none is fine.
 *
 * @param peers addresses of other members
 * @returns who belongs to the cluster now
 * @throws LaunchError with the reason, if they do not
 */
export async function freeSeat(id: number, peers: readonly string[], deadlineMs: number): Promise<readonly number[]> {
  const calls = new PeerClient();
  const answer = await askLeader(
    { kind: "remove", nodeId: id },
    {
      ask: (address, wanted, attemptMs) => calls.changeMembers(address, wanted, attemptMs),
      addresses: peers,
      deadlineMs,
    },
  );
  if (answer.kind === "done") return answer.reply.configuration?.members.map((member) => member.id) ?? [];
  const why = answer.kind === "refused" ? answer.reply.reason : answer.why;
  // Reasons are sentences; this one stands within another.
  throw new LaunchError(why.replace(/\.$/, ""));
}

/** Frees the seat that a node may have, which was stopped on its way in. @returns what became of it, in a sentence */
export async function withdraw(id: number, peers: readonly string[]): Promise<string> {
  const stopped = `Node ${id} was stopped, and is not started again`;
  try {
    await freeSeat(id, peers, withdrawalMs);
    return `${stopped}; it has no seat.`;
  } catch (error) {
    if (!(error instanceof LaunchError)) throw error;
    return (
      `${stopped}; whether it has a seat is not known (${error.message}). As soon as the cluster has a quorum, ` +
      `folio members shows it, and folio members remove ${id} frees it.`
    );
  }
}
