import type { FileHandle } from "node:fs/promises";
import { Command } from "commander";
import { readSnapshotFile } from "../storage/snapshot-file.js";
import { BackupTarget } from "./backup-target.js";
import { type ConnectionOptions, connect, talksToServer } from "./connection.js";
import { asCommandFailure } from "./file-failures.js";
import { writeJson, writeProperties } from "./output.js";
import { Progress } from "./progress.js";

interface BackupOptions extends ConnectionOptions {
  readonly force?: true;
}

/** `folio backup FILE` */
export function backupCommand(): Command {
  const command = new Command("backup")
    .description("copy the state of a node to a file, consistent and checksummed, while draws go on (administrators)")
    .argument("<file>", "made when all of it has arrived and was verified; until then FILE.<random>.partial")
    .option("--force", "replace a file that is there");
  return talksToServer(command, [
    'folio backup folio-$(date +%F).backup --api-key "$ADMIN_KEY"',
    "folio backup /backups/folio.backup --force --server 10.0.0.2:8080",
  ]).action(async (file: string, options: BackupOptions) => {
    const report = await backup(file, options).catch((error: unknown) => {
      throw asCommandFailure(error);
    });
    if (options.output === "json") writeJson(report);
    else writeProperties(report);
  });
}

async function backup(path: string, options: BackupOptions): Promise<Readonly<Record<string, unknown>>> {
  const target = await BackupTarget.open(path, options.force === true);
  try {
    const { server, chunks } = await connect(options).download("/cluster/backup");
    const report = await receive(chunks, target.file, `backup from ${server}`);
    await target.keep();
    return { file: path, server, ...report };
  } catch (error) {
    await target.discard();
    throw error;
  }
}

/** Writes every chunk and reads it back part by part: only a whole and sound snapshot comes to its end. */
async function receive(
  chunks: AsyncIterable<Uint8Array>,
  file: FileHandle,
  title: string,
): Promise<Readonly<Record<string, unknown>>> {
  const progress = new Progress(title);
  let report: Readonly<Record<string, unknown>> = {};
  for await (const part of readSnapshotFile(written(chunks, file, progress))) {
    if (part.kind === "header") {
      const { clusterId, position, time, nodeId, version } = part.header;
      report = { cluster_id: clusterId, node_id: nodeId, ...position, time: new Date(time).toISOString(), version };
    } else if (part.kind === "rows") progress.rows(part.rows.length);
    else report = { ...report, rows: part.rows, bytes: part.bytes };
  }
  progress.done();
  return report;
}

async function* written(
  chunks: AsyncIterable<Uint8Array>,
  file: FileHandle,
  progress: Progress,
): AsyncIterable<Uint8Array> {
  for await (const chunk of chunks) {
    await file.writeFile(chunk);
    progress.bytes(chunk.length);
    yield chunk;
  }
}
