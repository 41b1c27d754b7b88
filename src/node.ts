import type { Logger } from "pino";
import { ApiKeys } from "./access/api-keys.js";
import { FixedWindowLimiter } from "./access/rate-limit.js";
import { buildGrpcServer, type GrpcServer } from "./api/grpc/grpc-server.js";
import type { Backend } from "./api/port.js";
import { buildRestApp } from "./api/rest/app.js";
import type { RestApp } from "./api/rest/edge.js";
import type { NodeConfig } from "./config.js";
import { NodeBackend } from "./node-backend.js";
import { joinCluster } from "./node-seat.js";
import { closeStores, openStores, type Stores } from "./node-stores.js";
import { startUpkeep } from "./node-upkeep.js";
import { Replica } from "./replica/replica.js";
import type { SeedSettings } from "./sequence/command.js";
import { SequenceQueries } from "./sequence/machine/queries.js";
import { SequenceMachine } from "./sequence/machine/sequence-machine.js";
import type { LogStore } from "./storage/log-store.js";
import type { StateStore } from "./storage/state-store.js";
import { systemClock, systemPause, systemRandomness, systemTimers } from "./system-ports.js";
import { registerClusterGauges } from "./telemetry/cluster-gauges.js";
import { MeasuredBackend } from "./telemetry/measured-backend.js";
import { createMetrics, type NodeMetrics } from "./telemetry/metrics.js";
import { ReplicaTelemetry } from "./telemetry/replica-telemetry.js";
import { registerTransportCounters } from "./telemetry/transport-counters.js";
import { GrpcTransport } from "./transport/grpc-transport.js";
import type { PeerAddress } from "./transport/transport.js";

const UINT32_RANGE = 0x1_0000_0000;
const HOUR_MS = 3_600_000;

/** The state's rows are compared between nodes at every multiple of this index. */
const ROWS_DIGEST_INTERVAL_ENTRIES = 131_072;

export interface NodeOptions {
  readonly config: NodeConfig;
  /** The store that the data directory must hold, or is made with; undefined: any. */
  readonly storeId?: string | undefined;
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
   * `graceMs`; what still waits then is told so), a last checkpoint, listeners closed, stores closed.
   */
  stop(graceMs: number): Promise<void>;
}

interface Parts {
  readonly transport: GrpcTransport;
  readonly replica: Replica;
  readonly rest: RestApp;
  readonly grpc: GrpcServer;
}

/**
 * The one composition root: opens the stores, joins the parts, listens. When it fails, nothing is
 * left open. A node that joins a cluster first asks until it is let in.
 * @throws StorageFailure when a store cannot be opened or trusted, Error when a port is taken
 */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const { config, storeId, logger } = options;
  const { dataDir, nodeId } = config;
  const stores = await openStores({ dataDir, nodeId, storeId, notice: (message) => logger.warn(message) });
  try {
    const { recovery } = stores.log;
    const isJoining = config.join.length > 0 && recovery.empty && recovery.baseConfiguration === undefined;
    const contacts = isJoining ? await joinCluster(config, stores.log.storeId, logger) : [];
    return await startOn(stores, contacts, options);
  } catch (error) {
    await closeStores(stores);
    throw error;
  }
}

async function startOn(stores: Stores, contacts: readonly PeerAddress[], options: NodeOptions): Promise<RunningNode> {
  const { config, logger } = options;
  const { log, state } = stores;
  const metrics = createMetrics();
  const machine = new SequenceMachine(state);
  const transport = buildTransport(options);
  const replica = buildReplica(options, { log, state, machine, transport, metrics, contacts });
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
    readonly contacts: readonly PeerAddress[];
  },
): Replica {
  const { log, state, machine, transport, metrics, contacts } = parts;
  const { logEntriesMax, logBytesMax, logTailEntries, snapshotBytesPerSecond } = config;
  const rowsDigestIntervalEntries = ROWS_DIGEST_INTERVAL_ENTRIES;
  const limits = { logEntriesMax, logBytesMax, logTailEntries, snapshotBytesPerSecond, rowsDigestIntervalEntries };
  const reach = (port: number) => `${config.advertiseAddress}:${port}`;
  return new Replica(
    {
      nodeId: config.nodeId,
      address: reach(config.peerPort),
      restAddress: reach(config.port),
      grpcAddress: reach(config.grpcPort),
      version,
      founders: config.peers,
      ...{ contacts, ...limits },
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
function seedOf(config: NodeConfig): SeedSettings {
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
  // What outlasted the grace is told so: the edges end when their calls have.
  await replica.stop();
  await Promise.all([grpc.drain(), rest.close(), transport.stop()]);
  grpc.close();
}
