import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "./child.js";
import { clientId, type LoadGenerator, type LoadOutcome, type LoadPlan } from "./load.js";

const graceMs = 20_000;

/** wrk's own report has no 95th percentile and rounds; its Lua interface has everything. */
function script(prefix: string, isKeyed: boolean): string {
  return `${isKeyed ? keys() : ""}
wrk.method = "POST"
wrk.body = '${JSON.stringify({ prefix, client_id: clientId })}'
wrk.headers["Content-Type"] = "application/json"
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('RESULT {"requests":%d,"us":%d,"p50":%d,"p95":%d,"p99":%d,"max":%d,"status":%d,"lost":%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(95), latency:percentile(99),
    latency.max, e.status, e.connect + e.read + e.write + e.timeout))
end
`;
}

function keys(): string {
  return `
local drawn = 0
function request()
  drawn = drawn + 1
  wrk.headers["Idempotency-Key"] = "${randomUUID()}-" .. drawn
  return wrk.format()
end
`;
}

interface WrkResult {
  readonly requests: number;
  readonly us: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
  /** Answers that are no success. */
  readonly status: number;
  readonly lost: number;
}

export function parseWrk(output: string, inFlight: number): LoadOutcome {
  const line = /^RESULT (\{.*\})$/m.exec(output)?.[1];
  if (line === undefined) throw new Error(`wrk printed no result: ${output}`);
  const result = JSON.parse(line) as WrkResult;
  const failed = result.status + result.lost;
  return {
    acknowledged: result.requests - result.status,
    failed,
    unknownMax: failed + inFlight,
    seconds: result.us / 1e6,
    latencyMs: { p50: result.p50 / 1000, p95: result.p95 / 1000, p99: result.p99 / 1000, max: result.max / 1000 },
  };
}

/** REST by wrk: its client costs so little that the server is what is measured. */
export const wrkLoad: LoadGenerator = {
  name: "wrk",
  protocol: "rest",
  async run({ host, port, prefix, inFlight, seconds, isKeyed = false }: LoadPlan): Promise<LoadOutcome> {
    const folder = mkdtempSync(join(tmpdir(), "folio-wrk-"));
    try {
      const path = join(folder, "draw.lua");
      writeFileSync(path, script(prefix, isKeyed));
      const url = `http://${host}:${port}/api/v1/next`;
      const parameters = ["-t", "1", "-c", String(inFlight), "-d", `${seconds}s`, "--timeout", "10s", "-s", path, url];
      return parseWrk(await runProgram("wrk", parameters, seconds * 1000 + graceMs), inFlight);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};
