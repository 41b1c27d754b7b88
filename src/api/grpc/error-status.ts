import { Metadata, type StatusObject, status } from "@grpc/grpc-js";
import type { Problem } from "../problem.js";
import { encodeRpcStatus } from "./rpc-status.js";

/** Trailers must stay well below what HTTP/2 peers accept (8 KiB is usual); details may quote the caller. */
const DETAIL_LENGTH_MAX = 1000;

/** A problem as gRPC says it: status, sentence, and ErrorInfo in `grpc-status-details-bin`. */
export function statusOfProblem(problem: Problem, requestId: string): StatusObject {
  const details = wellFormed(problem.message.slice(0, DETAIL_LENGTH_MAX));
  const code = status[problem.grpcStatus];
  const field = problem.errors[0]?.field ?? "";
  const metadata = new Metadata();
  metadata.set(
    "grpc-status-details-bin",
    encodeRpcStatus({
      code,
      message: details,
      reason: problem.code,
      metadata: {
        ...(field === "" ? {} : { field: wellFormed(field) }),
        ...(requestId === "" ? {} : { request_id: requestId }),
      },
      retryAfterSeconds: problem.retryAfterSeconds,
    }),
  );
  return { code, details, metadata };
}

/** encodeURI, with which grpc-js writes the sentence, throws on half surrogate pairs. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}
