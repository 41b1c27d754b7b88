import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import { invalidField } from "../problem.js";
import { REQUEST_ID, REQUEST_ID_EXPECTED } from "../request-fields.js";

const HEADER = "x-request-id";

/**
 * Makes the function that names requests: by X-Request-ID where it is valid, else by a name that
 * is unique to this process and costs a counter.
 */
export function requestIds(): (request: { readonly headers: IncomingMessage["headers"] }) => string {
  const process = randomBytes(6).toString("hex");
  let count = 0;
  return ({ headers }) => {
    const given = headers[HEADER];
    if (typeof given === "string" && REQUEST_ID.test(given)) return given;
    count += 1;
    return `${process}-${count.toString(36)}`;
  };
}

/** onRequest: echoes the id, and refuses an X-Request-ID that was not taken over. */
export function echoRequestId(request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void {
  reply.header(HEADER, request.id);
  const given = request.headers[HEADER];
  if (given === undefined || given === request.id) done();
  else done(invalidField("X-Request-ID", REQUEST_ID_EXPECTED));
}
