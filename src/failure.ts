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

/** An address cannot be listened on: a sentence that names it, for whoever configured it. Nobody needs the stack. */
export class ListenFailure extends Error {
  override readonly name = "ListenFailure";
}

/** What the system said, without what the gRPC library wraps around it. */
export function listenFailure(what: string, address: string, cause: Error): ListenFailure {
  return new ListenFailure(`${what} cannot listen on ${address}: ${reasonOf(cause.message)}`, { cause });
}

function reasonOf(message: string): string {
  if (message.includes("EADDRINUSE")) return "another process listens there (EADDRINUSE)";
  if (message.includes("EADDRNOTAVAIL")) return "this machine has no such address (EADDRNOTAVAIL)";
  if (message.includes("EACCES")) return "this user may not listen there (EACCES)";
  return message;
}
