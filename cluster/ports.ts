import { createServer, type Server } from "node:net";
import { LaunchError } from "./launch-error.js";

/** Where one node listens. */
export interface NodePorts {
  readonly rest: number;
  readonly grpc: number;
  readonly peer: number;
}

const portNames = { rest: "REST", grpc: "gRPC", peer: "peers" } as const satisfies Record<keyof NodePorts, string>;

/** The documented ports of node `id` in a local cluster, shifted by `offset`. */
export function localPorts(id: number, offset = 0): NodePorts {
  return { rest: 8079 + id + offset, grpc: 9089 + id + offset, peer: 7069 + id + offset };
}

export function listen(port: number, host: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ port, host, exclusive: true }, () => resolve(server));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error === undefined ? resolve() : reject(error)));
  });
}

/** Whether somebody could listen there now: the reason why not, else undefined. */
export async function whyPortIsTaken(port: number, host: string): Promise<string | undefined> {
  try {
    await close(await listen(port, host));
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

/** @throws LaunchError naming the first port that somebody has, and the node that wants it */
export async function requireFreePorts(
  ids: readonly number[],
  ports: (id: number) => NodePorts,
  host: string,
): Promise<void> {
  for (const id of ids) {
    for (const [name, port] of Object.entries(ports(id))) {
      const reason = await whyPortIsTaken(port, host);
      if (reason === undefined) continue;
      const what = reason === "EADDRINUSE" ? "is in use already" : `cannot be used (${reason})`;
      throw new LaunchError(`port ${port}, for ${portNames[name as keyof NodePorts]} of node ${id}, ${what}`);
    }
  }
}
