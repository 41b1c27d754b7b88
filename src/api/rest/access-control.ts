import rateLimit, { type FastifyRateLimitStoreCtor } from "@fastify/rate-limit";
import type { FastifyReply, FastifyRequest, onRequestHookHandler } from "fastify";
import { type AccessLevel, ANONYMOUS, type ApiKeys, type Authorisation } from "../../access/api-keys.js";
import { budgetKey, type RateLimiter } from "../../access/rate-limit.js";
import { Problem } from "../problem.js";
import type { RestApp } from "./edge.js";

/**
 * Authorises and limits the routes of this scope that have `config.access`, in that order of
 * hooks: a call's budget is spent before its key may be refused, so that guessing is limited.
 */
export async function controlAccess(app: RestApp, access: ApiKeys, limiter: RateLimiter | undefined): Promise<void> {
  app.decorateRequest("principal", ANONYMOUS);
  if (limiter !== undefined) await limitRates(app, access, limiter);
  const hooks: Readonly<Record<AccessLevel, onRequestHookHandler>> = {
    client: enforce(access, "client"),
    admin: enforce(access, "admin"),
  };
  // After the limiter's own onRoute hook, whose handler therefore runs first.
  app.addHook("onRoute", (route) => {
    const needed = route.config?.access;
    if (needed !== undefined) route.onRequest = [...[route.onRequest ?? []].flat(), hooks[needed]];
  });
}

function enforce(access: ApiKeys, needed: AccessLevel): onRequestHookHandler {
  return (request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void) => {
    const authorisation = authorise(access, needed, request);
    if (authorisation.ok) {
      request.principal = authorisation.principal;
      done();
    } else {
      done(new Problem(authorisation.refusal.code, authorisation.refusal.detail));
    }
  };
}

function authorise(access: ApiKeys, needed: AccessLevel, request: FastifyRequest): Authorisation {
  const key = request.headers["x-api-key"];
  return access.authorise(typeof key === "string" ? key : undefined, needed);
}

async function limitRates(app: RestApp, access: ApiKeys, limiter: RateLimiter): Promise<void> {
  await app.register(rateLimit, {
    max: limiter.limit,
    timeWindow: limiter.windowMs,
    enableDraftSpec: true,
    store: sharedStore(limiter),
    keyGenerator: (request) => {
      const needed = request.routeOptions.config.access ?? "client";
      return budgetKey(authorise(access, needed, request), request.ip);
    },
    errorResponseBuilder: (_request, context) =>
      new Problem("RATE_LIMIT_EXCEEDED", `more than ${context.max} calls; try again in ${context.after}`, {
        retryAfterMs: context.ttl,
      }),
  });
}

/** The plugin makes its store itself, so the limiter that gRPC shares reaches it by a closure. */
function sharedStore(limiter: RateLimiter): FastifyRateLimitStoreCtor {
  return class SharedStore {
    incr(key: string, callback: (error: Error | null, result?: { current: number; ttl: number }) => void): void {
      const { current, resetMs } = limiter.spend(key);
      callback(null, { current, ttl: resetMs });
    }

    child(): SharedStore {
      return this;
    }
  };
}
