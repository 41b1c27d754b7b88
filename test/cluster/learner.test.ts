import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";
import { parse } from "yaml";
import { freePorts } from "../../cluster/free-ports.js";
import type { LocalCluster } from "../../cluster/launcher.js";
import { NodeProcess } from "../../cluster/node-process.js";
import type { NodePorts } from "../../cluster/ports.js";
import { poll, serves } from "../../cluster/readiness.js";
import { readClaim, writeClaim } from "../../src/seat-claim.js";
import { cliEntry } from "./folio-cluster.js";
import { ADMIN_KEY, getJson, realClusterIn } from "./real-cluster.js";
import { until } from "./waiting.js";

/** What a container of the service has in its environment; names and addresses are this machine's. */
const composed = parse(readFileSync(fileURLToPath(new URL("../../../docker-compose.yml", import.meta.url)), "utf8"), {
  merge: true,
}) as { readonly services: { readonly learner: { readonly environment: NodeJS.ProcessEnv } } };
const { NODE_ID, VOTER, LEAVE } = composed.services.learner.environment;

interface Learner {
  readonly origin: string;
  readonly dataDir: string;
  readonly ports: NodePorts;
  process: NodeProcess;
}

interface Scale {
  readonly cluster: LocalCluster;
  start(place: number): Promise<Learner>;
  restart(learner: Learner): Promise<void>;
  /** Waits for nothing but the process. */
  spawn(learner: Learner): Promise<NodeProcess>;
}

/** A cluster of three, and learners beside it as `--scale` starts them. */
async function scale(t: Test): Promise<Scale> {
  const { cluster, dataDir, ports } = await realClusterIn(t);
  const free = await freePorts(2, "127.0.0.1");
  const spawn = async (learner: Omit<Learner, "process">) => {
    const { rest, grpc, peer } = learner.ports;
    const child = await NodeProcess.start({
      id: 0,
      command: [cliEntry, "node"],
      env: {
        ...{ NODE_ID, VOTER, LEAVE },
        ADVERTISE_ADDRESS: "127.0.0.1",
        JOIN: cluster.ids.map((id) => `127.0.0.1:${ports(id).peer}`).join(","),
        PORT: String(rest),
        GRPC_PORT: String(grpc),
        PEER_PORT: String(peer),
        DATA_DIR: learner.dataDir,
      },
      logPath: `${learner.dataDir}.log`,
    });
    t.teardown(async () => {
      child.signal("SIGKILL");
      await child.exited;
    });
    return child;
  };
  const run = async (learner: Omit<Learner, "process">) => {
    const child = await spawn(learner);
    const gaveUp = new AbortController().signal;
    const obstacle = await poll(serves(learner.origin), { endsAt: performance.now() + 60_000, gaveUp });
    if (obstacle !== undefined) throw new Error([obstacle, ...child.lastLines()].join("\n"));
    return child;
  };
  return {
    cluster,
    spawn,
    start: async (place) => {
      const own = free(place);
      const learner = {
        ports: own,
        origin: `http://127.0.0.1:${own.rest}`,
        dataDir: join(dataDir, `learner-${place}`),
      };
      return { ...learner, process: await run(learner) };
    },
    restart: async (learner) => {
      learner.process = await run(learner);
    },
  };
}

interface MembersBody {
  readonly node_id: number;
  readonly nodes: readonly { readonly id: number; readonly kind: string; readonly role: string }[];
}

async function learnersOf(cluster: LocalCluster): Promise<number[]> {
  const { nodes } = await getJson<MembersBody>(`${cluster.rest(1)}/api/v1/cluster`);
  return nodes.filter(({ kind }) => kind === "learner").map(({ id }) => id);
}

async function removed(cluster: LocalCluster, id: number): Promise<void> {
  const response = await fetch(`${cluster.rest(1)}/api/v1/cluster/members/${id}`, {
    method: "DELETE",
    headers: { "x-api-key": ADMIN_KEY },
  });
  if (!response.ok) throw new Error(`node ${id} was not removed: ${await response.text()}`);
}

async function idOf({ origin }: Learner): Promise<number> {
  return (await getJson<MembersBody>(`${origin}/api/v1/cluster`)).node_id;
}

async function nextAt({ origin }: Learner): Promise<number> {
  return (await getJson<{ readonly counter: number }>(`${origin}/api/v1/next/SG`)).counter;
}

t.test(
  "learners with ids from the cluster open front doors, come back as themselves, and leave on SIGTERM",
  async (t) => {
    const { cluster, start, restart } = await scale(t);
    const [one, two] = await Promise.all([start(1), start(2)]);
    const ids = await Promise.all([idOf(one), idOf(two)]);
    t.same([...ids].sort(), [4, 5], "two at once get ids of their own");
    t.same(await learnersOf(cluster), [4, 5]);
    t.equal(await nextAt(one), 1);
    t.equal(await nextAt(two), 2);
    const local = await getJson<{ readonly current_counter: number; readonly served_by: number }>(
      `${one.origin}/api/v1/status/SG`,
    );
    t.match(local, { current_counter: 2, served_by: ids[0] }, "it answers reads itself");

    one.process.signal("SIGKILL");
    await one.process.exited;
    await restart(one);
    t.equal(await idOf(one), ids[0], "after a crash it has its seat still");
    t.same(await learnersOf(cluster), [4, 5]);
    t.equal(await nextAt(one), 3);

    two.process.signal("SIGTERM");
    t.match(await two.process.exited, { code: 0 });
    t.same(await learnersOf(cluster), [ids[0]], "it has given its seat up");
    t.same(readdirSync(two.dataDir), [], "and cleared its directory");
    await restart(two);
    t.equal(await idOf(two), 6, "when it comes back it is somebody new");
    t.equal(await nextAt(two), 4);

    await removed(cluster, ids[0]);
    t.same(await learnersOf(cluster), [6]);
    one.process.signal("SIGTERM");
    t.match(await one.process.exited, { code: 0 });
    t.same(readdirSync(one.dataDir), [], "one whose seat an operator took begins anew as well");
    t.same(await learnersOf(cluster), [6], "and nobody else's seat is touched");
  },
);

t.test(
  "a learner that dies while it leaves, or before it knows its id, begins anew without leaving a seat behind",
  async (t) => {
    const { cluster, start, restart, spawn } = await scale(t);
    const learner = await start(1);
    t.equal(await idOf(learner), 4);
    learner.process.signal("SIGKILL");
    await learner.process.exited;
    const claim = await readClaim(learner.dataDir);
    if (claim === undefined) throw new Error("the claim survives the crash");
    t.match(claim, { nodeId: 4, stage: "opened" });
    await writeClaim(learner.dataDir, { ...claim, stage: "leaving" });
    await restart(learner);
    const id = await idOf(learner);
    t.ok(id > 4);
    await until(async () => (await learnersOf(cluster)).join() === String(id));

    learner.process.signal("SIGTERM");
    await learner.process.exited;
    t.notOk(existsSync(join(learner.dataDir, "claim")));
    await writeClaim(learner.dataDir, {
      storeId: "0123456789abcdef0123456789abcdef",
      nodeId: undefined,
      stage: "claimed",
    });
    await restart(learner);
    t.match(await readClaim(learner.dataDir), {
      storeId: "0123456789abcdef0123456789abcdef",
      nodeId: await idOf(learner),
    });
    t.equal(await nextAt(learner), 1);

    learner.process.signal("SIGTERM");
    await learner.process.exited;
    const early = await spawn(learner);
    await until(() => early.lastLines().some((line) => line.includes("has assigned the id")));
    early.signal("SIGTERM");
    t.match(await early.exited, { code: 0, signal: null });
    t.same(await learnersOf(cluster), [], "what it was given just then it has given up");
  },
);
