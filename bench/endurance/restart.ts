import { readFileSync, statSync } from "node:fs";
import type { LocalCluster } from "../../cluster/launcher.js";
import { agreedLeader, getJson, type StatusBody, statusOf } from "./asking.js";
import { fill } from "./fill.js";
import { largest, median } from "./pauses.js";
import type { Findings, Scenario, Table } from "./scenario.js";

const READY_TARGET_MS = 3000;
const PREFIX = "SG";

interface Restart {
  readonly role: "leader" | "follower";
  readonly signal: "SIGTERM" | "SIGKILL";
  /** From the spawn until it listens: opened, verified, read. */
  readonly listensMs: number;
  /** From the spawn until /ready answers 200. */
  readonly readyMs: number;
}

/** When the node wrote that it listens; ms since the epoch. */
function listenedAt(logPath: string, from: number): number {
  for (const line of readFileSync(logPath).subarray(from).toString("utf8").split("\n")) {
    if (!line.includes('"folio node listens"')) continue;
    return Date.parse((JSON.parse(line) as { readonly time: string }).time);
  }
  return Number.NaN;
}

async function restartOne(
  cluster: LocalCluster,
  what: Pick<Restart, "role" | "signal">,
  faults: string[],
): Promise<Restart> {
  const leader = await agreedLeader(cluster);
  const id = what.role === "leader" ? leader : (cluster.ids.find((other) => other !== leader) ?? leader);
  const before = await statusOf(cluster, leader, PREFIX);
  await cluster.kill(id, what.signal);
  const logLength = statSync(cluster.logPath(id)).size;
  const [startedAt, started] = [Date.now(), performance.now()];
  await cluster.restart(id);
  const readyMs = performance.now() - started;
  for (const consistency of ["local", "linearizable"]) {
    const url = `${cluster.rest(id)}/api/v1/status/${PREFIX}?consistency=${consistency}`;
    const after = await getJson<StatusBody>(url);
    if (after.total_generated === before.total_generated && after.current_counter === before.current_counter) continue;
    faults.push(
      `after ${what.signal} node ${id} says ${JSON.stringify(after)} (${consistency}), not ${JSON.stringify(before)}`,
    );
  }
  return { ...what, listensMs: listenedAt(cluster.logPath(id), logLength) - startedAt, readyMs };
}

/** What of a start is Node's and the modules': a cluster of one that holds nothing. */
async function emptyStartMs(startCluster: (shape: { nodes: number }) => Promise<LocalCluster>): Promise<number> {
  const cluster = await startCluster({ nodes: 1 });
  const times: number[] = [];
  for (let round = 0; round < 3; round++) {
    await cluster.kill(1, "SIGTERM");
    const started = performance.now();
    await cluster.restart(1);
    times.push(performance.now() - started);
  }
  await cluster.stop();
  return median(times);
}

function tableOf(restarts: readonly Restart[], title: string): Table {
  const kinds = [...new Set(restarts.map(({ role, signal }) => `${role}, ${signal}`))];
  return {
    title,
    head: ["restarted", "times", "listens ms, median", "ready ms, median", "ready ms, max"],
    rows: kinds.map((kind) => {
      const own = restarts.filter(({ role, signal }) => `${role}, ${signal}` === kind);
      const listens = median(own.map(({ listensMs }) => listensMs));
      const ready = own.map(({ readyMs }) => readyMs);
      return [kind, own.length, listens.toFixed(0), median(ready).toFixed(0), largest(ready).toFixed(0)];
    }),
  };
}

export const restart: Scenario = {
  name: "restart",
  about: "nodes that hold a million numbers, drawn singly, are stopped and killed: how soon they serve again",
  defaults: { draws: 1_000_000, rounds: 3 },
  async run({ parameters, say, cluster: startCluster }): Promise<Findings> {
    const empty = await emptyStartMs(startCluster);
    const cluster = await startCluster({ nodes: 3 });
    const filled = await fill(cluster, PREFIX, parameters.draws, say);
    const faults = [...filled.faults];
    const restarts: Restart[] = [];
    for (let round = 0; round < parameters.rounds; round++) {
      for (const role of ["follower", "leader"] as const) {
        for (const signal of ["SIGTERM", "SIGKILL"] as const) {
          await Promise.all(cluster.ids.map((id) => cluster.ready(id)));
          const done = await restartOne(cluster, { role, signal }, faults);
          restarts.push(done);
          say(`${role} after ${signal}: ready in ${done.readyMs.toFixed(0)} ms`);
        }
      }
    }
    const slowest = largest(restarts.map(({ readyMs }) => readyMs));
    const title =
      `${filled.total} numbers in ${filled.entries} entries, drawn in ${filled.seconds.toFixed(0)} s; ` +
      `a node that holds nothing is ready in ${empty.toFixed(0)} ms`;
    const miss = `the slowest restart took ${slowest.toFixed(0)} ms, not ${READY_TARGET_MS}`;
    return { tables: [tableOf(restarts, title)], faults, misses: slowest < READY_TARGET_MS ? [] : [miss] };
  },
};
