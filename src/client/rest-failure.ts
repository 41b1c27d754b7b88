import { FolioError, type FolioErrorCode, isFolioErrorCode } from "./error.js";

/** Causes of a failed fetch after which the node certainly did not get the request. */
const NEVER_SENT: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** fetch refuses some ports by itself (Fetch standard, "port blocking"). */
const BLOCKED_PORT = "bad port";

/** A fetch that rejected: no connection, a connection lost, or time that ran out. */
export function folioErrorOfFetch(error: unknown, server: string, requestId: string): FolioError {
  if (!(error instanceof Error)) throw error;
  if (error.name === "TimeoutError") {
    return new FolioError("OUTCOME_UNKNOWN", `${server} did not answer in time`, { requestId, cause: error });
  }
  const cause = rootCause(error);
  const code: unknown = Reflect.get(cause, "code");
  const known = NEVER_SENT.has(String(code)) || cause.message === BLOCKED_PORT;
  const sentence = `${server} did not answer: ${typeof code === "string" ? code : cause.message}`;
  return new FolioError(known ? "NOT_EXECUTED" : "OUTCOME_UNKNOWN", sentence, { requestId, cause: error });
}

/** undici wraps what went wrong, and wraps several attempts to connect into one. */
function rootCause(error: Error): Error {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return rootCause(error.errors[0]);
  return error.cause instanceof Error ? rootCause(error.cause) : error;
}

/** What a status without a problem body means: from a proxy, or a server that is not Folio. */
function codeOfStatus(status: number): FolioErrorCode {
  switch (status) {
    case 400:
    case 422:
      return "VALIDATION_ERROR";
    case 401:
      return "UNAUTHENTICATED";
    case 403:
      return "FORBIDDEN";
    case 404:
      return "NOT_FOUND";
    case 409:
      return "CONFLICT";
    case 412:
      return "PRECONDITION_FAILED";
    case 413:
      return "PAYLOAD_TOO_LARGE";
    case 429:
      return "RATE_LIMIT_EXCEEDED";
    default:
      return "OUTCOME_UNKNOWN";
  }
}

/** An answer outside 200..299, RFC 9457 or not. */
export function folioErrorOfAnswer(response: Response, body: unknown, server: string, sentId: string): FolioError {
  const retryAfterMs = retryAfter(response.headers.get("retry-after"));
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
  const code = property(body, "code");
  if (!isFolioErrorCode(code)) {
    const sentence = `${server} answered ${response.status} ${response.statusText}`.trimEnd();
    return new FolioError(codeOfStatus(response.status), sentence, { requestId: sentId, ...wait });
  }
  const errors = property(body, "errors");
  const field = Array.isArray(errors) ? property(errors[0], "field") : undefined;
  const requestId = property(body, "request_id");
  return new FolioError(code, String(property(body, "detail") ?? property(body, "title") ?? code), {
    field: typeof field === "string" ? field : "",
    requestId: typeof requestId === "string" ? requestId : sentId,
    ...wait,
  });
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function retryAfter(header: string | null): number | undefined {
  return header !== null && /^\d{1,9}$/.test(header) ? Number(header) * 1000 : undefined;
}
