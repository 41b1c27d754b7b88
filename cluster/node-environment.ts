import { join } from "node:path";
import { foundersOf } from "./founding.js";
import { foreignEnvironment } from "./node-process.js";
import type { LocalClusterOptions } from "./options.js";

/** All listeners of a local cluster are bound to it. */
export const host = "127.0.0.1";

/** What of a launcher's options a node's own configuration depends on. */
export type Surroundings = Pick<LocalClusterOptions, "nodes" | "dataDir" | "ports" | "env">;

export function nodeFolder(dataDir: string, id: number): string {
  return join(dataDir, `node-${id}`);
}

/** host:port of the node's peer listener. */
export function peerAddress(id: number, ports: LocalClusterOptions["ports"]): string {
  return `${host}:${ports(id).peer}`;
}

/**
 * The whole environment of a node's process.
 *
 * @param contacts of a node that joined: whom it may ask, should it have no seat yet; undefined: it is a founder
 */
export function nodeEnvironment(
  id: number,
  { nodes, dataDir, ports, env }: Surroundings,
  contacts: readonly number[] | undefined,
): NodeJS.ProcessEnv {
  const { rest, grpc, peer } = ports(id);
  const introduction =
    contacts === undefined
      ? {
          PEERS: foundersOf(nodes)
            .map((founder) => `${founder}=${peerAddress(founder, ports)}`)
            .join(","),
        }
      : { JOIN: contacts.map((contact) => peerAddress(contact, ports)).join(",") };
  return {
    ...foreignEnvironment(),
    NODE_ID: String(id),
    HOST: host,
    PORT: String(rest),
    GRPC_PORT: String(grpc),
    PEER_PORT: String(peer),
    ...introduction,
    DATA_DIR: nodeFolder(dataDir, id),
    ...(typeof env === "function" ? env(id) : env),
  };
}
