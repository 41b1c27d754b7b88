import { fileURLToPath } from "node:url";
import { runProgram } from "../child.js";
import { ADMIN_KEY } from "./workshop.js";

const COMMAND_MS = 300_000;

/** Runs the command line as operators do. @returns what it printed */
async function folio(...parameters: readonly string[]): Promise<unknown> {
  const main = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));
  return JSON.parse(await runProgram(process.execPath, [main, ...parameters, "--output", "json"], COMMAND_MS));
}

export interface BackupReport {
  /** The last entry that is in it. */
  readonly index: number;
  readonly rows: number;
  readonly bytes: number;
}

/** `folio backup`, from the node with this REST origin. */
export async function backupTo(file: string, origin: string): Promise<BackupReport> {
  return (await folio("backup", file, "--server", origin, "--api-key", ADMIN_KEY)) as BackupReport;
}

/** `folio restore`, for node 1 of a cluster on loopback. */
export async function restoreFrom(
  file: string,
  place: { readonly dataDir: string; readonly peerPort: number; readonly safetyDistance: number },
): Promise<void> {
  await folio(
    ...["restore", file, "--data-dir", place.dataDir, "--node-id", "1"],
    ...["--address", `127.0.0.1:${place.peerPort}`, "--safety-distance", String(place.safetyDistance)],
  );
}
