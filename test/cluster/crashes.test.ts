import { spawn } from "node:child_process";
import { once } from "node:events";
import t, { type Test } from "tap";
import { freePorts } from "../../cluster/free-ports.js";
import { foreignEnvironment } from "../../cluster/node-process.js";
import { leave, soloNode } from "../cli/solo-node.js";
import { cliEntry, host } from "./folio-cluster.js";
import { faultsOf, startLoad } from "./load.js";
import { agreedLeader, realCluster, statusOf } from "./real-cluster.js";
import { errorsOf, until } from "./waiting.js";

t.test(
  "kill -9 of the leader under load: clients of the survivors see no error and no number twice or missing",
  async (t) => {
    const cluster = await realCluster(t);
    const leader = await agreedLeader(cluster);
    const survivors = cluster.ids.filter((id) => id !== leader);
    const surviving = startLoad(cluster, { prefix: "SG", clients: 48, nodes: survivors, draws: 1_000_000 });
    const dying = startLoad(cluster, { prefix: "SG", clients: 16, nodes: [leader], draws: 1_000_000 });
    await until(() => surviving.drawn > 3000 && dying.drawn > 500);
    await cluster.kill(leader, "SIGKILL");
    dying.stop();
    const drawnBefore = surviving.drawn;
    await until(() => surviving.drawn > drawnBefore + 3000);
    await cluster.restart(leader);
    const drawnAtRestart = surviving.drawn;
    await until(() => surviving.drawn > drawnAtRestart + 1000);
    surviving.stop();
    await Promise.all([surviving.ended, dying.ended]);
    t.same(errorsOf(surviving.attempts), [], "clients of the survivors only waited");
    t.same(faultsOf([...surviving.attempts, ...dying.attempts], 1), []);
    const statuses = await Promise.all(cluster.ids.map((id) => statusOf(cluster, id, "SG")));
    t.equal(new Set(statuses.map((status) => status.current_counter)).size, 1, "the killed node has caught up");
  },
);

t.test("kill -9 of all nodes under load: every acknowledged number is there, and the next one follows", async (t) => {
  const cluster = await realCluster(t);
  const load = startLoad(cluster, { prefix: "SG", clients: 48, nodes: cluster.ids, draws: 1_000_000 });
  await until(() => load.drawn > 3000);
  const killed = Promise.all(cluster.ids.map((id) => cluster.kill(id, "SIGKILL")));
  load.stop();
  await Promise.all([killed, load.ended]);
  await Promise.all(cluster.ids.map((id) => cluster.restart(id)));
  const after = startLoad(cluster, { prefix: "SG", clients: 3, nodes: cluster.ids, draws: 300 });
  await after.ended;
  t.same(errorsOf(after.attempts), []);
  t.same(faultsOf([...load.attempts, ...after.attempts], 1), []);
  const largest = (attempts: typeof load.attempts) => Math.max(...attempts.map(({ counter = 0 }) => counter));
  t.ok(largest(after.attempts) >= largest(load.attempts) + 300, "numbers go on behind the largest acknowledged one");
});

t.test("a disk that is full ends the node; every acknowledged number is there when it has room again", async (t) => {
  const dataDir = t.testdir();
  // Founded without the wait of a lone founder.
  await leave(dataDir, { SG: 1 });
  const { origin, ended } = await nodeWithoutRoom(t, dataDir);
  const drawn: Draw[] = [];
  const client = async (name: number): Promise<void> => {
    for (let call = 0; ; call++) {
      const draw = await drawFrom(origin, `${name}-${call}`);
      if (draw === undefined) return;
      drawn.push(draw);
    }
  };
  await until(async () => (await fetch(`${origin}/ready`).catch(() => undefined))?.ok === true);
  await Promise.all(Array.from({ length: 16 }, (_, name) => client(name)));
  const { code, output } = await ended;
  t.equal(code, 1);
  t.match(output, /"level":"fatal".*"code":"WRITE_FAILED".*could not be written: .*File too large/);
  t.ok(drawn.length > 50, `${drawn.length} draws were acknowledged before`);
  const { node, restPort } = await soloNode(dataDir);
  t.teardown(() => node.stop(1000));
  const again = await Promise.all(drawn.map(({ key }) => drawFrom(`http://${host}:${restPort}`, key)));
  t.same(
    again,
    drawn.map((draw) => ({ ...draw, isReplayed: true })),
    "each acknowledged draw is known by its key",
  );
  t.equal(new Set(drawn.map(({ counter }) => counter)).size, drawn.length, "no number was drawn twice");
});

/** A node whose files can grow to 256 KiB only: a write beyond fails as on a full disk, for every user and on every system. */
async function nodeWithoutRoom(t: Test, dataDir: string) {
  const ports = (await freePorts(1, host))(1);
  const { NODE_OPTIONS: _, ...inherited } = foreignEnvironment();
  const child = spawn("sh", ["-c", 'ulimit -f 512; exec "$@"', "sh", process.execPath, cliEntry, "node"], {
    env: {
      ...inherited,
      NODE_ID: "1",
      PEERS: `1=${host}:${ports.peer}`,
      DATA_DIR: dataDir,
      PORT: String(ports.rest),
      GRPC_PORT: String(ports.grpc),
      PEER_PORT: String(ports.peer),
      ELECTION_TIMEOUT_MS: "50",
      HEARTBEAT_MS: "10",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.teardown(() => child.kill("SIGKILL"));
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, output }));
  return { origin: `http://${host}:${ports.rest}`, ended };
}

/** 600 bytes: the log is full before the first checkpoint is due. */
const LONG = "€".repeat(200);

interface Draw {
  readonly key: string;
  readonly counter: number;
  readonly isReplayed: boolean;
}

/** @returns undefined when the call failed */
async function drawFrom(origin: string, key: string): Promise<Draw | undefined> {
  const response = await fetch(`${origin}/api/v1/next`, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": key },
    body: JSON.stringify({ prefix: "SG", client_id: LONG, generated_by: LONG, correlation_id: LONG }),
  }).catch(() => undefined);
  if (response?.ok !== true) return undefined;
  const { counter } = (await response.json()) as { readonly counter: number };
  return { key, counter, isReplayed: response.headers.get("idempotency-replayed") === "true" };
}
