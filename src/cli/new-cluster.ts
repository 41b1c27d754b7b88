import { InvalidArgumentError } from "commander";
import { isPeerAddress } from "../config-values.js";
import type { RecoveryReport } from "../recovery/recover-new-cluster.js";
import type { SkippedSeries } from "../recovery/skip-ahead.js";
import { writeLine, writeRows } from "./output.js";

/** What restoring and recovering have in common: a node becomes the only member of a new cluster. */

export function peerAddress(text: string): string {
  if (isPeerAddress(text)) return text;
  throw new InvalidArgumentError("It must be host:port, an IPv6 host in brackets.");
}

/** Something an operator should read, in a sentence. */
export function notice(message: string): void {
  process.stderr.write(`folio: ${message}\n`);
}

/** The new cluster, by the names that JSON answers use. */
export function clusterReport({ configuration, end, series }: Omit<RecoveryReport, "before">) {
  const { clusterId, members } = configuration;
  return {
    cluster_id: clusterId,
    members: members.map(({ id, kind, address }) => ({ id, kind, address })),
    index: end.index,
    term: end.term,
    series: series.map(seriesReport),
  };
}

function seriesReport({ prefix, period, scopeKey, isKnown, outcome }: SkippedSeries) {
  const shared = { prefix, period, scope_key: scopeKey, known: isKnown, outcome: outcome.kind };
  switch (outcome.kind) {
    case "skipped": {
      const { first, last } = outcome.range;
      return { ...shared, slots: outcome.slots, first_counter: first, last_counter: last, is_last: outcome.isLast };
    }
    case "refused":
      return { ...shared, code: outcome.code, detail: outcome.detail };
    case "exhausted":
    case "unreachable":
      return shared;
  }
}

export function writeSeries(report: ReturnType<typeof clusterReport>): void {
  if (report.series.length === 0) return;
  writeLine("Numbers that are skipped, journalled as such:");
  writeRows(report.series, [
    ["SEQUENCE", "prefix"],
    ["PERIOD", "period"],
    ["SCOPE", "scope_key"],
    ["OUTCOME", "outcome"],
    ["FIRST", "first_counter"],
    ["LAST", "last_counter"],
    ["DETAIL", "detail"],
  ]);
}

/** How the node is started, and how the others come in. */
export function nextSteps(at: { readonly nodeId: number; readonly dataDir: string; readonly address: string }): string {
  const { nodeId, dataDir, address } = at;
  const port = address.slice(address.lastIndexOf(":") + 1);
  const host = address.slice(0, address.lastIndexOf(":"));
  return `
Start the node (with its HOST, PORT, GRPC_PORT and keys as before):
  NODE_ID=${nodeId} PEERS=${nodeId}=${address} ADVERTISE_ADDRESS=${host} PEER_PORT=${port} DATA_DIR=${dataDir} folio node

It leads alone. Let others join it, each with an id of its own and an empty folder; they become voters by themselves:
  NODE_ID=... JOIN=${address} DATA_DIR=... folio node`;
}
