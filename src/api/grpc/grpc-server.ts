import { Server, ServerCredentials } from "@grpc/grpc-js";
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
  /** Reports NOT_SERVING, takes no new connection or call, and waits for those under way, at most `drainMs`. */
  drain(): Promise<void>;
  /** Ends every connection at once. */
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
  return {
    listen: async (host, port) => {
      const bound = await bind(server, host, port);
      serving.start();
      return bound;
    },
    drain: () => {
      serving.stop();
      return drained(server, options.drainMs ?? DRAIN_MS);
    },
    close: () => {
      serving.stop();
      server.forceShutdown();
    },
  };
}

function bind(server: Server, host: string, port: number): Promise<number> {
  const address = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(new Error(`gRPC cannot listen on ${address}: ${error.message}`, { cause: error }));
    });
  });
}

/** Ends when every call has ended, or at the limit: streams of reflection end when their client says so. */
function drained(server: Server, limitMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const limit = setTimeout(resolve, limitMs);
    server.tryShutdown((error) => {
      clearTimeout(limit);
      if (error === undefined) resolve();
      else reject(error);
    });
  });
}
