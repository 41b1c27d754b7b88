import type { FastifyReply, FastifyRequest } from "fastify";
import type { Drawn } from "../../sequence/result.js";
import type { Caller, DrawFields, ScopeFields } from "../commands.js";

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

export function authorFieldsOf(body: AuthoredBody): Pick<DrawFields, "clientId" | "generatedBy" | "correlationId"> {
  return { clientId: body.client_id, generatedBy: body.generated_by, correlationId: body.correlation_id };
}

export function scopeFieldsOf(body: ScopedBody): ScopeFields {
  return { site: body.site, partition: body.partition, documentType: body.document_type };
}

/** The Idempotency-Key header is validated by the routes' schemas. */
export function drawFieldsOf(prefix: string, body: DrawBody, request: FastifyRequest): DrawFields {
  const key = request.headers["idempotency-key"];
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

/** A draw is never a cache's to answer; a repeated one says so. */
export function markDraw(drawn: Drawn, reply: FastifyReply): void {
  reply.header("cache-control", "no-store");
  if (drawn.replayed) reply.header("idempotency-replayed", "true");
}
