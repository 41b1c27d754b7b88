import type { Logger } from "pino";
import type { NodeConfig } from "./config.js";
import type { ClaimedStore } from "./joining.js";
import type { Machine } from "./machine/machine.js";
import { namedPeers } from "./node-peers.js";
import type { Stores } from "./node-stores.js";
import { Replica } from "./replica/replica.js";
import { systemClock, systemRandomness, systemTimers } from "./system-ports.js";
import type { NodeMetrics } from "./telemetry/metrics.js";
import { ReplicaTelemetry } from "./telemetry/replica-telemetry.js";
import { GrpcTransport } from "./transport/grpc-transport.js";
import type { PeerAddress } from "./transport/transport.js";

const UINT32_RANGE = 0x1_0000_0000;

export interface NodeOptions {
  readonly config: NodeConfig;
  /** The store that the data directory must hold, or is made with; undefined: any. */
  readonly store?: ClaimedStore | undefined;
  readonly version: string;
  readonly logger: Logger;
  /** How long a founder that is alone listens before it founds, and a lone voter before it serves, ms; for tests. */
  readonly loneFounderMs?: number;
  /** Aborted when the node is told to stop before it runs: it asks to be let in no longer. */
  readonly stopping?: AbortSignal;
  /** The process must end now: this node can no longer be trusted. Called at most once. */
  readonly fatal: (failure: Error) => void;
}

export function buildTransport({ config, logger }: Pick<NodeOptions, "config" | "logger">): GrpcTransport {
  return new GrpcTransport({
    nodeId: config.nodeId,
    host: config.host,
    port: config.peerPort,
    wall: systemClock.wall,
    random: () => systemRandomness.uint32() / UINT32_RANGE,
    notice: (level, message, details) => logger[level](details === undefined ? {} : { details }, message),
  });
}

/** @throws StorageFailure DAMAGED when log and state contradict each other */
export function buildReplica(
  { config, version, logger, loneFounderMs, fatal }: NodeOptions,
  parts: {
    readonly stores: Stores;
    readonly machine: Machine;
    readonly transport: GrpcTransport;
    readonly metrics: NodeMetrics;
    /** Whom a node that joins keeps streams with until it has its seat. */
    readonly contacts: readonly PeerAddress[];
  },
): Replica {
  const { stores, machine, transport, metrics, contacts } = parts;
  const reach = (port: number) => `${config.advertiseAddress}:${port}`;
  return new Replica(
    {
      nodeId: config.nodeId,
      address: reach(config.peerPort),
      restAddress: reach(config.port),
      grpcAddress: reach(config.grpcPort),
      version,
      founders: config.peers,
      contacts,
      named: namedPeers(config),
      ...(loneFounderMs === undefined ? {} : { loneFounderMs }),
      electionTimeoutMs: config.electionTimeoutMs,
      heartbeatMs: config.heartbeatMs,
      maxClockSkewMs: config.maxClockSkewMs,
      requestDeadlineMs: config.requestDeadlineMs,
      logEntriesMax: config.logEntriesMax,
      logBytesMax: config.logBytesMax,
      logTailEntries: config.logTailEntries,
      snapshotBytesPerSecond: config.snapshotBytesPerSecond,
    },
    {
      ...stores,
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
