import { cpus } from "node:os";
import Table from "cli-table3";
import type { LoadOutcome } from "./load.js";
import type { Sharing } from "./metrics.js";

/** One measurement of the cluster beside the bare server's under the same load. */
export interface Row extends Sharing {
  readonly protocol: "rest" | "grpc";
  readonly generator: string;
  readonly inFlight: number;
  readonly cluster: LoadOutcome;
  readonly echo: LoadOutcome;
  /** How the sequence's status disagrees with what was acknowledged; "" when it agrees. */
  readonly disagreement: string;
}

function rate({ acknowledged, seconds }: LoadOutcome): number {
  return acknowledged / seconds;
}

function decimal(value: number | undefined, digits: number): string {
  return value === undefined ? "-" : value.toFixed(digits);
}

export function table(rows: readonly Row[]): string {
  const output = new Table({
    head: [
      ...["load", "in flight", "draws/s", "p50 ms", "p95", "p99", "max", "failed"],
      ...["commands/entry", "entries/sync", "bare/s", "ratio", "status"],
    ],
    style: { head: [], border: [], compact: true },
    colAligns: ["left", ...Array.from({ length: 11 }, () => "right" as const), "left"],
  });
  for (const row of rows) {
    const { p50, p95, p99, max } = row.cluster.latencyMs;
    output.push([
      `${row.protocol} ${row.generator}`,
      row.inFlight,
      Math.round(rate(row.cluster)),
      ...[p50, p95, p99, max].map((value) => decimal(value, 2)),
      row.cluster.failed,
      decimal(row.commandsPerEntry, 1),
      decimal(row.entriesPerSync, 2),
      Math.round(rate(row.echo)),
      decimal(rate(row.cluster) / rate(row.echo), 2),
      row.disagreement === "" ? "agrees" : row.disagreement,
    ]);
  }
  return output.toString();
}

/** Everything as data, with what one must know to compare it with another run. */
export function asJson(rows: readonly Row[], run: Readonly<Record<string, unknown>>): string {
  const processors = cpus();
  const machine = { node: process.version, processors: processors.length, model: processors[0]?.model ?? "unknown" };
  const measured = rows.map((row) => ({ ...row, drawsPerSecond: rate(row.cluster), barePerSecond: rate(row.echo) }));
  return `${JSON.stringify({ at: new Date().toISOString(), machine, run, rows: measured }, undefined, 2)}\n`;
}
