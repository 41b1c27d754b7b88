import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { LocalCluster } from "../../cluster/launcher.js";
import { until } from "./asking.js";
import { type BackupReport, backupTo, restoreFrom } from "./backup-commands.js";
import { type Callers, type Draw, faultsOf, startCallers } from "./callers.js";
import { compareStates } from "./same-state.js";
import type { Findings, Scenario, Workshop } from "./scenario.js";

const PREFIX = "SG";
const DRAWS_BETWEEN = 500;
const LOAD_AFTER_MS = 2000;

interface Backup extends BackupReport {
  readonly file: string;
  readonly tookMs: number;
}

async function takeBackup(cluster: LocalCluster, node: number, file: string): Promise<Backup> {
  const started = performance.now();
  const report = await backupTo(file, cluster.rest(node));
  return { ...report, file, tookMs: performance.now() - started };
}

async function moreDraws(callers: Callers): Promise<void> {
  const before = callers.drawn;
  await until("draws go on", () => callers.drawn >= before + DRAWS_BETWEEN);
}

interface Continued {
  readonly draws: readonly Draw[];
  readonly faults: readonly string[];
  readonly members: number;
}

/** A new cluster from the backup: one node, drawing, then two that join. */
async function continueElsewhere(workshop: Workshop, backup: Backup, safetyDistance: number): Promise<Continued> {
  const dataDir = join(workshop.folder, `restored-${safetyDistance}`);
  mkdirSync(dataDir);
  const ports = await workshop.ports(3);
  await restoreFrom(backup.file, { dataDir: join(dataDir, "node-1"), peerPort: ports(1).peer, safetyDistance });
  const cluster = await workshop.cluster({ nodes: 1, nodesMax: 3, dataDir, ports });
  const callers = startCallers(PREFIX, [cluster.grpc(1)], workshop.parameters.clients);
  await moreDraws(callers);
  for (let joined = 0; joined < 2; joined++) {
    const id = await cluster.addNode();
    callers.join([cluster.grpc(id), cluster.grpc(1)], 2);
    await moreDraws(callers);
  }
  await callers.stop();
  const { faults } = await compareStates(cluster);
  const members = cluster.ids.length;
  await cluster.stop();
  return { draws: callers.draws, faults, members };
}

/** The last number that lies in the backup. */
function endOf(draws: readonly Draw[], index: number): number {
  return draws.reduce((last, { counter = 0, entry = 0 }) => (entry <= index ? Math.max(last, counter) : last), 0);
}

function repeatedIn(draws: readonly Draw[], before: readonly Draw[]): number {
  const seen = new Set(before.flatMap(({ counter }) => counter ?? []));
  return draws.filter(({ counter }) => counter !== undefined && seen.has(counter)).length;
}

export const backup: Scenario = {
  name: "backup",
  about: "a backup taken under load is restored elsewhere, grown to three nodes, and goes on without a repeated number",
  defaults: { draws: 20_000 },
  async run(workshop): Promise<Findings> {
    const { parameters, say, folder } = workshop;
    const cluster = await workshop.cluster({ nodes: 3 });
    const addresses = cluster.ids.map((id) => cluster.grpc(id));
    const callers = startCallers(PREFIX, addresses, parameters.clients);
    await until("there is something to back up", () => callers.drawn >= parameters.draws, 1800);
    const taken = await takeBackup(cluster, 2, join(folder, "folio.backup"));
    const drawnThen = callers.drawn;
    await pause(LOAD_AFTER_MS);
    await moreDraws(callers);
    await callers.stop();
    await cluster.stop();
    const { draws } = callers;
    const end = endOf(draws, taken.index);
    const inBackup = draws.filter(({ entry = 0 }) => entry <= taken.index);
    const distance = draws.length - end;
    say(`${drawnThen} numbers drawn when the backup was done, ${end} of them are in it, ${draws.length} at the end`);
    const faults = faultsOf(draws, 1);
    const rows: (string | number)[][] = [];
    for (const safetyDistance of [0, distance]) {
      const continued = await continueElsewhere(workshop, taken, safetyDistance);
      const repeated = repeatedIn(continued.draws, safetyDistance === 0 ? inBackup : draws);
      if (repeated > 0) faults.push(`${repeated} numbers came twice, with a safety distance of ${safetyDistance}`);
      const judged = faultsOf(continued.draws, end + safetyDistance + 1);
      faults.push(...judged.map((fault) => `restored: ${fault}`), ...continued.faults);
      const lost = repeatedIn(continued.draws, draws);
      rows.push([safetyDistance, continued.draws.length, end + safetyDistance + 1, repeated, lost, continued.members]);
      say(`restored with a safety distance of ${safetyDistance}: ${continued.draws.length} draws`);
    }
    return {
      tables: [
        {
          title:
            `${draws.length} draws; the backup (${taken.rows} rows, ${(taken.bytes / 1e6).toFixed(1)} MB, taken in ` +
            `${taken.tookMs.toFixed(0)} ms under ${parameters.clients} callers) ends with number ${end}`,
          head: [
            "safety distance",
            "draws after",
            "first number",
            "repeated",
            "of those drawn after the backup",
            "nodes",
          ],
          rows,
        },
      ],
      faults,
      misses: [],
    };
  },
};
