/**
 * An operating error: the request did not fail because of what it says but because of where and
 * when it arrived. Domain refusals are replicated values (src/sequence/result.ts), not errors.
 */
export type FailureCode =
  /** Certainly not executed: retry freely. */
  | "NOT_EXECUTED"
  /** The fate was not known when the deadline passed: retry with the same idempotency key. */
  | "OUTCOME_UNKNOWN"
  | "INTERNAL_ERROR";

export class OperatingFailure extends Error {
  override readonly name = "OperatingFailure";
  constructor(
    readonly code: FailureCode,
    message: string,
    /** When a retry may succeed; only with NOT_EXECUTED. */
    readonly retryAfterMs?: number,
  ) {
    super(message);
  }
}
