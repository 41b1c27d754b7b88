import helmet from "@fastify/helmet";
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { RestApp } from "./edge.js";

const INTRODUCTION =
  "Sequential document numbers from a replicated log. Draw with POST; send an Idempotency-Key to make a draw " +
  "safe to repeat. Errors are application/problem+json with a stable `code`.";

/** Everything comes from this node. No upgrade-insecure-requests: nodes speak plain HTTP. */
const PAGE_POLICY = {
  "default-src": "'self'",
  "base-uri": "'self'",
  "frame-ancestors": "'self'",
  "img-src": "'self' data:",
  "object-src": "'none'",
  "script-src": "'self'",
  "style-src": "'self' 'unsafe-inline'",
};

/** Collects the schemas of all routes that are added from now on. */
export async function collectSchemas(app: RestApp, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: "Folio", description: INTRODUCTION, version, license: { name: "MIT", identifier: "MIT" } },
      components: { securitySchemes: { key: { type: "apiKey", in: "header", name: "X-API-Key" } } },
      // A key, or none where the node is configured without.
      security: [{ key: [] }, {}],
    },
  });
}

/** /openapi.json and /swagger. Only these pages are for browsers, so only they carry helmet's headers. */
export const documentation: FastifyPluginAsyncTypebox = async (app) => {
  await app.register(helmet, { contentSecurityPolicy: false, strictTransportSecurity: false });
  app.get("/openapi.json", { schema: { hide: true } }, async () => app.swagger());
  await app.register(swaggerUi, { routePrefix: "/swagger", staticCSP: PAGE_POLICY, uiConfig: { validatorUrl: null } });
};
