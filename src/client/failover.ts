import { setTimeout as pause } from "node:timers/promises";
import { FolioError } from "./error.js";
import type { Rotation } from "./rotation.js";

/**
 * What may be done with a call whose outcome nobody knows.
 * - "read": it changes nothing; repeating is always right.
 * - "keyed": an idempotency key makes a repetition give the first answer.
 * - "once": repeating could do it twice, so it is repeated only after a certain refusal.
 */
export type Repeatability = "read" | "keyed" | "once";

export interface RetryLimits {
  /** For the whole call, all attempts and pauses included. */
  readonly deadlineMs: number;
  readonly attemptsMax: number;
  /** The pause after every node was tried once; doubles with each round, drawn at random from zero to that. */
  readonly backoffFirstMs: number;
  readonly backoffMaxMs: number;
}

export const defaultRetryLimits: RetryLimits = {
  deadlineMs: 15_000,
  attemptsMax: 12,
  backoffFirstMs: 50,
  backoffMaxMs: 1000,
};

/** A repeatable call does not give all of its time to one node that hangs: so many attempts fit the deadline. */
const REPEATABLE_ATTEMPTS_IN_DEADLINE = 3;
/**
 * In less than this a node can hardly say that it did not execute a call: it would look as if nobody knew. A deadline
 * that is shorter than two of them is halved all the same.
 */
const ATTEMPT_MIN_MS = 1000;
/** For the same reason none begins with less than this left, or a quarter of the deadline if that is shorter. */
const LAST_ATTEMPT_MIN_MS = 1000;

/**
 * Runs `attempt` against one node after the other until it succeeds, fails for good, or the limits are reached.
 * The error is always a FolioError.
 */
export async function withFailover<Node, Result>(
  rotation: Rotation<Node>,
  limits: RetryLimits,
  repeatability: Repeatability,
  attempt: (node: Node, timeoutMs: number) => Promise<Result>,
): Promise<Result> {
  const endsAt = performance.now() + limits.deadlineMs;
  const lastBeginsAt = endsAt - Math.min(LAST_ATTEMPT_MIN_MS, limits.deadlineMs / 4);
  const share = repeatability === "once" ? 1 : REPEATABLE_ATTEMPTS_IN_DEADLINE;
  const attemptMs = Math.max(Math.min(ATTEMPT_MIN_MS, limits.deadlineMs / 2), limits.deadlineMs / share);
  let unknown: FolioError | undefined;
  for (let count = 1; ; count += 1) {
    const timeoutMs = Math.max(1, Math.min(endsAt - performance.now(), attemptMs));
    const outcome = await attemptOnce(rotation, (node) => attempt(node, timeoutMs));
    if (outcome.ok) return outcome.result;
    const { error } = outcome;
    if (error.code === "OUTCOME_UNKNOWN") unknown = error;
    const delayMs = pauseBefore(count, rotation.size, limits, error);
    const over = count >= limits.attemptsMax || performance.now() + delayMs >= lastBeginsAt;
    if (over || !mayRepeat(error, repeatability)) throw finalError(error, unknown, repeatability);
    if (delayMs > 0) await pause(delayMs);
  }
}

type Outcome<Result> =
  | { readonly ok: true; readonly result: Result }
  | { readonly ok: false; readonly error: FolioError };

async function attemptOnce<Node, Result>(
  rotation: Rotation<Node>,
  attempt: (node: Node) => Promise<Result>,
): Promise<Outcome<Result>> {
  const turn = rotation.take();
  try {
    const result = await attempt(turn.node);
    rotation.succeeded(turn);
    return { ok: true, result };
  } catch (error) {
    if (!(error instanceof FolioError)) throw error;
    if (isAboutNode(error)) rotation.failed(turn);
    return { ok: false, error };
  }
}

function isAboutNode(error: FolioError): boolean {
  return error.code === "NOT_EXECUTED" || error.code === "OUTCOME_UNKNOWN" || error.code === "INTERNAL_ERROR";
}

function mayRepeat(error: FolioError, repeatability: Repeatability): boolean {
  if (error.code === "NOT_EXECUTED") return true;
  return error.code === "OUTCOME_UNKNOWN" && repeatability !== "once";
}

/** No pause while there are nodes that this round has not asked yet, unless the node itself asked for one. */
function pauseBefore(attempts: number, nodes: number, limits: RetryLimits, error: FolioError): number {
  if (attempts % nodes !== 0) return 0;
  const round = Math.floor(attempts / nodes) - 1;
  const ceilingMs = Math.min(limits.backoffMaxMs, limits.backoffFirstMs * 2 ** round);
  const askedMs = Math.min(error.retryAfterMs ?? 0, limits.backoffMaxMs);
  return Math.max(askedMs, Math.random() * ceilingMs);
}

/**
 * A refusal after an attempt of unknown fate does not make that fate known: it may come from before the log (a limit, a
 * key that one node does not take, a proxy), and even a domain's no may be overtaken by the attempt that still waits.
 * Only a key that belongs to another request does so in every attempt. A read has no fate.
 */
function finalError(last: FolioError, unknown: FolioError | undefined, repeatability: Repeatability): FolioError {
  if (repeatability === "read") {
    if (last.code !== "OUTCOME_UNKNOWN") return last;
    return new FolioError("NOT_EXECUTED", last.message, { requestId: last.requestId, cause: last });
  }
  if (unknown === undefined || unknown === last || last.code === "IDEMPOTENCY_MISMATCH") return last;
  const message = `${unknown.message}; the last attempt ended as ${last.code}: ${last.message}`;
  return new FolioError(unknown.code, message, { requestId: unknown.requestId, cause: last });
}
