import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { pino } from "pino";
import t, { type Test } from "tap";
import { freePorts } from "../cluster/free-ports.js";
import { loadConfig, type NodeConfig } from "../src/config.js";
import { type RunningNode, startNode } from "../src/node.js";
import { askNamedPeers } from "../src/node-peers.js";
import { claimNodeSeat } from "../src/node-seat.js";
import { openLevelLogStore } from "../src/storage/level-log-store.js";
import { openLevelStateStore } from "../src/storage/level-state-store.js";
import { PeerCallFailure } from "../src/transport/transport.js";

const HOST = "127.0.0.1";
const LONG_MS = 60_000;
const STORE_ID = "0123456789abcdef0123456789abcdef";

async function directoryOf(t: Test): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "folio-node-"));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

async function configOf(dataDir: string): Promise<NodeConfig> {
  const portsOf = await freePorts(1, HOST);
  const ports = portsOf(1);
  const config = loadConfig({
    PORT: String(ports.rest),
    GRPC_PORT: String(ports.grpc),
    PEER_PORT: String(ports.peer),
    PEERS: `1=${HOST}:${ports.peer}`,
    DATA_DIR: dataDir,
    ELECTION_TIMEOUT_MS: "50",
    HEARTBEAT_MS: "10",
  });
  return { ...config, nodeId: 1 };
}

function start(config: NodeConfig, loneFounderMs = 0): Promise<RunningNode> {
  return startNode({
    loneFounderMs,
    config,
    version: "test",
    logger: pino({ level: "silent" }),
    fatal: (failure) => {
      throw failure;
    },
  });
}

/** A port that somebody else listens on while the test lasts. */
async function takenPort(t: Test): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  t.teardown(() => new Promise((resolve) => server.close(resolve)));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

async function draw(node: RunningNode): Promise<number> {
  const provenance = { principal: "test", clientId: "", generatedBy: "", correlationId: "", requestId: "" };
  const result = await node.backend.propose({
    kind: "draw",
    prefix: "SG",
    count: 1,
    provenance,
    batch: false,
    contiguous: false,
    scope: { site: "", partition: "", documentType: "" },
    documentDate: "",
    documentRef: "",
    idempotencyKey: "",
  });
  if (result.kind !== "drawn") throw new Error(JSON.stringify(result));
  return result.ranges[0]?.first ?? 0;
}

for (const name of ["port", "grpcPort", "peerPort"] as const) {
  t.test(`a node whose ${name} is taken says which, and leaves nothing open`, async (t) => {
    const config = await configOf(await directoryOf(t));
    const taken = await takenPort(t);
    await t.rejects(start({ ...config, [name]: taken }), { message: new RegExp(String(taken)) });
    const node = await start(config);
    t.equal(await draw(node), 1, "stores and the other ports were let go");
    await node.stop(1000);
  });
}

for (const name of ["port", "grpcPort", "peerPort"] as const) {
  t.test(`a node whose ${name} is taken asks no cluster for a seat`, async (t) => {
    const config = await configOf(await directoryOf(t));
    const [port, joined] = [await takenPort(t), await takenPort(t)];
    const wanted = { ...config, peers: [], join: [`${HOST}:${joined}`], [name]: port };
    const sentenceOf = (starting: Promise<unknown>) =>
      Promise.race([
        starting.then(
          () => "it has a seat",
          (error: Error) => error.message,
        ),
        pause(5000, "it asks for a seat", { ref: false }),
      ]);
    t.match(await sentenceOf(start(wanted)), String(port));
    t.match(await sentenceOf(claimNodeSeat({ ...wanted, nodeId: "auto" }, pino({ level: "silent" }))), String(port));
  });
}

t.test("two nodes on one data directory: the second does not start, the first goes on", async (t) => {
  const directory = await directoryOf(t);
  const node = await start(await configOf(directory));
  await t.rejects(start(await configOf(directory)), { code: "OPEN_FAILED" });
  t.equal(await draw(node), 1);
  await node.stop(1000);
});

t.test("a state that cannot be opened leaves the log unlocked", async (t) => {
  const directory = await directoryOf(t);
  const own = { directory: join(directory, "log"), nodeId: 1, randomId: () => "f".repeat(32) };
  await (await openLevelLogStore(own)).close();
  const stranger = await openLevelStateStore({
    directory: join(directory, "state"),
    generation: 0,
    nodeId: 1,
    storeId: STORE_ID,
    notice: (message) => t.fail(message),
  });
  await stranger.close();
  const message = /belongs to the log store .* beside it: put that log back, or .*folio repair --rejoin/;
  await t.rejects(start(await configOf(directory)), { code: "FOREIGN", message });
  await (await openLevelLogStore(own)).close();
});

t.test("a node that was stopped in order starts again with everything it had", async (t) => {
  const config = await configOf(await directoryOf(t));
  const first = await start(config);
  for (let number = 1; number <= 5; number++) t.equal(await draw(first), number);
  await first.stop(1000);
  await t.rejects(draw(first), { code: "NOT_EXECUTED" });
  const second = await start(config);
  t.equal(await draw(second), 6);
  await second.stop(1000);
});

t.test("who was of this cluster is asked again: it may have been recovered under another name meanwhile", async (t) => {
  const answers = ["own", undefined, "theirs"];
  const described = { nodeId: 2, storeId: STORE_ID, empty: false, version: "test" };
  const told: string[] = [];
  await new Promise<void>((resolve) => {
    const asking = askNamedPeers(["node-2:7070"], {
      calls: {
        describe: async (address) => {
          if (answers.length === 1) resolve();
          const clusterId = answers.shift();
          if (clusterId === undefined) throw new PeerCallFailure("unreachable", `${address} is down`);
          return { ...described, clusterId };
        },
      },
      told: (address, clusterId) => told.push(`${address} ${clusterId}`),
    });
    t.teardown(() => asking.stop());
  });
  await new Promise(setImmediate);
  t.same(told, ["node-2:7070 own", "node-2:7070 theirs"]);
});

for (const variable of ["peers", "join"] as const) {
  t.test(`a directory of another cluster than that of ${variable.toUpperCase()} is refused`, async (t) => {
    const [running, swapped] = [await configOf(await directoryOf(t)), await configOf(await directoryOf(t))];
    const [theirs, before] = [await start(running), await start(swapped)];
    await draw(before);
    await before.stop(1000);
    const address = `${HOST}:${running.peerPort}`;
    const peers = [...swapped.peers, { id: 2, address }];
    const named = variable === "peers" ? { peers } : { peers: [], join: [address] };
    const node = await start({ ...swapped, ...named }, LONG_MS);
    const refused = await draw(node).then(String, (error: { code: string; message: string }) => error);
    const { reason, clusterId, ready } = node.backend.cluster();
    t.match(refused, { code: "NOT_EXECUTED", message: reason });
    t.match(reason, `${address} belongs to cluster ${theirs.backend.cluster().clusterId}, but this node's data to`);
    t.match({ ready, reason }, { ready: false, reason: clusterId });
    await Promise.all([node.stop(1000), theirs.stop(1000)]);
    const alone = await start({ ...swapped, ...named }, 100);
    t.equal(await draw(alone), 2, "those who are down stop nobody");
    await alone.stop(1000);
  });
}
