import { setTimeout as pause } from "node:timers/promises";
import { type AskNode, askLeader, type LeaderAnswer } from "./leader-calls.js";
import type { Configuration } from "./raft/types.js";
import { clearSeat, readClaim, type SeatClaim, writeClaim } from "./seat-claim.js";
import type { ChangeMembersRequest } from "./transport/transport.js";

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
 * @throws Error if the note of the seat is damaged, or cannot be written
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
 */
export async function join(
  joining: Joining,
  seat: { readonly nodeId: number; readonly storeId: string },
): Promise<Configuration> {
  const { configuration } = await askUntilDone(joining, { kind: "add", ...seat, address: joining.address });
  if (configuration === undefined) throw new Error("the leader let this node in, but told no membership");
  return configuration;
}

/**
 * A crash came between giving the seat up and clearing the directory. Whether the seat is still there cannot be asked,
 * but taking it again is refused if another store has it, and then it can be given up for certain.
 */
async function finishLeaving(joining: Joining): Promise<void> {
  const claim = await readClaim(joining.dataDir);
  if (claim?.stage !== "leaving") return;
  const { nodeId, storeId } = claim;
  if (nodeId !== undefined) {
    const address = joining.address;
    const regained = await askUntil(joining, { kind: "add", nodeId, storeId, address }, ["done", "refused"]);
    if (regained.kind === "done") await askUntilDone(joining, { kind: "remove", nodeId });
  }
  await clearSeat(joining.dataDir);
  joining.notice(`Node ${nodeId ?? ""} has given its seat up before; this directory begins anew.`);
}

async function askUntilDone(joining: Joining, request: ChangeMembersRequest) {
  const { reply } = await askUntil(joining, request, ["done"]);
  return reply;
}

type Decision = Extract<LeaderAnswer, { readonly kind: "done" | "refused" }>;

async function askUntil(
  { ask, addresses, notice }: Pick<Joining, "ask" | "addresses" | "notice">,
  request: ChangeMembersRequest,
  enough: readonly Decision["kind"][],
): Promise<Decision> {
  let told = "";
  for (;;) {
    const answer = await askLeader(request, { ask, addresses, deadlineMs: SEARCH_MS });
    const isDecision = answer.kind === "done" || answer.kind === "refused";
    if (isDecision && enough.includes(answer.kind)) return answer;
    const why = isDecision ? `the cluster refuses: ${answer.reply.reason}` : answer.why;
    if (why !== told) notice(`Not let in yet, asking on: ${why}`);
    told = why;
    await pause(RETRY_PAUSE_MS);
  }
}

export interface Promotion {
  /** Nothing new is asked from now on. */
  stop(): void;
}

/** Asks for a vote until this node has one; `seat` says what it has. A node without a seat asks for nothing. */
export function becomeVoter(
  joining: Pick<Joining, "ask" | "addresses" | "notice">,
  nodeId: number,
  seat: () => "voter" | "learner" | undefined,
): Promotion {
  const stopped = new AbortController();
  askForVote(joining, { nodeId, seat, signal: stopped.signal }).catch((error: unknown) => {
    joining.notice(`No vote is asked for any more: ${error instanceof Error ? error.message : String(error)}`);
  });
  return { stop: () => stopped.abort() };
}

async function askForVote(
  { ask, addresses, notice }: Pick<Joining, "ask" | "addresses" | "notice">,
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
      const answer = await askLeader({ kind: "promote", nodeId }, { ask, addresses, deadlineMs: SEARCH_MS });
      if (answer.kind === "done") return;
      const why = answer.kind === "refused" ? answer.reply.reason : answer.why;
      if (why !== told) notice(`Not a voter yet: ${why}`);
      told = why;
    }
    await pause(PROMOTION_PAUSE_MS, undefined, { ref: false });
  }
}
