import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import t, { type Test } from "tap";
import { freePorts } from "../cluster/free-ports.js";
import { loadConfig } from "../src/config.js";
import { type RunningNode, startNode } from "../src/node.js";
import { until } from "./cluster/waiting.js";
import { StallingProxy } from "./stalling-proxy.js";

// How a node ends with calls under way. A grace of an hour stands for "as long as it takes": what
// uses it up runs into the limit of its test.

const HOST = "127.0.0.1";
const IDS = [1, 2, 3] as const;
const HOUR_MS = 3_600_000;

interface Life {
  readonly node: RunningNode;
  readonly restUrl: string;
}

/** Some of three founders; the higher id of two dials the lower one, through a proxy of its own. */
class Trio {
  readonly lives = new Map<number, Life>();
  readonly #proxies = new Map<string, StallingProxy>();

  static async start(t: Test, ids: readonly number[], env: NodeJS.ProcessEnv = {}): Promise<Trio> {
    const trio = new Trio();
    const dataDir = await mkdtemp(join(tmpdir(), "folio-stop-"));
    const portsOf = await freePorts(IDS.length, HOST);
    t.teardown(async () => {
      await Promise.all([...trio.lives.values()].map(({ node }) => node.stop(0)));
      for (const proxy of trio.#proxies.values()) await proxy.stop();
      await rm(dataDir, { recursive: true, force: true });
    });
    const addressOf = async (dialler: number, id: number) => {
      const { peer } = portsOf(id);
      if (id >= dialler) return `${id}=${HOST}:${peer}`;
      const proxy = await StallingProxy.start(peer);
      trio.#proxies.set(`${dialler}-${id}`, proxy);
      return `${id}=${HOST}:${proxy.port}`;
    };
    for (const id of ids) {
      const { rest, grpc, peer } = portsOf(id);
      const peers = await Promise.all(IDS.map((other) => addressOf(id, other)));
      const config = loadConfig({
        NODE_ID: String(id),
        PORT: String(rest),
        GRPC_PORT: String(grpc),
        PEER_PORT: String(peer),
        PEERS: peers.join(","),
        DATA_DIR: join(dataDir, `node-${id}`),
        ...env,
      });
      const fatal = (failure: Error): never => {
        throw failure;
      };
      const node = await startNode({
        config: { ...config, nodeId: id },
        version: "test",
        logger: pino({ level: "silent" }),
        fatal,
      });
      trio.lives.set(id, { node, restUrl: `http://${HOST}:${rest}` });
    }
    return trio;
  }

  life(id: number): Life {
    const life = this.lives.get(id);
    if (life === undefined) throw new Error(`node ${id} does not run`);
    return life;
  }

  /** The leader, once all nodes are ready and hold, as it knows, the whole of its log. */
  async settledLeader(): Promise<number> {
    const leaderOf = () => {
      const views = [...this.lives.values()].map(({ node }) => node.backend.cluster());
      const view = views.find(({ nodeId, leaderId }) => nodeId === leaderId);
      const lastIndex = view?.nodes.find(({ id }) => id === view.nodeId)?.lastIndex;
      const agree = views.every(({ ready, leaderId }) => ready && leaderId === view?.nodeId);
      const even = view?.nodes.every(({ matchIndex, reachable }) => reachable && matchIndex === lastIndex) === true;
      return agree && even ? view?.nodeId : undefined;
    };
    await until(() => leaderOf() !== undefined);
    const leader = leaderOf();
    if (leader === undefined) throw new Error("there was a leader a moment ago");
    return leader;
  }

  /** What `from` says to `to` does not arrive any more; what `to` says does, and their stream stays open. */
  stall(from: number, to: number): void {
    const proxy = this.#proxies.get(`${Math.max(from, to)}-${Math.min(from, to)}`);
    proxy?.stall(from > to ? "dialler" : "acceptor");
  }
}

function draw(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  const body = JSON.stringify({ prefix: "SG" });
  const post = { method: "POST", headers: { "content-type": "application/json", ...headers }, body };
  return fetch(`${url}/api/v1/next`, post);
}

t.test(
  "a successor that does not take over uses up none of the grace, and calls under way are answered",
  { timeout: 60_000 },
  async (t) => {
    const trio = await Trio.start(t, IDS, { ELECTION_TIMEOUT_MS: "500" });
    const provenance = { principal: "test", clientId: "", generatedBy: "", correlationId: "", requestId: "" };
    const leader = await trio.settledLeader();
    const { backend, stop } = trio.life(leader).node;
    // All hold the same, so the first one is chosen; it will not hear that it is to stand.
    trio.stall(leader, IDS.find((id) => id !== leader) ?? 0);
    const stopped = stop(HOUR_MS);
    const underWay = backend.propose({
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
    t.match(await underWay, { kind: "drawn", ranges: [{ first: 1, last: 1 }] });
    t.equal(backend.cluster().leaderId, leader, "nobody took over");
    await stopped;
    t.pass("the node has stopped");
  },
);

t.test(
  "calls that outlast the grace are told what became of them, and nobody's open connection holds the node up",
  { timeout: 60_000 },
  async (t) => {
    // Without the others there is no leader, so calls wait; they could do so for an hour.
    const trio = await Trio.start(t, [1], { REQUEST_DEADLINE_MS: String(HOUR_MS) });
    const { node, restUrl } = trio.life(1);
    const underWay = [draw(restUrl), draw(restUrl), fetch(`${restUrl}/api/v1/status/SG`)];
    // What was sent after them has been answered, so they have arrived.
    t.equal((await draw(restUrl, { prefer: "wait=0.1" })).status, 503);
    await node.stop(0);
    for (const response of await Promise.all(underWay)) {
      t.equal(response.status, 503);
      t.match(await response.json(), { code: "NOT_EXECUTED", detail: "The node is shutting down." });
    }
  },
);

t.test("a node that nobody has called stops at once, though its own settings still wait for a leader", async (t) => {
  const trio = await Trio.start(t, [1], { REQUEST_DEADLINE_MS: String(HOUR_MS) });
  await trio.life(1).node.stop(HOUR_MS);
  t.pass("the node has stopped");
});
