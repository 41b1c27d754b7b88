import { type ServiceError, status } from "@grpc/grpc-js";
import { FolioError, type FolioErrorCode, isFolioErrorCode } from "./error.js";
import { readStatusDetails } from "./status-details.js";

/**
 * What grpc-js says of a call that never left this process, or that the node certainly did not look at. Every other
 * loss of a connection leaves the fate of the call open.
 */
const NEVER_SENT =
  /^(No connection established|Name resolution failed|Channel closed before call started|Stream refused by server)/;

/**
 * Statuses without ErrorInfo: from grpc-js, a proxy, or a server that is not Folio. All others, a reset stream and an
 * answer that cannot be read among them, leave the fate of the call open.
 */
const codeOfStatus: ReadonlyMap<status, FolioErrorCode> = new Map([
  [status.INVALID_ARGUMENT, "VALIDATION_ERROR"],
  [status.UNAUTHENTICATED, "UNAUTHENTICATED"],
  [status.PERMISSION_DENIED, "FORBIDDEN"],
  [status.NOT_FOUND, "NOT_FOUND"],
  [status.UNIMPLEMENTED, "NOT_FOUND"],
  [status.FAILED_PRECONDITION, "CONFLICT"],
  [status.ABORTED, "PRECONDITION_FAILED"],
  [status.RESOURCE_EXHAUSTED, "PAYLOAD_TOO_LARGE"],
]);

export function folioErrorOf(error: ServiceError, address: string, requestId: string): FolioError {
  const trailer = error.metadata.get("grpc-status-details-bin")[0];
  const details = Buffer.isBuffer(trailer) ? readStatusDetails(trailer) : undefined;
  if (details?.domain === "folio" && isFolioErrorCode(details.reason)) {
    return new FolioError(details.reason, error.details, {
      field: details.metadata.get("field") ?? "",
      requestId,
      ...(details.retryAfterMs === undefined ? {} : { retryAfterMs: details.retryAfterMs }),
      cause: error,
    });
  }
  const sentence = `${address}: ${error.details}`;
  if (error.code === status.UNAVAILABLE && NEVER_SENT.test(error.details)) {
    return new FolioError("NOT_EXECUTED", sentence, { requestId, cause: error });
  }
  return new FolioError(codeOfStatus.get(error.code) ?? "OUTCOME_UNKNOWN", sentence, { requestId, cause: error });
}
