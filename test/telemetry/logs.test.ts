import { Writable } from "node:stream";
import { Registry } from "prom-client";
import t from "tap";
import type { Transition } from "../../src/raft/types.js";
import { createLogger } from "../../src/telemetry/logger.js";
import { ReplicaMetrics } from "../../src/telemetry/replica-metrics.js";
import { ReplicaTelemetry } from "../../src/telemetry/replica-telemetry.js";

function collecting(level: string) {
  const lines: Record<string, unknown>[] = [];
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
      done();
    },
  });
  return { lines, logger: createLogger({ level, nodeId: 3 }, sink) };
}

t.test("a line is JSON with the level's name, a time and the node", async (t) => {
  const { lines, logger } = collecting("info");
  logger.debug("unseen");
  logger.warn({ request_id: "r" }, "seen");
  t.match(lines, [{ level: "warn", node_id: 3, request_id: "r", msg: "seen", time: /^\d{4}-\d\d-\d\dT/ }]);
  t.equal(lines.length, 1);
});

t.test("every transition is counted and logged in a sentence, with its data", async (t) => {
  const { lines, logger } = collecting("info");
  const registry = new Registry();
  const telemetry = new ReplicaTelemetry(new ReplicaMetrics(registry), logger);
  const told: readonly (readonly [Transition, string])[] = [
    [{ kind: "roleChanged", role: "leader", term: 2, why: "a quorum voted" }, "now leader in term 2: a quorum voted"],
    [{ kind: "leaderChanged", leader: 1, term: 2 }, "node 1 leads term 2"],
    [{ kind: "leaderChanged", leader: undefined, term: 3 }, "no leader known in term 3"],
    [{ kind: "termOpened", term: 2, index: 9 }, "term 2 opened with entry 9"],
    [
      { kind: "configurationChanged", configuration: { clusterId: "c", members: [] }, index: 1 },
      "configuration of entry 1: 0 members",
    ],
    [{ kind: "truncated", from: 5, to: 7 }, "removed entries 5 to 7, which never committed"],
    [{ kind: "transferEnded", target: 2, outcome: "handedOver" }, "leadership handed over to node 2"],
    [{ kind: "transferEnded", target: 2, outcome: "timedOut" }, "node 2 did not take over leadership in time"],
  ];
  for (const [transition] of told) telemetry.transition(transition);
  t.same(
    lines.map((line) => line["msg"]),
    told.map(([, sentence]) => sentence),
  );
  t.same(lines[0]?.["transition"], told[0]?.[0]);
  t.match(await registry.metrics(), /raft_transitions_total\{kind="transferEnded"\} 2/);
});

t.test("notices keep their level and details", async (t) => {
  const { lines, logger } = collecting("info");
  const telemetry = new ReplicaTelemetry(new ReplicaMetrics(new Registry()), logger);
  telemetry.notice("warn", "a peer is gone", { peer: 2 });
  telemetry.notice("error", "the disk is full");
  t.match(lines, [
    { level: "warn", msg: "a peer is gone", details: { peer: 2 } },
    { level: "error", msg: "the disk is full" },
  ]);
});

t.test("what happens per entry is counted and not logged", async (t) => {
  const { lines, logger } = collecting("debug");
  const registry = new Registry();
  const telemetry = new ReplicaTelemetry(new ReplicaMetrics(registry), logger);
  telemetry.entryPacked({ commands: 1, bytes: 1 });
  telemetry.logWritten({ entries: 1, bytes: 1, durationMs: 1 });
  telemetry.entryApplied({ index: 1, commands: 1 });
  t.same(lines, []);
  telemetry.checkpointWritten({ bytes: 1, durationMs: 1 });
  t.equal(lines.length, 1);
});

t.test("two states that differ are an alarm: an error in the log, and a counter that was there before", async (t) => {
  const { lines, logger } = collecting("info");
  const registry = new Registry();
  const telemetry = new ReplicaTelemetry(new ReplicaMetrics(registry), logger);
  t.match(await registry.metrics(), /raft_state_divergence_total\{what="rows"\} 0/);
  telemetry.stateDiverged({ peer: 2, index: 131_072, what: "rows" });
  t.match(lines, [{ level: "error", msg: /^ALARM: this node's state differs from node 2's at entry 131072 \(rows\)/ }]);
  t.match(await registry.metrics(), /raft_state_divergence_total\{what="rows"\} 1/);
});

t.test("snapshots are told with whose they are and what became of them; cuts of the log are counted", async (t) => {
  const { lines, logger } = collecting("info");
  const registry = new Registry();
  const telemetry = new ReplicaTelemetry(new ReplicaMetrics(registry), logger);
  const moved = { index: 9, bytes: 1000, durationMs: 5 };
  telemetry.snapshotMoved({ ...moved, direction: "sent", peer: 2, failure: undefined });
  telemetry.snapshotMoved({ ...moved, direction: "fetched", peer: 1, failure: "the connection broke" });
  telemetry.snapshotMoved({ ...moved, direction: "sent", peer: undefined, failure: undefined });
  telemetry.logCut({ baseIndex: 100, entries: 90 });
  t.same(
    lines.map(({ level, msg }) => `${level}: ${msg}`),
    [
      "info: snapshot of entry 9 to node 2 sent",
      "warn: snapshot from node 1 not fetched: the connection broke",
      "info: snapshot of entry 9 for a backup sent",
    ],
  );
  const text = await registry.metrics();
  t.match(text, /raft_snapshots_total\{direction="sent",outcome="done"\} 2/);
  t.match(text, /raft_snapshots_total\{direction="fetched",outcome="failed"\} 1/);
  t.match(text, /raft_snapshot_bytes_total\{direction="sent"\} 2000/);
  t.match(text, /storage_log_entries_cut_total 90/);
});
