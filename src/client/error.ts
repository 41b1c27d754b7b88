/** The codes of Folio's public errors, the same over REST and gRPC. */
export const folioErrorCodes = [
  "VALIDATION_ERROR",
  "UNAUTHENTICATED",
  "FORBIDDEN",
  "NOT_FOUND",
  "METHOD_NOT_ALLOWED",
  "REQUEST_TIMEOUT",
  "CONFLICT",
  "EXHAUSTED",
  "PRECONDITION_FAILED",
  "PAYLOAD_TOO_LARGE",
  "UNSUPPORTED_MEDIA_TYPE",
  "IDEMPOTENCY_MISMATCH",
  "RATE_LIMIT_EXCEEDED",
  "HEADERS_TOO_LARGE",
  "INTERNAL_ERROR",
  "NOT_EXECUTED",
  "OUTCOME_UNKNOWN",
] as const;

export type FolioErrorCode = (typeof folioErrorCodes)[number];

export function isFolioErrorCode(text: unknown): text is FolioErrorCode {
  return (folioErrorCodes as readonly unknown[]).includes(text);
}

export interface FolioErrorDetails {
  /** The field of the request it is about, in snake_case. */
  readonly field?: string;
  /** What to look for in the node's logs. */
  readonly requestId?: string;
  /** Only with NOT_EXECUTED and RATE_LIMIT_EXCEEDED: when a retry may succeed. */
  readonly retryAfterMs?: number;
  /** Only with OUTCOME_UNKNOWN: the key that the call went under. */
  readonly idempotencyKey?: string;
  readonly cause?: unknown;
}

/**
 * Why a call did not succeed. NOT_EXECUTED: certainly nothing happened, or the call changes nothing, so that it may be
 * repeated freely. OUTCOME_UNKNOWN: it may or may not have happened; repeat it with the same idempotency key.
 */
export class FolioError extends Error {
  override readonly name = "FolioError";
  /** "" if it is about no single field. */
  readonly field: string;
  /** "" if the call carried none. */
  readonly requestId: string;
  readonly retryAfterMs: number | undefined;
  /** The key to repeat the call with, where its outcome is not known and it had one. */
  readonly idempotencyKey: string | undefined;

  constructor(
    readonly code: FolioErrorCode,
    message: string,
    details: FolioErrorDetails = {},
  ) {
    super(message, { cause: details.cause });
    this.field = details.field ?? "";
    this.requestId = details.requestId ?? "";
    this.retryAfterMs = details.retryAfterMs;
    this.idempotencyKey = details.idempotencyKey;
  }
}

/** Whoever does not know what became of a call needs the key that it went under, even one made up for it. */
export function withKey(error: unknown, key: string): unknown {
  if (!(error instanceof FolioError) || error.code !== "OUTCOME_UNKNOWN") return error;
  const { requestId, field } = error;
  const message = `${error.message}; to find out, repeat it with the idempotency key ${key}`;
  return new FolioError(error.code, message, { requestId, field, idempotencyKey: key, cause: error });
}
