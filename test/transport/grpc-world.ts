import { GrpcTransport, type GrpcTransportOptions } from "../../src/transport/grpc-transport.js";
import { PeerClient } from "../../src/transport/peer-client.js";
import type { World } from "./transport-contract.js";
import type { Site, Witness } from "./witness.js";

export interface GrpcSite extends Site {
  readonly transport: GrpcTransport;
  readonly notices: string[];
}

/** Nodes on loopback, each on a port of the system's choosing, which it keeps when it restarts. */
export class GrpcWorld implements World {
  readonly calls = new PeerClient();
  readonly #sites: GrpcSite[] = [];
  readonly #ports = new Map<number, number>();

  async start(id: number, witness: Witness, options: Partial<GrpcTransportOptions> = {}): Promise<GrpcSite> {
    const notices: string[] = [];
    const transport = new GrpcTransport({
      nodeId: id,
      host: "127.0.0.1",
      port: this.#ports.get(id) ?? 0,
      wall: () => Date.now(),
      random: () => 0.5,
      notice: (_level, message, { reason }) => notices.push(`${message}: ${String(reason)}`),
      ...options,
    });
    await transport.start(witness);
    this.#ports.set(id, transport.port);
    const site = { id, address: `127.0.0.1:${transport.port}`, transport, witness, notices };
    this.#sites.push(site);
    return site;
  }

  async end(): Promise<void> {
    for (const { transport } of this.#sites) await transport.stop();
  }
}

export function worldOf(t: { teardown: (end: () => Promise<void>) => void }): GrpcWorld {
  const world = new GrpcWorld();
  t.teardown(() => world.end());
  return world;
}
