import type { FolioErrorCode } from "../client/error.js";

/** What scripts can rely on; documented in every --help. */
export const exitCode = {
  ok: 0,
  unexpected: 1,
  usage: 2,
  notFound: 3,
  conflict: 4,
  forbidden: 5,
  notExecuted: 6,
  outcomeUnknown: 7,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

export const exitCodeHelp = `
Exit codes:
  0  done
  1  something unexpected went wrong
  2  the command or a value is not valid (a file or folder that is not what it should be, too), or was not confirmed
  3  there is no such prefix, or no such member
  4  the state forbids it: conflict, another version, maximum reached, key used for another request, file or folder in use
  5  the key is missing, unknown, or not an administrator's
  6  certainly not executed: no node reachable, no leader, or too many requests; repeat freely
  7  the outcome is not known: repeat with the same --idempotency-key, or look before repeating`;

export function exitCodeOf(code: FolioErrorCode): ExitCode {
  switch (code) {
    case "VALIDATION_ERROR":
    case "METHOD_NOT_ALLOWED":
    case "PAYLOAD_TOO_LARGE":
    case "HEADERS_TOO_LARGE":
    case "UNSUPPORTED_MEDIA_TYPE":
      return exitCode.usage;
    case "NOT_FOUND":
      return exitCode.notFound;
    case "CONFLICT":
    case "EXHAUSTED":
    case "PRECONDITION_FAILED":
    case "IDEMPOTENCY_MISMATCH":
      return exitCode.conflict;
    case "UNAUTHENTICATED":
    case "FORBIDDEN":
      return exitCode.forbidden;
    case "NOT_EXECUTED":
    case "RATE_LIMIT_EXCEEDED":
    case "REQUEST_TIMEOUT":
      return exitCode.notExecuted;
    case "OUTCOME_UNKNOWN":
      return exitCode.outcomeUnknown;
    case "INTERNAL_ERROR":
      return exitCode.unexpected;
  }
}
