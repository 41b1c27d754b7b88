import { OperatingFailure } from "../failure.js";
import type { Refused } from "../sequence/result.js";

/**
 * Every error that an edge answers, with its HTTP status and its gRPC status (by the names of
 * google.rpc.Code). 409s of the domain are FAILED_PRECONDITION and not RESOURCE_EXHAUSTED, which
 * retry policies repeat by themselves.
 */
const PROBLEMS = {
  VALIDATION_ERROR: { status: 400, grpc: "INVALID_ARGUMENT", title: "The request is not valid" },
  UNAUTHENTICATED: { status: 401, grpc: "UNAUTHENTICATED", title: "A valid key is needed" },
  FORBIDDEN: { status: 403, grpc: "PERMISSION_DENIED", title: "This key may not do that" },
  NOT_FOUND: { status: 404, grpc: "NOT_FOUND", title: "There is nothing here" },
  METHOD_NOT_ALLOWED: { status: 405, grpc: "UNIMPLEMENTED", title: "The method is not allowed here" },
  REQUEST_TIMEOUT: { status: 408, grpc: "CANCELLED", title: "The request did not arrive in time" },
  CONFLICT: { status: 409, grpc: "FAILED_PRECONDITION", title: "The present state forbids it" },
  EXHAUSTED: { status: 409, grpc: "FAILED_PRECONDITION", title: "The sequence has reached its maximum" },
  PRECONDITION_FAILED: { status: 412, grpc: "ABORTED", title: "Another version is in force" },
  PAYLOAD_TOO_LARGE: { status: 413, grpc: "RESOURCE_EXHAUSTED", title: "The request is too large" },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, grpc: "INVALID_ARGUMENT", title: "The body must be application/json" },
  IDEMPOTENCY_MISMATCH: { status: 422, grpc: "FAILED_PRECONDITION", title: "The key belongs to another request" },
  RATE_LIMIT_EXCEEDED: { status: 429, grpc: "RESOURCE_EXHAUSTED", title: "Too many requests" },
  HEADERS_TOO_LARGE: { status: 431, grpc: "RESOURCE_EXHAUSTED", title: "The headers are too large" },
  INTERNAL_ERROR: { status: 500, grpc: "INTERNAL", title: "Something went wrong inside" },
  NOT_EXECUTED: { status: 503, grpc: "UNAVAILABLE", title: "Certainly not executed: retry freely" },
  OUTCOME_UNKNOWN: {
    status: 504,
    grpc: "DEADLINE_EXCEEDED",
    title: "The outcome is not known: retry a draw with the same idempotency key",
  },
} as const;

export type ProblemCode = keyof typeof PROBLEMS;
export type GrpcStatusName = (typeof PROBLEMS)[ProblemCode]["grpc"];

/** Every code, for documentation and tests. */
export const PROBLEM_CODES = Object.keys(PROBLEMS) as readonly ProblemCode[];

const RETRY_AFTER_DEFAULT_MS = 1000;

/** What is wrong with one field of a request. */
export interface FieldError {
  /** As the caller wrote it; dots lead into nested fields; "" for the request as a whole. */
  readonly field: string;
  /** What would have been right, in words. */
  readonly expected: string;
  /** A sentence that names the field. */
  readonly message: string;
}

export interface ProblemDetails {
  readonly errors?: readonly FieldError[];
  /** When a retry may succeed, ms; NOT_EXECUTED has one in any case. */
  readonly retryAfterMs?: number | undefined;
  /** What really happened, for the log only. */
  readonly cause?: unknown;
}

/** An error on its way to the caller. `message` is a sentence for the caller and holds no secret. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly errors: readonly FieldError[];
  readonly #retryAfterMs: number | undefined;

  constructor(
    readonly code: ProblemCode,
    message: string,
    details: ProblemDetails = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.errors = details.errors ?? [];
    this.#retryAfterMs = details.retryAfterMs;
  }

  get status(): number {
    return PROBLEMS[this.code].status;
  }

  get grpcStatus(): GrpcStatusName {
    return PROBLEMS[this.code].grpc;
  }

  get title(): string {
    return PROBLEMS[this.code].title;
  }

  /** Whole seconds, at least 1; undefined when waiting changes nothing. */
  get retryAfterSeconds(): number | undefined {
    const waitMs = this.#retryAfterMs ?? (this.code === "NOT_EXECUTED" ? RETRY_AFTER_DEFAULT_MS : undefined);
    return waitMs === undefined ? undefined : Math.max(1, Math.ceil(waitMs / 1000));
  }
}

/** A VALIDATION_ERROR about one field. */
export function invalidField(field: string, expected: string): Problem {
  const message = field === "" ? `the request must be ${expected}` : `${field} must be ${expected}`;
  return new Problem("VALIDATION_ERROR", message, { errors: [{ field, expected, message }] });
}

/** A VALIDATION_ERROR about one or more fields; the first one is the detail. */
export function invalidFields(errors: readonly FieldError[]): Problem {
  return new Problem("VALIDATION_ERROR", errors[0]?.message ?? "the request is not valid", { errors });
}

/**
 * What the domain refused, as a problem.
 * @param wireName translates the command's field name (camelCase) to the edge's
 */
export function problemOfRefusal(refused: Refused, wireName: (field: string) => string): Problem {
  if (refused.field === "") return new Problem(refused.code, refused.detail);
  const error = { field: wireName(refused.field), expected: refused.detail, message: refused.detail };
  return new Problem(refused.code, refused.detail, { errors: [error] });
}

/** Whatever was thrown, as a problem. What nobody planned becomes an INTERNAL_ERROR without details. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof OperatingFailure && error.code !== "INTERNAL_ERROR") {
    return new Problem(error.code, error.message, { retryAfterMs: error.retryAfterMs });
  }
  return new Problem("INTERNAL_ERROR", "the request failed for a reason that the log of this node holds", {
    cause: error,
  });
}

/** `newValue` as `new_value`. */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
