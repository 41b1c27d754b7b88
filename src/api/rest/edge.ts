import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from "fastify";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { AccessLevel, ApiKeys } from "../../access/api-keys.js";
import type { RateLimiter } from "../../access/rate-limit.js";
import type { InvariantViolation } from "../../assert.js";
import type { DrawAnswers } from "../answers.js";
import type { Administration, Backend } from "../port.js";

export interface RestOptions {
  readonly backend: Backend;
  readonly administration: Administration;
  readonly access: ApiKeys;
  /** Undefined: calls are not limited. */
  readonly limiter: RateLimiter | undefined;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** Of Folio, for documentation and health. */
  readonly version: string;
  /** The longest that the backend makes a call wait, ms; sockets are kept longer. */
  readonly requestDeadlineMs: number;
  /** How many connections there may be at once; undefined: as many as the system has room for. */
  readonly connectionsMax?: number;
  /** Ends the process: an invariant did not hold while a request was answered. */
  readonly crash: (violation: InvariantViolation) => void;
}

/** What routes that draw need. */
export interface DrawEdge {
  readonly backend: Backend;
  readonly answers: DrawAnswers;
}

/** The app with types drawn from the schemas. */
export type RestApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

declare module "fastify" {
  interface FastifyContextConfig {
    /** Who may call the route; absent: anybody, and without a limit. */
    readonly access?: AccessLevel;
  }
  interface FastifyRequest {
    /** Who calls; known in handlers of routes that have `access`. */
    principal: string;
  }
}
