import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "./child.js";
import { getNextFrame, getNextPath, spread } from "./grpc-frame.js";
import { type LoadGenerator, type LoadOutcome, type LoadPlan, latencyHistogram, percentilesOf } from "./load.js";

const graceMs = 20_000;

/**
 * What h2load's log says: a line per request with its start (µs since the epoch), HTTP status and duration (µs).
 * gRPC tells errors in trailers that h2load does not read: whether the draws were real, the sequence's status shows.
 */
export function parseH2load(log: string, seconds: number, inFlight: number): LoadOutcome {
  const histogram = latencyHistogram();
  let failed = 0;
  for (const line of log.split("\n")) {
    if (line === "") continue;
    const [, status, durationUs] = line.split("\t");
    if (status === "200") histogram.recordValue(Math.max(1, Number(durationUs)));
    else failed += 1;
  }
  return {
    acknowledged: histogram.totalCount,
    failed,
    unknownMax: failed + inFlight,
    seconds,
    latencyMs: percentilesOf(histogram),
  };
}

/** Unary gRPC by h2load: a JavaScript client would take more processor than the server. */
export const h2loadLoad: LoadGenerator = {
  name: "h2load",
  protocol: "grpc",
  async run({ host, port, prefix, inFlight, seconds }: LoadPlan): Promise<LoadOutcome> {
    const folder = mkdtempSync(join(tmpdir(), "folio-h2load-"));
    try {
      const data = join(folder, "request");
      const log = join(folder, "log");
      writeFileSync(data, getNextFrame(prefix));
      const { connections, streams } = spread(inFlight);
      const parameters = [
        ...["-D", String(seconds), "-t", "1", "-c", String(connections), "-m", String(streams)],
        ...["-d", data, "-H", "content-type: application/grpc", "-H", "te: trailers"],
        ...["--log-file", log, `http://${host}:${port}${getNextPath}`],
      ];
      await runProgram("h2load", parameters, seconds * 1000 + graceMs);
      return parseH2load(readFileSync(log, "utf8"), seconds, connections * streams);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};
