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
  /** Processor time that the process took for it: on a busy machine, closer to what it costs. */
  readonly processorMs: number;
}

/** When the node wrote that it listens; ms since the epoch. */
function listenedAt(logPath: string, from: number): number {
  for (const line of readFileSync(logPath).subarray(from).toString("utf8").split("\n")) {
    if (!line.includes('"folio node listens"')) continue;
    return Date.parse((JSON.parse(line) as { readonly time: string }).time);
  }
  return Number.NaN;
}

/** Since it began; NaN where there is no /proc. The kernel counts in hundredths of a second. */
function processorMsOf(pid: number | undefined): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /, "")
      .split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return Number.NaN;
  }
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
  const processorMs = processorMsOf(cluster.pid(id));
  for (const consistency of ["local", "linearizable"]) {
    const url = `${cluster.rest(id)}/api/v1/status/${PREFIX}?consistency=${consistency}`;
    const after = await getJson<StatusBody>(url);
    if (after.total_generated === before.total_generated && after.current_counter === before.current_counter) continue;
    faults.push(
      `after ${what.signal} node ${id} says ${JSON.stringify(after)} (${consistency}), not ${JSON.stringify(before)}`,
    );
  }
  return { ...what, listensMs: listenedAt(cluster.logPath(id), logLength) - startedAt, readyMs, processorMs };
}

/** What of a start is Node's and the modules': a cluster of one that holds nothing. */
async function emptyStart(startCluster: (shape: { nodes: number }) => Promise<LocalCluster>) {
  const cluster = await startCluster({ nodes: 1 });
  const starts: Pick<Restart, "readyMs" | "processorMs">[] = [];
  for (let round = 0; round < 3; round++) {
    await cluster.kill(1, "SIGTERM");
    const started = performance.now();
    await cluster.restart(1);
    starts.push({ readyMs: performance.now() - started, processorMs: processorMsOf(cluster.pid(1)) });
  }
  await cluster.stop();
  const readyMs = median(starts.map((start) => start.readyMs));
  return { readyMs, processorMs: median(starts.map((start) => start.processorMs)) };
}

function tableOf(restarts: readonly Restart[], title: string): Table {
  const kinds = [...new Set(restarts.map(({ role, signal }) => `${role}, ${signal}`))];
  return {
    title,
    head: ["restarted", "times", "listens ms, median", "ready ms, median", "ready ms, max", "processor ms, median"],
    rows: kinds.map((kind) => {
      const own = restarts.filter(({ role, signal }) => `${role}, ${signal}` === kind);
      const listens = median(own.map(({ listensMs }) => listensMs));
      const ready = own.map(({ readyMs }) => readyMs);
      const processor = median(own.map(({ processorMs }) => processorMs));
      const [middle, slowest] = [median(ready), largest(ready)];
      return [kind, own.length, ...[listens, middle, slowest, processor].map((value) => value.toFixed(0))];
    }),
  };
}

export const restart: Scenario = {
  name: "restart",
  about: "nodes that hold a million numbers, drawn singly, are stopped and killed: how soon they serve again",
  defaults: { draws: 1_000_000, rounds: 3 },
  async run({ parameters, say, cluster: startCluster }): Promise<Findings> {
    const empty = await emptyStart(startCluster);
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
      `a node that holds nothing is ready in ${empty.readyMs.toFixed(0)} ms, ${empty.processorMs} ms of processor`;
    const miss = `the slowest restart took ${slowest.toFixed(0)} ms, not ${READY_TARGET_MS}`;
    return { tables: [tableOf(restarts, title)], faults, misses: slowest < READY_TARGET_MS ? [] : [miss] };
  },
};
