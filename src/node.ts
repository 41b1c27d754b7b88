import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { ApiKeys } from "./access/api-keys.js";
import { FixedWindowLimiter } from "./access/rate-limit.js";
import { buildGrpcServer, type GrpcServer } from "./api/grpc/grpc-server.js";
import type { Backend } from "./api/port.js";
import { buildRestApp } from "./api/rest/app.js";
import type { RestApp } from "./api/rest/edge.js";
import type { Config } from "./config.js";
import { NodeBackend } from "./node-backend.js";
import { startUpkeep } from "./node-upkeep.js";
import { Replica } from "./replica/replica.js";
import type { SeedSettings } from "./sequence/command.js";
import { SequenceQueries } from "./sequence/machine/queries.js";
import { SequenceMachine } from "./sequence/machine/sequence-machine.js";
import { openLevelLogStore } from "./storage/level-log-store.js";
import { openLevelStateStore } from "./storage/level-state-store.js";
import type { LogStore } from "./storage/log-store.js";
import type { StateStore } from "./storage/state-store.js";
import { systemClock, systemPause, systemRandomness, systemTimers } from "./system-ports.js";
import { registerClusterGauges } from "./telemetry/cluster-gauges.js";
import { MeasuredBackend } from "./telemetry/measured-backend.js";
import { createMetrics, type NodeMetrics } from "./telemetry/metrics.js";
import { ReplicaTelemetry } from "./telemetry/replica-telemetry.js";
import { registerTransportCounters } from "./telemetry/transport-counters.js";
import { GrpcTransport } from "./transport/grpc-transport.js";

const UINT32_RANGE = 0x1_0000_0000;
const HOUR_MS = 3_600_000;

export interface NodeOptions {
  readonly config: Config;
  readonly version: string;
  readonly logger: Logger;
  /** The process must end now: this node can no longer be trusted. Called at most once. */
  readonly fatal: (failure: Error) => void;
}

/** One running node. */
export interface RunningNode {
  readonly backend: Backend;
  /**
   * Ends in order: no longer ready, leadership handed over, calls under way answered (at most
   * `graceMs`), listeners closed, a last checkpoint, stores closed.
   */
  stop(graceMs: number): Promise<void>;
}

interface Stores {
  readonly log: LogStore;
  readonly state: StateStore;
}

interface Parts {
  readonly transport: GrpcTransport;
  readonly replica: Replica;
  readonly rest: RestApp;
  readonly grpc: GrpcServer;
}

/**
 * The one composition root: opens the stores, joins the parts, listens. When it fails, nothing is
 * left open.
 * @throws StorageFailure when a store cannot be opened or trusted, Error when a port is taken
 */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const stores = await openStores(options.config);
  try {
    return await startOn(stores, options);
  } catch (error) {
    await closeStores(stores);
    throw error;
  }
}

async function openStores({ dataDir, nodeId }: Config): Promise<Stores> {
  await mkdir(dataDir, { recursive: true });
  const log = await openLevelLogStore({ directory: join(dataDir, "log"), nodeId, randomId: systemRandomness.id });
  try {
    const { storeId } = log;
    return { log, state: await openLevelStateStore({ directory: join(dataDir, "state"), nodeId, storeId }) };
  } catch (error) {
    await log.close();
    throw error;
  }
}

async function closeStores({ log, state }: Stores): Promise<void> {
  await state.close();
  await log.close();
}

async function startOn(stores: Stores, options: NodeOptions): Promise<RunningNode> {
  const { config, logger } = options;
  const { log, state } = stores;
  const metrics = createMetrics();
  const machine = new SequenceMachine(state);
  const transport = buildTransport(options);
  const replica = buildReplica(options, { log, state, machine, transport, metrics });
  const inner = new NodeBackend({
    nodeId: config.nodeId,
    replica,
    queries: new SequenceQueries(state, machine, systemPause),
    requestDeadlineMs: config.requestDeadlineMs,
    wall: systemClock.wall,
    seed: { command: seedOf(config), isApplied: () => machine.isSeeded },
  });
  const backend = new MeasuredBackend(inner, metrics.draws);
  registerClusterGauges(metrics.registry, () => backend.cluster());
  registerTransportCounters(metrics.registry, () => transport.stats);
  const { rest, grpc } = await buildEdges(options, backend, metrics);
  const parts: Parts = { transport, replica, rest, grpc };
  try {
    await replica.start();
    await rest.listen({ host: config.host, port: config.port });
    await grpc.listen(config.host, config.grpcPort);
  } catch (error) {
    await stopParts(parts, 0);
    throw error;
  }
  const { host, port, grpcPort, peerPort, dataDir } = config;
  logger.info({ host, port, grpcPort, peerPort, dataDir, storeId: log.storeId }, "folio node listens");
  inner.seed();
  const upkeep = startUpkeep(machine, logger);
  return {
    backend,
    stop: async (graceMs) => {
      await upkeep.stop();
      await stopParts(parts, graceMs);
      await closeStores(stores);
    },
  };
}

function buildTransport({ config, logger }: NodeOptions): GrpcTransport {
  return new GrpcTransport({
    nodeId: config.nodeId,
    host: config.host,
    port: config.peerPort,
    wall: systemClock.wall,
    random: () => systemRandomness.uint32() / UINT32_RANGE,
    notice: (level, message, details) => logger[level](details === undefined ? {} : { details }, message),
  });
}

function buildReplica(
  { config, version, logger, fatal }: NodeOptions,
  parts: {
    readonly log: LogStore;
    readonly state: StateStore;
    readonly machine: SequenceMachine;
    readonly transport: GrpcTransport;
    readonly metrics: NodeMetrics;
  },
): Replica {
  const { log, state, machine, transport, metrics } = parts;
  const reach = (port: number) => `${config.advertiseAddress}:${port}`;
  return new Replica(
    {
      nodeId: config.nodeId,
      address: reach(config.peerPort),
      restAddress: reach(config.port),
      grpcAddress: reach(config.grpcPort),
      version,
      founders: config.peers,
      electionTimeoutMs: config.electionTimeoutMs,
      heartbeatMs: config.heartbeatMs,
      maxClockSkewMs: config.maxClockSkewMs,
      requestDeadlineMs: config.requestDeadlineMs,
    },
    {
      log,
      state,
      machines: [machine],
      transport,
      clock: systemClock,
      timers: systemTimers,
      randomness: systemRandomness,
      observer: new ReplicaTelemetry(metrics.replica, logger),
      fatal,
    },
  );
}

async function buildEdges(
  { config, version, logger, fatal }: NodeOptions,
  backend: Backend,
  metrics: NodeMetrics,
): Promise<{ readonly rest: RestApp; readonly grpc: GrpcServer }> {
  const access = new ApiKeys({ clients: config.apiKeys, admins: config.adminApiKeys });
  const window = { limit: config.rateLimitMax, windowMs: config.rateLimitWindowMs, now: systemClock.monotonic };
  const limiter = config.rateLimitEnabled ? new FixedWindowLimiter(window) : undefined;
  const { requestDeadlineMs } = config;
  const edge = { backend, access, limiter, logger, version, crash: fatal };
  const rest = await buildRestApp({ ...edge, metrics: metrics.registry, requestDeadlineMs });
  return { rest, grpc: buildGrpcServer(edge) };
}

/** The environment only seeds what apply reads; the first seed that is applied counts for ever. */
function seedOf(config: Config): SeedSettings {
  return {
    kind: "seedSettings",
    provenance: { principal: "node", clientId: "", generatedBy: "", correlationId: "", requestId: "" },
    autoCreate: config.autoCreate,
    idempotencyRetentionMs: config.idempotencyRetentionHours * HOUR_MS,
    idempotencyKeysMax: config.idempotencyKeysMax,
  };
}

const POLL_MS = 10;

async function stopParts({ transport, replica, rest, grpc }: Parts, graceMs: number): Promise<void> {
  const deadline = systemClock.monotonic() + graceMs;
  const until = async (isDone: () => boolean) => {
    while (!isDone() && systemClock.monotonic() < deadline)
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  };
  replica.drain();
  // A successor that does not take over in time must not use up the grace of the calls under way.
  if (replica.transferLeadership()) await until(() => !replica.isHandingOver);
  await until(() => replica.waitingCount === 0);
  await Promise.all([grpc.drain(), rest.close()]);
  grpc.close();
  await replica.stop();
  await transport.stop();
}
