import { Server, ServerCredentials } from "@grpc/grpc-js";
import { listenFailure } from "../../failure.js";
import type { Backend } from "../port.js";
import { sequentialIdDefinition } from "./definition.js";
import { addReflection } from "./reflection.js";
import { RequestIds } from "./request-ids.js";
import { sequenceRpcs } from "./sequence-rpcs.js";
import { serverOptions } from "./server-options.js";
import { ServingStatus } from "./serving-status.js";
import { type UnaryEdge, unary } from "./unary.js";

export interface GrpcServerOptions extends Omit<UnaryEdge, "requestIds"> {
  readonly backend: Backend;
  /** Of this software, for Health's details. */
  readonly version: string;
  /** How long `drain` waits for calls under way; default 5000. */
  readonly drainMs?: number;
}

/** The public gRPC port: sequentialid.SequentialIDService, grpc.health.v1.Health and server reflection. */
export interface GrpcServer {
  /**
   * @param port 0: a free one
   * @returns the port
   * @throws Error whose message names the address and why it cannot be listened on
   */
  listen(host: string, port: number): Promise<number>;
  /** Reports NOT_SERVING, takes no new connection or call, and waits for calls under way; breaks them off after `drainMs`. */
  drain(): Promise<void>;
  /** Ends every connection at once. Not needed after `drain`, and harmless. */
  close(): void;
}

const DRAIN_MS = 5000;

export function buildGrpcServer(options: GrpcServerOptions): GrpcServer {
  const { backend } = options;
  const server = new Server(serverOptions);
  const serving = new ServingStatus(() => backend.cluster().ready);
  const edge: UnaryEdge = { ...options, requestIds: new RequestIds() };
  const rpcs = sequenceRpcs(backend, options.version);
  server.addService(sequentialIdDefinition, {
    getNext: unary(rpcs.getNext, edge),
    getNextBatch: unary(rpcs.getNextBatch, edge),
    resetCounter: unary(rpcs.resetCounter, edge),
    getStatus: unary(rpcs.getStatus, edge),
    health: unary(rpcs.health, edge),
    healthCheck: unary(rpcs.health, edge),
    getConfig: unary(rpcs.getConfig, edge),
    updateConfig: unary(rpcs.updateConfig, edge),
  });
  serving.addToServer(server);
  addReflection(server);
  const addresses: string[] = [];
  return {
    listen: async (host, port) => {
      const bound = await bind(server, host, port);
      addresses.push(authority(host, bound));
      serving.start();
      return bound;
    },
    drain: () => {
      serving.stop();
      endConnections(server, addresses, options.drainMs ?? DRAIN_MS);
      return shutDown(server);
    },
    close: () => {
      serving.stop();
      endConnections(server, addresses, 0);
      server.forceShutdown();
    },
  };
}

function authority(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function bind(server: Server, host: string, port: number): Promise<number> {
  const address = authority(host, port);
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(listenFailure("gRPC", address, error));
    });
  });
}

/**
 * Lets every connection end when its calls have ended, and breaks it after `limitMs`: streams of reflection last as long
 * as their client likes, and without channelz forceShutdown of grpc-js 1.14.7 breaks nothing.
 */
function endConnections(server: Server, addresses: readonly string[], limitMs: number): void {
  for (const address of addresses) server.drain(address, limitMs);
}

/** Stops listening; ends when the last connection has ended. */
function shutDown(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.tryShutdown((error) => {
      if (error === undefined) resolve();
      else reject(error);
    });
  });
}
