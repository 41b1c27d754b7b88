import { join } from "node:path";
import t, { type Test } from "tap";
import { freePorts } from "../../cluster/free-ports.js";
import { NodeProcess } from "../../cluster/node-process.js";
import type { NodePorts } from "../../cluster/ports.js";
import { isVoter, poll, serves } from "../../cluster/readiness.js";
import { folio } from "../cli/command-line.js";
import { startClientLoad } from "./client-load.js";
import { cliEntry } from "./folio-cluster.js";
import { faultsOf } from "./load.js";
import { ADMIN_KEY, getJson, realClusterIn } from "./real-cluster.js";
import { errorsOf, until } from "./waiting.js";

const host = "127.0.0.1";

/** A node's process, killed with the test at the latest. */
async function node(t: Test, at: { ports: NodePorts; dataDir: string }, env: NodeJS.ProcessEnv): Promise<NodeProcess> {
  const { rest, grpc, peer } = at.ports;
  const child = await NodeProcess.start({
    id: 4,
    command: [cliEntry, "node"],
    env: {
      NODE_ID: "4",
      PORT: String(rest),
      GRPC_PORT: String(grpc),
      PEER_PORT: String(peer),
      DATA_DIR: at.dataDir,
      ...env,
    },
    logPath: `${at.dataDir}.log`,
  });
  t.teardown(async () => {
    child.signal("SIGKILL");
    await child.exited;
  });
  return child;
}

async function comesTo(child: NodeProcess, question: Parameters<typeof poll>[0]): Promise<void> {
  const gaveUp = new AbortController().signal;
  const obstacle = await poll(question, { endsAt: performance.now() + 90_000, gaveUp });
  if (obstacle !== undefined) throw new Error([obstacle, ...child.lastLines()].join("\n"));
}

t.test("a joiner that is killed again and again on its way becomes a voter, and draws go on meanwhile", async (t) => {
  // Slow enough that kills hit every step: before it is let in, in the middle of the snapshot, before it has a vote.
  const { cluster, dataDir, ports } = await realClusterIn(t, { env: { SNAPSHOT_BYTES_PER_SECOND: "1048576" } });
  const load = startClientLoad(
    "SG",
    cluster.ids.map((id) => cluster.grpc(id)),
  );
  await until(() => load.drawn > 6000);
  const own = (await freePorts(1, host))(1);
  const at = { ports: own, dataDir: join(dataDir, "node-4") };
  const JOIN = cluster.ids.map((id) => `${host}:${ports(id).peer}`).join(",");
  for (const lifeMs of [300, 600, 900, 1300, 1800]) {
    const child = await node(t, at, { JOIN });
    await new Promise((resolve) => setTimeout(resolve, lifeMs));
    child.signal("SIGKILL");
    await child.exited;
  }
  const child = await node(t, at, { JOIN });
  await comesTo(child, isVoter({ origin: `http://${host}:${own.rest}`, apiKey: "" }, 4));
  await comesTo(child, serves(`http://${host}:${own.rest}`));
  const before = load.drawn;
  await until(() => load.drawn > before + 100);
  await load.stop();
  t.same(errorsOf(load.attempts), []);
  t.same(faultsOf(load.attempts, 1), []);
  const { nodes } = await getJson<{ readonly nodes: readonly { readonly id: number }[] }>(
    `${cluster.rest(1)}/api/v1/cluster`,
  );
  t.same(
    nodes.map(({ id }) => id),
    [1, 2, 3, 4],
    "all its lives were one member",
  );
});

t.test("a node that waits outside is let in by hand, and only as the one that it is", async (t) => {
  const { cluster, dataDir, ports } = await realClusterIn(t);
  const own = (await freePorts(1, host))(1);
  const address = `${host}:${own.peer}`;
  const founders = cluster.ids.map((id) => `${id}=${host}:${ports(id).peer}`).join(",");
  const env = { FOLIO_SERVER: cluster.rest(2), FOLIO_API_KEY: ADMIN_KEY };

  const early = await folio(`members add 4 ${address}`, env);
  t.equal(early.code, 4);
  t.match(early.stderr, /cannot be reached: .*; a node that was started with JOIN asks to be let in by itself/);
  const child = await node(t, { ports: own, dataDir: join(dataDir, "node-4") }, { PEERS: `${founders},4=${address}` });
  await comesTo(child, async () => {
    const response = await fetch(`http://${host}:${own.rest}/livez`).catch((error: Error) => error);
    return response instanceof Error ? response.message : undefined;
  });
  const another = await folio(`members add 5 ${address}`, env);
  t.equal(another.code, 4);
  t.match(another.stderr, /node 4 answers, not node 5/);

  const added = await folio(`members add 4 ${address} --voter`, env);
  t.equal(added.code, 0, added.stderr);
  await comesTo(child, serves(`http://${host}:${own.rest}`));
  const promoted = await folio("members promote 4", env);
  t.equal(promoted.code, 0, promoted.stderr);
  const drawn = await getJson<{ readonly counter: number }>(`http://${host}:${own.rest}/api/v1/next/SG`);
  t.equal(drawn.counter, 1);

  const removed = await folio("members remove 4", env);
  t.equal(removed.code, 0, removed.stderr);
  await comesTo(child, async () => {
    const { status } = await fetch(`http://${host}:${own.rest}/ready`);
    return status === 503 ? undefined : `it is ${status}`;
  });
  const ready = (await (await fetch(`http://${host}:${own.rest}/ready`)).json()) as { readonly reason: string };
  t.match(ready.reason, /removed from the cluster/);
});
