import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import type { Test } from "tap";
import { freePorts } from "../../cluster/free-ports.js";
import { loadConfig } from "../../src/config.js";
import { startNode } from "../../src/node.js";

const HOST = "127.0.0.1";
/** How long the node lets a call wait whose caller says nothing of it. */
export const REQUEST_DEADLINE_MS = 4000;

export interface LonelyNode {
  readonly restUrl: string;
  readonly grpcAddress: string;
  readonly adminKey: string;
}

/** A real node of three, the other two of which are not there: it has no leader, and takes commands all the same. */
export async function lonelyNode(t: Test): Promise<LonelyNode> {
  const dataDir = await mkdtemp(join(tmpdir(), "folio-lonely-"));
  const portsOf = await freePorts(3, HOST);
  const { rest, grpc, peer } = portsOf(1);
  const adminKey = "test-admin";
  const config = loadConfig({
    PORT: String(rest),
    GRPC_PORT: String(grpc),
    PEER_PORT: String(peer),
    PEERS: [1, 2, 3].map((id) => `${id}=${HOST}:${portsOf(id).peer}`).join(","),
    DATA_DIR: dataDir,
    REQUEST_DEADLINE_MS: String(REQUEST_DEADLINE_MS),
    ADMIN_API_KEYS: adminKey,
  });
  const fatal = (failure: Error): never => {
    throw failure;
  };
  const logger = pino({ level: "silent" });
  const node = await startNode({ config: { ...config, nodeId: 1 }, version: "test", logger, fatal });
  t.teardown(async () => {
    await node.stop(0);
    await rm(dataDir, { recursive: true, force: true });
  });
  return { restUrl: `http://${HOST}:${rest}`, grpcAddress: `${HOST}:${grpc}`, adminKey };
}
