import type { FastifyReply, FastifyRequest } from "fastify";
import type { Drawn } from "../../sequence/result.js";
import type { Caller, DrawFields, ScopeFields } from "../commands.js";
import type { ProposeOptions } from "../port.js";
import { invalidField } from "../problem.js";

/** Provenance and scope as requests carry them, by REST's names. */
interface AuthoredBody {
  readonly client_id?: string;
  readonly generated_by?: string;
  readonly correlation_id?: string;
}

interface ScopedBody {
  readonly site?: string;
  readonly partition?: string;
  readonly document_type?: string;
}

interface DrawBody extends AuthoredBody, ScopedBody {
  readonly document_date?: string;
  readonly document_ref?: string;
}

export function callerOf(request: FastifyRequest): Caller {
  return { principal: request.principal, requestId: request.id };
}

const WAIT_PREFERENCE = /(?:^|[,;]\s*)wait=(\d{1,6}(?:\.\d{1,3})?)(?:$|[\s,;])/;

/**
 * How long the caller waits, by `Prefer: wait=SECONDS` (RFC 7240 §4.3): the answer that a call ends with at its
 * deadline should still find it there. Preferences that are not understood are ignored, as the RFC says. It knows whole
 * seconds only; fractions are taken as well, since a client with several nodes to ask may have less for each.
 */
export function proposeOptionsOf(request: FastifyRequest): ProposeOptions | undefined {
  const { prefer } = request.headers;
  if (prefer === undefined) return undefined;
  const seconds = WAIT_PREFERENCE.exec(String(prefer))?.[1];
  return seconds === undefined || Number(seconds) === 0 ? undefined : { deadlineMs: Math.ceil(Number(seconds) * 1000) };
}

export function authorFieldsOf(body: AuthoredBody): Pick<DrawFields, "clientId" | "generatedBy" | "correlationId"> {
  return { clientId: body.client_id, generatedBy: body.generated_by, correlationId: body.correlation_id };
}

export function scopeFieldsOf(body: ScopedBody): ScopeFields {
  return { site: body.site, partition: body.partition, documentType: body.document_type };
}

const KEY_HEADER = "idempotency-key";

/**
 * The Idempotency-Key header is validated by the routes' schemas.
 * @throws Problem VALIDATION_ERROR if it was sent twice
 */
export function drawFieldsOf(prefix: string, body: DrawBody, request: FastifyRequest): DrawFields {
  const key = request.headers[KEY_HEADER];
  // Node joins what is sent twice by a comma: that would be a key that nobody chose.
  if (typeof key === "string" && key.includes(",") && timesSent(KEY_HEADER, request) > 1) {
    throw invalidField(KEY_HEADER, "sent once");
  }
  return {
    prefix,
    clientId: body.client_id,
    generatedBy: body.generated_by,
    correlationId: body.correlation_id,
    site: body.site,
    partition: body.partition,
    documentType: body.document_type,
    documentDate: body.document_date,
    documentRef: body.document_ref,
    idempotencyKey: typeof key === "string" ? key : undefined,
  };
}

function timesSent(header: string, request: FastifyRequest): number {
  const { rawHeaders } = request.raw;
  return rawHeaders.filter((name, place) => place % 2 === 0 && name.toLowerCase() === header).length;
}

/** A draw is never a cache's to answer; a repeated one says so. */
export function markDraw(drawn: Drawn, reply: FastifyReply): void {
  reply.header("cache-control", "no-store");
  if (drawn.replayed) reply.header("idempotency-replayed", "true");
}
