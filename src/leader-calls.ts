import { setTimeout as pause } from "node:timers/promises";
import { type ChangeMembersReply, type ChangeMembersRequest, PeerCallFailure } from "./transport/transport.js";

/** Asks the node at a peer address. Rejects with PeerCallFailure. */
export type AskNode = (
  address: string,
  request: ChangeMembersRequest,
  deadlineMs: number,
) => Promise<ChangeMembersReply>;

export type LeaderAnswer =
  /** It has committed, or was so already. */
  | { readonly kind: "done"; readonly reply: ChangeMembersReply }
  /** Nothing changed. */
  | { readonly kind: "refused"; readonly reply: ChangeMembersReply }
  /** No leader was found: certainly nothing happened. `why` is a sentence. */
  | { readonly kind: "unheard"; readonly why: string }
  /** It may have happened, or may still. */
  | { readonly kind: "unknown"; readonly why: string };

export interface LeaderSearch {
  readonly ask: AskNode;
  /** Where to begin; at least one. Whoever is asked may name the leader. */
  readonly addresses: readonly string[];
  /** For all of it. */
  readonly deadlineMs: number;
  /** Once aborted, the attempt under way is the last one. */
  readonly signal?: AbortSignal | undefined;
}

/** One node that hangs must not use up the time of a search that others could answer. */
const ATTEMPT_MS_MAX = 5000;
/** Between two rounds over all addresses; the cluster may be electing. */
const ROUND_PAUSE_MS = 100;
/** Nobody is asked with less than this left, or a quarter of all the time: silence would leave open what is certain. */
const LAST_ATTEMPT_MIN_MS = 500;
/** Two nodes may each take the other for the leader. */
const REDIRECTS_MAX = 3;

/**
 * Brings a change of the membership to the leader, whoever that is: asks the addresses in turn and follows those who know
 * better. What can be repeated is repeated when its fate is not known; handing leadership over twice would be two moves.
 */
export async function askLeader(
  request: ChangeMembersRequest,
  { ask, addresses, deadlineMs, signal }: LeaderSearch,
): Promise<LeaderAnswer> {
  const endsAt = performance.now() + deadlineMs;
  const path = new Path(addresses);
  const lastBeginsAt = endsAt - Math.min(LAST_ATTEMPT_MIN_MS, deadlineMs / 4);
  let why = "nobody was asked in time";
  /** Why it may have happened, once it may. */
  let doubt: string | undefined;
  while (performance.now() < lastBeginsAt) {
    const leftMs = Math.ceil(endsAt - performance.now());
    const attempt = await attemptAt(path.next, request, { ask, deadlineMs: Math.min(leftMs, ATTEMPT_MS_MAX) });
    if (attempt.kind === "decided") return decision(request, attempt.reply, doubt);
    why = attempt.why;
    if (attempt.kind === "uncertain") doubt = attempt.why;
    if (signal?.aborted === true || (doubt !== undefined && request.kind === "transfer")) break;
    if (path.advance(attempt.leader)) await pause(Math.min(ROUND_PAUSE_MS, Math.max(0, endsAt - performance.now())));
  }
  return doubt === undefined ? { kind: "unheard", why } : { kind: "unknown", why: doubt };
}

/** Where to ask next: whom the last node named, else around the addresses. */
class Path {
  readonly #addresses: readonly string[];
  #place = 0;
  #redirects = 0;
  next: string;

  constructor(addresses: readonly string[]) {
    const [first] = addresses;
    if (first === undefined) throw new TypeError("at least one address is needed");
    this.#addresses = addresses;
    this.next = first;
  }

  /** @returns whether all addresses were asked once more */
  advance(leader: string): boolean {
    if (leader !== "" && leader !== this.next && this.#redirects < REDIRECTS_MAX) {
      this.#redirects += 1;
      this.next = leader;
      return false;
    }
    this.#redirects = 0;
    this.#place = (this.#place + 1) % this.#addresses.length;
    this.next = this.#addresses[this.#place] ?? this.next;
    return this.#place === 0;
  }
}

type Attempt =
  | { readonly kind: "decided"; readonly reply: ChangeMembersReply }
  | { readonly kind: "elsewhere" | "uncertain"; readonly why: string; readonly leader: string };

async function attemptAt(
  address: string,
  request: ChangeMembersRequest,
  { ask, deadlineMs }: { readonly ask: AskNode; readonly deadlineMs: number },
): Promise<Attempt> {
  try {
    const reply = await ask(address, request, deadlineMs);
    switch (reply.outcome) {
      case "done":
      case "refused":
        return { kind: "decided", reply };
      case "notLeader": {
        const why = reply.leaderAddress === "" ? `${address} knows no leader` : `${address} does not lead`;
        return { kind: "elsewhere", why, leader: reply.leaderAddress };
      }
      case "unknown":
        return { kind: "uncertain", why: reply.reason, leader: reply.leaderAddress };
    }
  } catch (error) {
    if (!(error instanceof PeerCallFailure)) throw error;
    return { kind: error.kind === "unanswered" ? "uncertain" : "elsewhere", why: error.message, leader: "" };
  }
}

/**
 * A leader calls a removal done once it has committed. One that is in force and still refused, after an attempt of unknown
 * fate, is that attempt on its way.
 */
function decision(request: ChangeMembersRequest, reply: ChangeMembersReply, doubt: string | undefined): LeaderAnswer {
  if (reply.outcome === "done") return { kind: "done", reply };
  const members = reply.configuration?.members;
  const isGone = request.kind === "remove" && members?.every(({ id }) => id !== request.nodeId) === true;
  return doubt !== undefined && isGone ? { kind: "unknown", why: doubt } : { kind: "refused", reply };
}
