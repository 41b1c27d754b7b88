import { setTimeout as pause } from "node:timers/promises";
import { type AskNode, askLeader } from "./leader-calls.js";
import type { Configuration } from "./raft/types.js";
import { clearSeat, readClaim, type SeatClaim, writeClaim } from "./seat-claim.js";
import type { ChangeMembersReply, ChangeMembersRequest } from "./transport/transport.js";

/** A joiner has all the time in the world: each search for the leader ends after this and begins anew. */
const SEARCH_MS = 10_000;
const RETRY_PAUSE_MS = 500;
/** A learner that has caught up should not wait long for its vote. */
const PROMOTION_PAUSE_MS = 200;

export interface Joining {
  readonly ask: AskNode;
  /** JOIN: peer addresses of the cluster. */
  readonly addresses: readonly string[];
  /** host:port by which the others will reach this node. */
  readonly address: string;
  readonly dataDir: string;
  /** 32 random hexadecimal digits. */
  readonly randomId: () => string;
  /** Why it takes time, in a sentence, whenever that changes. */
  readonly notice: (message: string) => void;
  /** Aborted when the node is told to stop. */
  readonly stopping?: AbortSignal | undefined;
}

/** The node was told to stop before the cluster let it in. What it has noted by then, the next start goes on with. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** Which id and store a node is to open its directory with. */
export interface ClaimedSeat {
  readonly nodeId: number;
  /** undefined: whatever the directory holds, or a new one. */
  readonly store: ClaimedStore | undefined;
}

export interface ClaimedStore {
  readonly id: string;
  /** It was made before: if it is missing, it is lost. */
  readonly exists: boolean;
}

/**
 * Before the stores are opened: clears away what a seat left behind that was given up, and with "auto" has the leader
 * assign an id. The store id is noted durably before it asks, and the leader knows a store that it has let in: whatever
 * is interrupted goes on where it was, with the same id.
 *
 * @throws Error if the note of the seat is damaged, or cannot be written; Interrupted
 */
export async function claimSeat(joining: Joining, wanted: number | "auto"): Promise<ClaimedSeat> {
  await finishLeaving(joining);
  if (wanted !== "auto") return { nodeId: wanted, store: undefined };
  const { dataDir, randomId } = joining;
  const noted = await readClaim(dataDir);
  const claim: SeatClaim = noted ?? { storeId: randomId(), nodeId: undefined, stage: "claimed" };
  if (noted === undefined) await writeClaim(dataDir, claim);
  const { storeId, stage } = claim;
  const store = { id: storeId, exists: stage === "opened" };
  if (claim.nodeId !== undefined) return { nodeId: claim.nodeId, store };
  const { nodeId } = await askUntilDone(joining, { kind: "add", nodeId: 0, storeId, address: joining.address });
  await writeClaim(dataDir, { ...claim, nodeId });
  joining.notice(`The cluster has assigned the id ${nodeId} to this node.`);
  return { nodeId, store };
}

/**
 * Once the store is open and knows no membership: asks until the cluster has let it in as a learner.
 * @returns the configuration in force then: whom to keep streams with
 * @throws Interrupted
 */
export async function join(joining: Joining, seat: OwnSeat): Promise<Configuration> {
  const { configuration } = await askUntilDone(joining, { kind: "add", ...seat, address: joining.address });
  if (configuration === undefined) throw new Error("the leader let this node in, but told no membership");
  requireGoingOn(joining.stopping);
  return configuration;
}

/** What a store holds, or held. */
interface OwnSeat {
  readonly nodeId: number;
  readonly storeId: string;
}

/** The outcome of giving the seat up was not known, or a crash came before the directory was cleared. */
async function finishLeaving(joining: Joining): Promise<void> {
  const claim = await readClaim(joining.dataDir);
  if (claim?.stage !== "leaving") return;
  const { nodeId, storeId } = claim;
  if (nodeId !== undefined) await askUntilDone(joining, removalOf({ nodeId, storeId }), "Still leaving the cluster");
  await clearSeat(joining.dataDir);
  joining.notice(`Node ${nodeId ?? ""} has given its seat up before; this directory begins anew.`);
}

/** By that very store: nobody else's seat is touched, and it is done as well where an operator removed it before. */
function removalOf(seat: OwnSeat): ChangeMembersRequest {
  return { kind: "remove", ...seat };
}

/**
 * Gives the seat up, by one call. That it is attempted is noted first: where the outcome stays open, the next start
 * finishes it.
 * @returns undefined once it is certain that the seat is gone; else why it is not, in a sentence
 */
export async function leave(
  { ask, addresses, dataDir }: Pick<Joining, "ask" | "addresses" | "dataDir">,
  seat: OwnSeat,
  deadlineMs: number,
): Promise<string | undefined> {
  await writeClaim(dataDir, { ...seat, stage: "leaving" });
  const answer = await askLeader(removalOf(seat), { ask, addresses, deadlineMs });
  if (answer.kind === "done") return undefined;
  return answer.kind === "refused" ? answer.reply.reason : answer.why;
}

/**
 * Refusals pass: another change is under way, a leader stops, an operator is to free the seat first.
 *
 * @throws Interrupted
 */
async function askUntilDone(
  { ask, addresses, notice, stopping }: Joining,
  request: ChangeMembersRequest,
  waiting = "Not let in yet",
): Promise<ChangeMembersReply> {
  let told = "";
  for (;;) {
    requireGoingOn(stopping);
    const answer = await askLeader(request, { ask, addresses, deadlineMs: SEARCH_MS, signal: stopping });
    if (answer.kind === "done") return answer.reply;
    const why = answer.kind === "refused" ? `the cluster refuses: ${answer.reply.reason}` : answer.why;
    if (why !== told) notice(`${waiting}, asking on: ${why}`);
    told = why;
    await pause(RETRY_PAUSE_MS);
  }
}

function requireGoingOn(stopping: AbortSignal | undefined): void {
  if (stopping?.aborted === true) throw new Interrupted("told to stop before the cluster let this node in");
}

export interface Promotion {
  /** Nothing new is asked from now on. */
  stop(): void;
}

/** What a node that runs asks with. Whom: as it knows the cluster by then, which may have replaced all of JOIN. */
type Asking = Pick<Joining, "ask" | "notice"> & { readonly addresses: () => readonly string[] };

/** Asks for a vote until this node has one; `seat` says what it has. A node without a seat asks for nothing. */
export function becomeVoter(asking: Asking, nodeId: number, seat: () => "voter" | "learner" | undefined): Promotion {
  const stopped = new AbortController();
  askForVote(asking, { nodeId, seat, signal: stopped.signal }).catch((error: unknown) => {
    asking.notice(`No vote is asked for any more: ${error instanceof Error ? error.message : String(error)}`);
  });
  return { stop: () => stopped.abort() };
}

async function askForVote(
  { ask, addresses, notice }: Asking,
  {
    nodeId,
    seat,
    signal,
  }: {
    readonly nodeId: number;
    readonly seat: () => "voter" | "learner" | undefined;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  let told = "";
  while (!signal.aborted && seat() !== "voter") {
    if (seat() === "learner") {
      const answer = await askLeader(
        { kind: "promote", nodeId },
        { ask, addresses: addresses(), deadlineMs: SEARCH_MS },
      );
      if (answer.kind === "done") return;
      const why = answer.kind === "refused" ? answer.reply.reason : answer.why;
      if (why !== told) notice(`Not a voter yet: ${why}`);
      told = why;
    }
    await pause(PROMOTION_PAUSE_MS, undefined, { ref: false });
  }
}
