import { type handleUnaryCall, Metadata, type ServerUnaryCall, type sendUnaryData } from "@grpc/grpc-js";
import type { Logger } from "pino";
import type { AccessLevel } from "../../access/api-keys.js";
import { InvariantViolation } from "../../assert.js";
import { Problem, problemOf } from "../problem.js";
import { admit, type CallContext, type Gate, proposeOptionsOf } from "./call-context.js";
import { statusOfProblem } from "./error-status.js";
import { Malformed } from "./malformed.js";
import type { RequestIds } from "./request-ids.js";

/**
 * What one RPC does with a request that is a message of the right type and whose caller may make it.
 * It throws or rejects with what `problemOf` understands.
 */
export interface Rpc<Request, Response> {
  readonly name: string;
  /** "open": needs no key and spends no budget. */
  readonly access: AccessLevel | "open";
  readonly run: (request: Request, context: CallContext) => Promise<Response>;
}

export interface UnaryEdge extends Gate {
  readonly logger: Logger;
  readonly requestIds: RequestIds;
  /** Ends the process: an invariant did not hold while a call was answered. */
  readonly crash: (violation: InvariantViolation) => void;
}

type AnyCall = ServerUnaryCall<unknown, unknown>;

/** An RPC as grpc-js wants it: one callback per call, whatever happens. */
export function unary<Request, Response>(
  rpc: Rpc<Request, Response>,
  edge: UnaryEdge,
): handleUnaryCall<Request | Malformed, Response> {
  return (call, answer) => {
    let requestId = "";
    try {
      requestId = nameCall(call, edge.requestIds);
      const principal = rpc.access === "open" ? "" : admit(call, edge, rpc.access);
      const context = { caller: { principal, requestId }, proposeOptions: proposeOptionsOf(call) };
      rpc.run(wellFormed(call.request), context).then(
        (response) => answer(null, response),
        (error: unknown) => fail(answer, error, { rpc: rpc.name, requestId, edge, call }),
      );
    } catch (error) {
      // What the client called it was no name.
      requestId ||= edge.requestIds.made();
      fail(answer, error, { rpc: rpc.name, requestId, edge, call });
    }
  };
}

/** A name that the client gave goes back to it; to send initial metadata otherwise would cost for nothing. */
function nameCall(call: AnyCall, requestIds: RequestIds): string {
  const given = requestIds.given(call.metadata);
  if (given === undefined) return requestIds.made();
  const initial = new Metadata();
  initial.set("x-request-id", given);
  call.sendMetadata(initial);
  return given;
}

function wellFormed<Request>(request: Request | Malformed): Request {
  if (!(request instanceof Malformed)) return request;
  throw new Problem("VALIDATION_ERROR", `the bytes are no message of the expected type: ${request.reason}`);
}

interface FailedCall {
  readonly rpc: string;
  readonly requestId: string;
  readonly edge: UnaryEdge;
  readonly call: AnyCall;
}

function fail<Response>(answer: sendUnaryData<Response>, error: unknown, failed: FailedCall): void {
  const problem = problemOf(error);
  const { logger, crash } = failed.edge;
  const context = { rpc: failed.rpc, request_id: failed.requestId, code: problem.code };
  // A caller that went away is no fault of this node's.
  if (problem.code === "INTERNAL_ERROR" && !failed.call.cancelled) {
    logger.error({ ...context, err: error }, "request failed");
  } else {
    logger.debug({ ...context, detail: problem.message }, "request refused");
  }
  answer(statusOfProblem(problem, failed.requestId));
  if (error instanceof InvariantViolation) crash(error);
}
