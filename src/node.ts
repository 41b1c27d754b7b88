import { ApiKeys } from "./access/api-keys.js";
import { FixedWindowLimiter } from "./access/rate-limit.js";
import { buildGrpcServer, type GrpcServer } from "./api/grpc/grpc-server.js";
import type { Administration, Backend } from "./api/port.js";
import { buildRestApp } from "./api/rest/app.js";
import type { RestApp } from "./api/rest/edge.js";
import type { NodeConfig } from "./config.js";
import { connectionsMax } from "./connections-max.js";
import { NodeAdministration } from "./node-administration.js";
import { NodeBackend } from "./node-backend.js";
import { askNamedPeers, namedPeers } from "./node-peers.js";
import { requirePorts } from "./node-ports.js";
import { buildReplica, buildTransport, type NodeOptions } from "./node-replica.js";
import { startScrub } from "./node-scrub.js";
import { joinCluster, joiningOf, NodeSeat } from "./node-seat.js";
import { closeStores, directoriesOf, openStores, type Stores } from "./node-stores.js";
import { startUpkeep } from "./node-upkeep.js";
import type { Replica } from "./replica/replica.js";
import { clearSeat, writeClaim } from "./seat-claim.js";
import type { SeedSettings } from "./sequence/command.js";
import { SequenceQueries } from "./sequence/machine/queries.js";
import { SequenceMachine } from "./sequence/machine/sequence-machine.js";
import { systemClock, systemPause } from "./system-ports.js";
import { registerClusterGauges } from "./telemetry/cluster-gauges.js";
import { MeasuredBackend } from "./telemetry/measured-backend.js";
import { createMetrics, type NodeMetrics } from "./telemetry/metrics.js";
import { registerTransportCounters } from "./telemetry/transport-counters.js";
import type { GrpcTransport } from "./transport/grpc-transport.js";
import { PeerClient } from "./transport/peer-client.js";
import type { PeerAddress } from "./transport/transport.js";

const HOUR_MS = 3_600_000;

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
  readonly backend: NodeBackend;
  readonly rest: RestApp;
  readonly grpc: GrpcServer;
  readonly seat: NodeSeat;
}

/**
 * The one composition root: opens the stores, joins the parts, listens. When it fails, nothing is
 * left open. A node that joins a cluster first asks until it is let in.
 * @throws StorageFailure when a store cannot be opened or trusted, Error when a port is taken, Interrupted
 */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const { config, store, logger } = options;
  const { dataDir, nodeId } = config;
  const stores = await openStores({ dataDir, nodeId, store, notice: (message) => logger.warn(message) });
  try {
    // Before anything is promised in its name: from now on a missing store is a lost one.
    if (store?.exists === false) await writeClaim(dataDir, { nodeId, storeId: store.id, stage: "opened" });
    const { recovery } = stores.log;
    const isJoining = config.join.length > 0 && recovery.empty && recovery.baseConfiguration === undefined;
    if (isJoining) await requirePorts(config);
    const contacts = isJoining ? await joinCluster(options, stores.log.storeId) : [];
    return await startOn(stores, contacts, options);
  } catch (error) {
    await closeStores(stores);
    throw error;
  }
}

async function startOn(stores: Stores, contacts: readonly PeerAddress[], options: NodeOptions): Promise<RunningNode> {
  const { config, logger, fatal } = options;
  const { log, state } = stores;
  const metrics = createMetrics();
  const machine = new SequenceMachine(state);
  const transport = buildTransport(options);
  const replica = buildReplica(options, { stores, machine, transport, metrics, contacts });
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
  const administration = administrationOf(config, replica);
  const joining = joiningOf(config, logger);
  const members = () => replica.view().members;
  const seat = new NodeSeat({ config, storeId: log.storeId, joining, logger, members });
  const { rest, grpc } = await buildEdges(options, { backend, administration, metrics });
  const parts: Parts = { transport, replica, backend: inner, rest, grpc, seat };
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
  seat.start();
  const named = askNamedPeers(namedPeers(config), {
    calls: new PeerClient(),
    told: (address, clusterId) => replica.told(address, clusterId),
  });
  const upkeep = startUpkeep(machine, logger);
  const scrub = startScrub({
    directories: () => directoriesOf(stores, dataDir),
    intervalMs: config.scrubIntervalHours * HOUR_MS,
    logger,
    finished: ({ bytes }) => metrics.storage.scrubbed(bytes),
    fatal,
  });
  return {
    backend,
    stop: async (graceMs) => {
      named.stop();
      await Promise.all([upkeep.stop(), scrub.stop()]);
      const hasLeft = await stopParts(parts, graceMs);
      await closeStores(stores);
      if (hasLeft) await clearSeat(dataDir);
    },
  };
}

function administrationOf(config: NodeConfig, replica: Replica): NodeAdministration {
  return new NodeAdministration({
    node: {
      address: `${config.advertiseAddress}:${config.peerPort}`,
      clusterId: () => replica.view().clusterId,
      members: () => replica.view().members,
      changeMembers: (request, done) => replica.changeMembers(request, done),
      openSnapshot: (done) => replica.openSnapshot(done),
    },
    calls: new PeerClient(),
    deadlineMs: config.requestDeadlineMs,
  });
}

async function buildEdges(
  { config, version, logger, fatal }: NodeOptions,
  parts: { readonly backend: Backend; readonly administration: Administration; readonly metrics: NodeMetrics },
): Promise<{ readonly rest: RestApp; readonly grpc: GrpcServer }> {
  const access = new ApiKeys({ clients: config.apiKeys, admins: config.adminApiKeys });
  const window = { limit: config.rateLimitMax, windowMs: config.rateLimitWindowMs, now: systemClock.monotonic };
  const limiter = config.rateLimitEnabled ? new FixedWindowLimiter(window) : undefined;
  const { requestDeadlineMs } = config;
  const { backend, administration, metrics } = parts;
  const edge = { backend, access, limiter, logger, version, crash: fatal };
  const rest = await buildRestApp({
    ...edge,
    administration,
    metrics: metrics.registry,
    requestDeadlineMs,
    connectionsMax: connectionsMax(),
  });
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

/** @returns whether the node gave its seat up, so that its directory counts no more */
async function stopParts({ transport, replica, backend, rest, grpc, seat }: Parts, graceMs: number): Promise<boolean> {
  const deadline = systemClock.monotonic() + graceMs;
  const until = async (isDone: () => boolean) => {
    while (!isDone() && systemClock.monotonic() < deadline)
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  };
  seat.stop();
  replica.drain();
  // A successor that does not take over in time must not use up the grace of the calls under way.
  if (replica.transferLeadership()) await until(() => !replica.isHandingOver);
  await until(() => backend.callsWaiting === 0);
  const hasLeft = await seat.giveUp();
  // What outlasted the grace is told so: the edges end when their calls have.
  await replica.stop();
  await Promise.all([grpc.drain(), rest.close(), transport.stop()]);
  grpc.close();
  return hasLeft;
}
