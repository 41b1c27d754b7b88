import type { FastifyPluginAsyncTypebox, TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import { fastify } from "fastify";
import { DrawAnswers } from "../answers.js";
import { controlAccess } from "./access-control.js";
import { collectMethods, refuseOtherMethods } from "./allowed-methods.js";
import { capConnections } from "./connection-cap.js";
import { collectSchemas, documentation } from "./documentation.js";
import type { RestApp, RestOptions } from "./edge.js";
import { endIdleConnections } from "./idle-connections.js";
import { acceptJsonOnly } from "./json-body.js";
import { answerClientError, answerProblems, BODY_LIMIT_BYTES, frameworkProblem } from "./problem-reply.js";
import { refuseBrokenQuery } from "./query-text.js";
import { echoRequestId, requestIds } from "./request-id.js";
import { refuseUnknownKeys, refuseUnknownQueries, requestValidator } from "./request-validator.js";
import { auditRoutes } from "./routes/audit.js";
import { backupRoutes } from "./routes/backup.js";
import { batchRoutes } from "./routes/batch.js";
import { clusterRoutes } from "./routes/cluster.js";
import { configRoutes } from "./routes/config.js";
import { healthRoutes } from "./routes/health.js";
import { memberRoutes } from "./routes/members.js";
import { nextRoutes } from "./routes/next.js";
import { previewRoutes } from "./routes/preview.js";
import { resetRoutes } from "./routes/reset.js";
import { sequencesRoutes } from "./routes/sequences.js";
import { statusRoutes } from "./routes/status.js";

/** Long enough for a wrong prefix to be told what is wrong with it. */
const PARAMETER_LENGTH_MAX = 2000;
/** A request must have arrived by then, body included, */
const ARRIVAL_TIMEOUT_MS = 30_000;
/** and its headers by then. Node's default is longer than the limit above, and Node then swaps the two. */
const HEADERS_TIMEOUT_MS = 15_000;
/** How late either may be noticed. */
const ARRIVAL_CHECK_MS = 5000;
/** Longer than the idle timeouts of usual load balancers, so that they close first. */
const KEEP_ALIVE_TIMEOUT_MS = 72_000;
/** A socket waits in silence as long as the backend may take, and this much longer. */
const SILENCE_MARGIN_MS = 20_000;

/**
 * The REST edge: validation, access, error mapping. Binds no port; call `listen` on what it returns
 * and `close` to end it, which lets calls in flight finish.
 */
export async function buildRestApp(options: RestOptions): Promise<RestApp> {
  const nameRequest = requestIds();
  const app: RestApp = fastify({
    // Requests get no logger of their own: what is worth a line goes to the node's.
    logger: false,
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: ARRIVAL_TIMEOUT_MS,
    http: {
      requestTimeout: ARRIVAL_TIMEOUT_MS,
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: ARRIVAL_CHECK_MS,
    },
    connectionTimeout: options.requestDeadlineMs + SILENCE_MARGIN_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    forceCloseConnections: "idle",
    // While closing, calls are answered by the backend, which knows whether it still can.
    return503OnClosing: false,
    routerOptions: { maxParamLength: PARAMETER_LENGTH_MAX },
    onProtoPoisoning: "error",
    onConstructorPoisoning: "error",
    requestIdHeader: false,
    genReqId: nameRequest,
    frameworkErrors: frameworkProblem,
    clientErrorHandler: (error, socket) => answerClientError(error, socket, nameRequest({ headers: {} })),
  }).withTypeProvider<TypeBoxTypeProvider>();

  app.setValidatorCompiler(requestValidator);
  acceptJsonOnly(app);
  app.addHook("onRequest", echoRequestId);
  app.addHook("onRequest", refuseBrokenQuery);
  answerProblems(app, options);
  logRequests(app, options);
  endIdleConnections(app);
  if (options.connectionsMax !== undefined) capConnections(app, options.connectionsMax, options.logger);
  const methodsByUrl = collectMethods(app);
  await collectSchemas(app, options.version);

  healthRoutes(app, options);
  await app.register(documentation);
  await app.register(versionOne, { prefix: "/api/v1", edge: options });
  refuseOtherMethods(app, methodsByUrl);
  return app;
}

const versionOne: FastifyPluginAsyncTypebox<{ edge: RestOptions }> = async (api, { edge: options }) => {
  const { backend, administration, access, limiter } = options;
  await controlAccess(api, access, limiter);
  refuseUnknownQueries(api);
  refuseUnknownKeys(api);
  const edge = { backend, answers: new DrawAnswers() };
  nextRoutes(api, edge);
  batchRoutes(api, edge);
  statusRoutes(api, backend);
  previewRoutes(api, backend);
  sequencesRoutes(api, backend);
  configRoutes(api, backend);
  resetRoutes(api, backend);
  auditRoutes(api, backend);
  clusterRoutes(api, backend);
  memberRoutes(api, administration);
  backupRoutes(api, administration, options.logger);
};

/** One line per request, and only a debugging level pays for it. */
function logRequests(app: RestApp, { logger }: RestOptions): void {
  if (!logger.isLevelEnabled("debug")) return;
  app.addHook("onResponse", (request, reply, done) => {
    const { id, method, url } = request;
    logger.debug({ request_id: id, method, url, status: reply.statusCode, ms: reply.elapsedTime }, "answered");
    done();
  });
}
