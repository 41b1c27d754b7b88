import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "../cluster/free-ports.js";
import { LaunchError } from "../cluster/launch-error.js";
import { LocalCluster } from "../cluster/launcher.js";
import { autocannonLoad } from "./autocannon-load.js";
import { isInstalled } from "./child.js";
import { h2loadLoad } from "./h2load-load.js";
import { http2Load } from "./http2-load.js";
import type { LoadGenerator } from "./load.js";
import { measure } from "./measure.js";
import { type BenchOptions, help, parseOptions, UsageError } from "./options.js";
import { asJson, type Row, table } from "./report.js";
import { wrkLoad } from "./wrk-load.js";

const host = "127.0.0.1";

function generatorFor(protocol: "rest" | "grpc", builtIn: boolean): LoadGenerator {
  if (protocol === "rest") return !builtIn && isInstalled("wrk") ? wrkLoad : autocannonLoad;
  return !builtIn && isInstalled("h2load") ? h2loadLoad : http2Load;
}

async function measureAll(cluster: LocalCluster, options: BenchOptions): Promise<Row[]> {
  const rows: Row[] = [];
  for (const protocol of options.protocols) {
    const generator = generatorFor(protocol, options.builtIn);
    for (const inFlight of options.inFlight) {
      process.stderr.write(`${protocol} by ${generator.name}, ${inFlight} in flight ...\n`);
      rows.push(await measure(cluster, generator, inFlight, options));
    }
  }
  return rows;
}

/** @returns the exit code: 1 if a sequence's status disagrees with what was acknowledged, or a load got no answer */
async function bench(options: BenchOptions): Promise<number> {
  const dataDir = mkdtempSync(join(tmpdir(), "folio-bench-"));
  const cluster = new LocalCluster({
    nodes: options.nodes,
    dataDir,
    ports: await freePorts(options.nodes, host),
    env: { LOG_LEVEL: "warn" },
  });
  // Ctrl-C ends this process, and with it the nodes.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
  try {
    await cluster.start();
    const rows = await measureAll(cluster, options);
    process.stdout.write(`${table(rows)}\n`);
    if (options.json !== undefined) writeFileSync(options.json, asJson(rows, { ...options }));
    return rows.every((row) => row.disagreement === "" && row.cluster.acknowledged > 0) ? 0 : 1;
  } finally {
    await cluster.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === undefined) process.stdout.write(help);
  else process.exitCode = await bench(options);
} catch (error) {
  if (!(error instanceof UsageError || error instanceof LaunchError)) throw error;
  process.stderr.write(`bench: ${error.message}${error instanceof UsageError ? "; --help says more" : ""}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
