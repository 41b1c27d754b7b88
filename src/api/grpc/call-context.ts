import type { Metadata, ServerUnaryCall } from "@grpc/grpc-js";
import type { AccessLevel, ApiKeys } from "../../access/api-keys.js";
import { budgetKey, type RateLimiter } from "../../access/rate-limit.js";
import type { Caller } from "../commands.js";
import type { ProposeOptions } from "../port.js";
import { Problem } from "../problem.js";

/** What a handler knows of its call beside the request. */
export interface CallContext {
  readonly caller: Caller;
  /** The client's deadline for a proposal; the node's own if it gave none. */
  readonly proposeOptions: ProposeOptions | undefined;
}

/** Who may call, and how often. */
export interface Gate {
  readonly access: ApiKeys;
  /** undefined: calls are not limited. */
  readonly limiter: RateLimiter | undefined;
}

type Call = Pick<ServerUnaryCall<unknown, unknown>, "metadata" | "getPeer" | "getDeadline">;

/**
 * Lets the call in, or not.
 * @returns the caller's name
 * @throws Problem RATE_LIMIT_EXCEEDED, UNAUTHENTICATED or FORBIDDEN
 */
export function admit(call: Call, gate: Gate, needed: AccessLevel): string {
  const authorisation = gate.access.authorise(textOf(call.metadata, "x-api-key"), needed);
  if (gate.limiter !== undefined) {
    const spent = gate.limiter.spend(budgetKey(authorisation, addressOf(call.getPeer())));
    if (!spent.allowed) {
      const sentence = `more than ${spent.limit} calls in the current window; wait for the next one`;
      throw new Problem("RATE_LIMIT_EXCEEDED", sentence, { retryAfterMs: spent.resetMs });
    }
  }
  if (authorisation.ok) return authorisation.principal;
  throw new Problem(authorisation.refusal.code, authorisation.refusal.detail);
}

/**
 * Of the time that the client waits, this much is kept for the answer that says what became of the call: a node looks at
 * its deadlines ten times a second, and the way back takes a moment, too.
 */
const VERDICT_LATENESS_MS = 100;
const WAY_BACK_SHARE = 0.125;
const KEPT_MIN_MS = 500;
const KEPT_MAX_MS = 1000;

/** @throws Problem NOT_EXECUTED when the client's deadline has passed already */
export function proposeOptionsOf(call: Call): ProposeOptions | undefined {
  const deadline = call.getDeadline();
  if (deadline === Number.POSITIVE_INFINITY) return undefined;
  const remainingMs = Number(deadline) - Date.now();
  if (remainingMs <= 0) throw new Problem("NOT_EXECUTED", "the client's deadline had passed when the call arrived");
  const wantedMs = Math.max(KEPT_MIN_MS, VERDICT_LATENESS_MS + remainingMs * WAY_BACK_SHARE);
  const keptMs = Math.min(wantedMs, remainingMs / 2, KEPT_MAX_MS);
  return { deadlineMs: Math.max(1, Math.floor(remainingMs - keptMs)) };
}

function textOf(metadata: Metadata, name: string): string | undefined {
  const value = metadata.get(name)[0];
  return typeof value === "string" ? value : undefined;
}

/** grpc-js gives "address:port", with IPv6 addresses bare. */
function addressOf(peer: string): string {
  const colon = peer.lastIndexOf(":");
  return colon < 0 ? peer : peer.slice(0, colon);
}
