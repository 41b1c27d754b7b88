import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { freePorts } from "../../cluster/free-ports.js";
import { LaunchError } from "../../cluster/launch-error.js";
import { LocalCluster } from "../../cluster/launcher.js";
import { describeExit } from "../../cluster/node-process.js";
import type { NodePorts } from "../../cluster/ports.js";
import type { Operation } from "../history/history.js";
import { judge } from "../history/judge.js";
import { UsageError } from "../options.js";
import { type ClientPlan, type Clients, startClients } from "./clients.js";
import { runFaults, seeded } from "./faults.js";
import { FaultyPort } from "./faulty-port.js";
import { httpCall } from "./http-call.js";
import { type ChaosOptions, chaosHelp, parseChaosOptions } from "./options.js";

const HOST = "127.0.0.1";
const COLD_PREFIXES = ["COLD1", "COLD2", "COLD3", "COLD4"];

/** Two thirds draw singly from one hot sequence, the rest from cold ones, some of them batches; every other one has keys. */
function plansFor({ clients, nodes }: ChaosOptions): ClientPlan[] {
  return Array.from({ length: clients }, (_, place) => ({
    prefix: place % 3 === 2 ? (COLD_PREFIXES[place % COLD_PREFIXES.length] ?? "COLD1") : "HOT",
    node: (place % nodes) + 1,
    isKeyed: place % 2 === 0,
    count: place % 5 === 4 ? 7 : 1,
  }));
}

/** One more draw per sequence: whatever happened, all of it lies before. */
async function lastDraws(cluster: LocalCluster, clients: Clients): Promise<Map<string, readonly Operation[]>> {
  const agent = new Agent({ keepAlive: true });
  const histories = new Map<string, readonly Operation[]>();
  for (const [prefix, operations] of clients.operations) {
    const invoked = performance.now();
    const url = new URL(`${cluster.rest(1)}/api/v1/next`);
    const call = await httpCall({ url, agent, body: { prefix }, timeoutMs: 15_000 });
    if (call.kind !== "answered" || call.status !== 200) throw new Error(`the last draw from ${prefix} failed`);
    const { counter } = call.body as { readonly counter: number };
    const outcome = { kind: "drawn", epoch: 0, first: counter, last: counter } as const;
    const last: Operation = {
      kind: "draw",
      id: `${prefix}-last`,
      count: 1,
      invoked,
      returned: performance.now(),
      outcome,
    };
    histories.set(prefix, [...operations, last]);
  }
  agent.destroy();
  return histories;
}

/** @returns what is wrong, in sentences */
async function disagreements(cluster: LocalCluster, prefixes: Iterable<string>): Promise<string[]> {
  const faults: string[] = [];
  const agent = new Agent({ keepAlive: true });
  for (const prefix of prefixes) {
    const counters = new Set<unknown>();
    for (const id of cluster.ids) {
      const url = new URL(`${cluster.rest(id)}/api/v1/status/${prefix}`);
      const call = await httpCall({ url, agent, timeoutMs: 15_000 });
      counters.add(call.kind === "answered" ? (call.body as { current_counter?: number }).current_counter : call.kind);
    }
    if (counters.size !== 1) faults.push(`${prefix} stands at ${[...counters].join(", ")}, depending on the node`);
  }
  agent.destroy();
  return faults;
}

/** One before each node's peer port, by node. */
async function openPeerPorts(nodes: number, ports: (id: number) => NodePorts): Promise<Map<number, FaultyPort>> {
  const opened = new Map<number, FaultyPort>();
  for (let id = 1; id <= nodes; id++) opened.set(id, await FaultyPort.open(ports(id).peer, HOST));
  return opened;
}

/** The founders as they are to know each other: by what stands before them. */
function peersThrough(peerPorts: ReadonlyMap<number, FaultyPort>): string {
  return [...peerPorts].map(([id, port]) => `${id}=${HOST}:${port.number}`).join(",");
}

/** @returns the exit code */
async function chaos(options: ChaosOptions): Promise<number> {
  const say = (text: string) => process.stdout.write(`${text}\n`);
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  say(
    `seed ${options.seed}, commit ${commit}, ${options.nodes} nodes, ${options.clients} clients, ${options.seconds} s`,
  );
  const dataDir = mkdtempSync(join(tmpdir(), "folio-chaos-"));
  const faults: string[] = [];
  const ports = await freePorts(options.nodes, HOST);
  const peerPorts = await openPeerPorts(options.nodes, ports);
  const cluster = new LocalCluster({
    nodes: options.nodes,
    dataDir,
    ports,
    env: { LOG_LEVEL: "info", PEERS: peersThrough(peerPorts) },
    readyMs: 60_000,
    onUnexpectedExit: (exit) => faults.push(describeExit(exit)),
  });
  try {
    await cluster.start();
    const clients = startClients(cluster, plansFor(options));
    const ending = new AbortController();
    const inflicted = runFaults(
      { cluster, peerPorts, faults: options.faults, random: seeded(options.seed), say },
      ending.signal,
    );
    await Promise.race([pause(options.seconds * 1000), inflicted]);
    ending.abort();
    const faultCount = await inflicted;
    await clients.stop();
    await Promise.all(cluster.ids.map((id) => cluster.ready(id)));
    const histories = await lastDraws(cluster, clients);
    for (const [prefix, operations] of histories) {
      const verdict = judge({ start: 1, step: 1, operations });
      if (verdict.kind === "broken") faults.push(`${prefix}: ${verdict.rule}: ${verdict.message}`);
    }
    faults.push(...(await disagreements(cluster, histories.keys())));
    report({ clients, faultCount, faults, say });
  } finally {
    await cluster.stop();
    for (const port of peerPorts.values()) await port.close();
    if (faults.length === 0) rmSync(dataDir, { recursive: true, force: true });
    else say(`The nodes' logs and data stay in ${dataDir}.`);
  }
  return faults.length === 0 ? 0 : 1;
}

function report(run: {
  readonly clients: Clients;
  readonly faultCount: number;
  readonly faults: readonly string[];
  readonly say: (text: string) => void;
}): void {
  const { clients, faultCount, faults, say } = run;
  const outcomes = [...clients.outcomes].sort().map(([name, count]) => `${name}: ${count}`);
  say(`${faultCount} faults; ${clients.drawn} numbers drawn; calls ended as ${outcomes.join(", ")}`);
  say(`the slowest draw that was answered took ${Math.round(clients.longestMs)} ms`);
  if (faults.length === 0) say("every history is linearizable, and all nodes agree");
  for (const fault of faults) say(`WRONG: ${fault}`);
}

try {
  const options = parseChaosOptions(process.argv.slice(2));
  if (options === undefined) process.stdout.write(chaosHelp);
  else process.exitCode = await chaos(options);
} catch (error) {
  if (!(error instanceof UsageError || error instanceof LaunchError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
