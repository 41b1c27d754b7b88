import { createReadStream } from "node:fs";
import { Command, Option } from "commander";
import { isBeingFilled } from "../directory-marks.js";
import { fillStores, isBare } from "../fill-stores.js";
import { type RestoreReport, restore } from "../recovery/restore.js";
import { readSnapshotFile } from "../storage/snapshot-file.js";
import { systemClock, systemRandomness } from "../system-ports.js";
import { requireEmpty, requireUnused } from "./data-folder.js";
import { exitCodeHelp } from "./exit-code.js";
import { aboutFile, asCommandFailure } from "./file-failures.js";
import { clusterReport, nextSteps, notice, peerAddress, writeSeries } from "./new-cluster.js";
import { nodeId, safetyDistance } from "./option-values.js";
import { choosesOutput, type OutputFormat, writeJson, writeLine, writeProperties } from "./output.js";

interface RestoreOptions {
  readonly dataDir: string;
  readonly nodeId: number;
  readonly address: string;
  readonly safetyDistance: number;
  readonly output: OutputFormat;
}

/** `folio restore FILE` */
export function restoreCommand(): Command {
  const command = new Command("restore")
    .description("start a new cluster of one node from a backup: sequences go on where it ended")
    .argument("<file>", "as folio backup made it; all of it is verified before anything is written")
    .requiredOption("--data-dir <folder>", "of the new node; empty, or not there yet")
    .requiredOption("--node-id <id>", "of the new node", nodeId)
    .requiredOption("--address <host:port>", "of its peer listener, as others will reach it", peerAddress)
    .addOption(
      new Option("--safety-distance <count>", "numbers that every series skips: those drawn after the backup was taken")
        .argParser(safetyDistance)
        .default(0),
    );
  return choosesOutput(command)
    .addHelpText("after", HELP)
    .action(async (file: string, options: RestoreOptions) => {
      const report = await run(file, options).catch((error: unknown) => {
        throw asCommandFailure(error);
      });
      if (options.output === "json") writeJson(reportOf(report));
      else writeReport(report, options);
    });
}

const HELP = `
The cluster that the backup is of must not be running, or callers must not reach it any more: both would hand out the
same numbers. Its sessions are closed, and its members are not asked. When it fails, the folder is as it was before; when it is
interrupted, nothing starts on what it left, and the next run replaces that.

Examples:
  $ folio restore folio.backup --data-dir ./data/node-1 --node-id 1 --address 10.0.0.1:7070
  $ folio restore folio.backup --data-dir ./data/node-1 --node-id 1 --address 10.0.0.1:7070 --safety-distance 10000
${exitCodeHelp}`;

async function run(file: string, options: RestoreOptions): Promise<RestoreReport> {
  const { dataDir, nodeId, address, safetyDistance } = options;
  await requireFillable(dataDir);
  await requireSound(file);
  // That took a while.
  await requireFillable(dataDir);
  return fillStores({ dataDir, nodeId, notice }, (stores) =>
    restore(stores, readSnapshotFile(createReadStream(file)), {
      nodeId,
      address,
      clusterId: systemRandomness.id(),
      safetyDistance,
      now: systemClock.wall(),
    }),
  );
}

/** Empty; or left by a run that was interrupted, and does not run any more. */
async function requireFillable(dataDir: string): Promise<void> {
  if (await isBeingFilled(dataDir)) await requireUnused(dataDir);
  else if (!(await isBare(dataDir))) await requireEmpty(dataDir);
}

async function requireSound(file: string): Promise<void> {
  try {
    for await (const _ of readSnapshotFile(createReadStream(file)));
  } catch (error) {
    throw aboutFile(file, error);
  }
}

function reportOf(report: RestoreReport) {
  const { backup, rows, bytes, time } = report;
  const { clusterId, position, nodeId, version } = backup;
  const taken = { cluster_id: clusterId, node_id: nodeId, ...position, version, taken_at: iso(backup.time) };
  return { ...clusterReport(report), backup: { ...taken, newest_entry_at: iso(time), rows, bytes } };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

function writeReport(report: RestoreReport, options: RestoreOptions): void {
  const { backup, series: _, members: __, ...cluster } = reportOf(report);
  writeLine(`Restored into ${options.dataDir}, as node ${options.nodeId} of a new cluster, what was in the backup:`);
  writeProperties(backup);
  writeLine("The new cluster:");
  writeProperties(cluster);
  writeSeries(clusterReport(report));
  writeLine(nextSteps(options));
}
