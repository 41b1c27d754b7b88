import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { InvariantViolation } from "../../assert.js";
import { Problem, type ProblemCode, problemOf } from "../problem.js";
import type { RestApp, RestOptions } from "./edge.js";

const MEDIA_TYPE = "application/problem+json";
const SHOWN_PATH_LENGTH_MAX = 200;
/** No request of this edge needs more. */
export const BODY_LIMIT_BYTES = 64 * 1024;

/** Every error of the app, whoever raised it, leaves as a problem (RFC 9457). */
export function answerProblems(app: RestApp, options: Pick<RestOptions, "logger" | "crash">): void {
  app.setErrorHandler((error, request, reply) => replyToError(error, request, reply, options));
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split("?", 1)[0]?.slice(0, SHOWN_PATH_LENGTH_MAX);
    const detail = `there is nothing at ${request.method} ${path}`;
    return sendProblem(new Problem("NOT_FOUND", detail), request, reply);
  });
}

/** For errors that fastify meets before it knows the route, such as a URL that cannot be decoded. */
export function frameworkProblem(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  reply.header("x-request-id", request.id);
  sendProblem(problemOfFastify(error) ?? problemOf(error), request, reply);
}

function replyToError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  { logger, crash }: Pick<RestOptions, "logger" | "crash">,
): FastifyReply {
  const problem = problemOfFastify(error) ?? problemOf(error);
  const context = { request_id: request.id, method: request.method, url: request.url, code: problem.code };
  if (problem.code === "INTERNAL_ERROR") logger.error({ ...context, err: error }, "request failed");
  else logger.debug({ ...context, detail: problem.message }, "request refused");
  sendProblem(problem, request, reply);
  if (error instanceof InvariantViolation) crash(error);
  return reply;
}

export function sendProblem(problem: Problem, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const retryAfterSeconds = problem.retryAfterSeconds;
  if (retryAfterSeconds !== undefined) reply.header("retry-after", retryAfterSeconds);
  if (problem.code === "UNAUTHENTICATED") reply.header("www-authenticate", 'ApiKey realm="folio", header="X-API-Key"');
  return reply
    .code(problem.status)
    .header("cache-control", "no-store")
    .header("content-type", MEDIA_TYPE)
    .send(documentOf(problem, request.id));
}

function documentOf(problem: Problem, requestId: string): string {
  return JSON.stringify({
    type: `urn:folio:problem:${problem.code.toLowerCase().replaceAll("_", "-")}`,
    title: problem.title,
    status: problem.status,
    detail: problem.message,
    code: problem.code,
    request_id: requestId,
    ...(problem.errors.length === 0 ? {} : { errors: problem.errors }),
  });
}

/** fastify's own errors carry a status and are about the request as a whole. */
function problemOfFastify(error: unknown): Problem | undefined {
  if (!(error instanceof Error) || error instanceof Problem) return undefined;
  const { statusCode } = error as Partial<FastifyError>;
  if (statusCode === undefined || statusCode < 400 || statusCode > 499) return undefined;
  const code = codeOfStatus(statusCode);
  return new Problem(code, detailOf(error as FastifyError));
}

function codeOfStatus(status: number): ProblemCode {
  switch (status) {
    case 401:
      return "UNAUTHENTICATED";
    case 403:
      return "FORBIDDEN";
    case 404:
      return "NOT_FOUND";
    case 408:
      return "REQUEST_TIMEOUT";
    case 413:
      return "PAYLOAD_TOO_LARGE";
    case 415:
      return "UNSUPPORTED_MEDIA_TYPE";
    case 429:
      return "RATE_LIMIT_EXCEEDED";
    default:
      return "VALIDATION_ERROR";
  }
}

function detailOf(error: FastifyError): string {
  switch (error.code) {
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return "the body must be sent as content-type application/json";
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return `the body must have at most ${BODY_LIMIT_BYTES} bytes`;
    // These repeat the whole URL.
    case "FST_ERR_BAD_URL":
      return "the URL cannot be decoded";
    case "FST_ERR_MAX_PARAM_LENGTH":
      return "a part of the URL is too long";
    default:
      return error.message;
  }
}

/** What is not even HTTP: answered on the bare socket, under a name of ours. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket, requestId: string): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = problemOfParser(error.code);
  const body = documentOf(problem, requestId);
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ""}`,
    `X-Request-ID: ${requestId}`,
    "Cache-Control: no-store",
    `Content-Type: ${MEDIA_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}

function problemOfParser(code: string | undefined): Problem {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") {
    return new Problem("REQUEST_TIMEOUT", "the request did not arrive completely in time");
  }
  if (code === "HPE_HEADER_OVERFLOW") return new Problem("HEADERS_TOO_LARGE", "the headers are too large");
  return new Problem("VALIDATION_ERROR", "this is not a well-formed HTTP request");
}
