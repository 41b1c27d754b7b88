import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { pino } from "pino";
import { freePorts } from "../../cluster/free-ports.js";
import { loadConfig } from "../../src/config.js";
import { type RunningNode, startNode } from "../../src/node.js";
import { closeStores, openStores } from "../../src/node-stores.js";
import { survey } from "../../src/recovery/survey.js";
import { snapshotFile } from "../../src/storage/snapshot-file.js";
import { SnapshotEncoder } from "../../src/storage/snapshot-stream.js";
import type { StateRow, StateView } from "../../src/storage/state-store.js";

const HOST = "127.0.0.1";

/** A node that is the only member of its cluster, in this process. */
export async function soloNode(
  dataDir: string,
  nodeId = 1,
): Promise<{ node: RunningNode; peerPort: number; restPort: number }> {
  const ports = (await freePorts(1, HOST))(1);
  const config = loadConfig({
    NODE_ID: String(nodeId),
    PORT: String(ports.rest),
    GRPC_PORT: String(ports.grpc),
    PEER_PORT: String(ports.peer),
    PEERS: `${nodeId}=${HOST}:${ports.peer}`,
    DATA_DIR: dataDir,
    ELECTION_TIMEOUT_MS: "50",
    HEARTBEAT_MS: "10",
  });
  const fatal = (failure: Error) => {
    throw failure;
  };
  const logger = pino({ level: "silent" });
  const node = await startNode({ config: { ...config, nodeId }, version: "test", logger, loneFounderMs: 0, fatal });
  return { node, peerPort: ports.peer, restPort: ports.rest };
}

/** Draws one by one. @returns the counters */
export async function draw(node: RunningNode, prefix: string, count: number): Promise<number[]> {
  const drawn: number[] = [];
  for (let place = 0; place < count; place++) {
    const result = await node.backend.propose({
      kind: "draw",
      prefix,
      count: 1,
      provenance: { principal: "test", clientId: "", generatedBy: "", correlationId: "", requestId: "" },
      batch: false,
      contiguous: false,
      scope: { site: "", partition: "", documentType: "" },
      documentDate: "",
      documentRef: "",
      idempotencyKey: "",
    });
    if (result.kind !== "drawn") throw new Error(JSON.stringify(result));
    drawn.push(result.ranges[0]?.first ?? 0);
  }
  return drawn;
}

/** What a node that has drawn so many numbers leaves behind. */
export async function leave(dataDir: string, draws: Readonly<Record<string, number>>): Promise<void> {
  const { node } = await soloNode(dataDir);
  for (const [prefix, count] of Object.entries(draws)) await draw(node, prefix, count);
  await node.stop(1000);
}

/** The state of a node that does not run, as a backup. */
export async function backUp(dataDir: string, file: string): Promise<void> {
  const stores = await openStores({ dataDir, nodeId: 1, notice: () => undefined });
  try {
    const { configuration, applied, term } = survey(stores, 1);
    const encoder = new SnapshotEncoder();
    const header = encoder.header({
      clusterId: configuration.clusterId,
      position: applied,
      configuration,
      currentTerm: term,
      time: Date.now(),
      nodeId: 1,
      version: "test",
    });
    const chunks = chunksOf(stores.state.openView(), encoder, header);
    await pipeline(Readable.from(snapshotFile(chunks)), createWriteStream(file));
  } finally {
    await closeStores(stores);
  }
}

async function* chunksOf(view: StateView, encoder: SnapshotEncoder, header: Uint8Array): AsyncGenerator<Uint8Array> {
  yield header;
  for (let rows = await nextRows(view); rows.length > 0; rows = await nextRows(view)) yield encoder.rows(rows);
  view.close();
  yield encoder.end();
}

function nextRows(view: StateView): Promise<readonly StateRow[]> {
  return new Promise((resolve, reject) => {
    view.next(4096, (failure, rows) => (failure === undefined ? resolve(rows) : reject(failure)));
  });
}
