import { createServer } from "node:net";
import type { Config } from "./config.js";
import { listenFailure } from "./failure.js";

/**
 * Whether this node could listen on all its ports now, in the words of the listeners themselves. A node asks before it
 * asks for a seat: once it has one that nobody is reached at, the cluster counts a member that never comes. The ports are
 * tried and let go rather than held: neither grpc-js nor fastify takes over a socket that listens already, and what is
 * left open is the moment in which another process takes a port meanwhile, after which a new start keeps the same seat.
 *
 * @throws ListenFailure for gRPC and the peer port, the system's own error for REST; each names the address
 */
export async function requirePorts({ host, port, grpcPort, peerPort }: Config): Promise<void> {
  const at = (number: number) => (host.includes(":") ? `[${host}]:${number}` : `${host}:${number}`);
  await tryPort(host, peerPort).catch((error: Error) => {
    throw listenFailure("the peer port", at(peerPort), error);
  });
  await tryPort(host, port);
  await tryPort(host, grpcPort).catch((error: Error) => {
    throw listenFailure("gRPC", at(grpcPort), error);
  });
}

function tryPort(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", reject);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve()));
  });
}
