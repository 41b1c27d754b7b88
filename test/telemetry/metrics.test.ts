import { Registry } from "prom-client";
import t from "tap";
import type { Backend, ClusterView } from "../../src/api/port.js";
import { OperatingFailure } from "../../src/failure.js";
import type { Draw } from "../../src/sequence/command.js";
import type { CommandResult } from "../../src/sequence/result.js";
import { registerClusterGauges } from "../../src/telemetry/cluster-gauges.js";
import { DrawMetrics } from "../../src/telemetry/draw-metrics.js";
import { MeasuredBackend } from "../../src/telemetry/measured-backend.js";
import { createMetrics } from "../../src/telemetry/metrics.js";
import { definition, drawn, ScriptedBackend } from "../api/rest-edge.js";

const draw: Draw = {
  kind: "draw",
  provenance: { principal: "anonymous", clientId: "", generatedBy: "", correlationId: "", requestId: "" },
  prefix: "SG",
  count: 1,
  batch: false,
  contiguous: false,
  scope: { site: "", partition: "", documentType: "" },
  documentDate: "",
  documentRef: "",
  idempotencyKey: "",
};

function measured(): { backend: ScriptedBackend; edge: Backend; registry: Registry } {
  const registry = new Registry();
  const backend = new ScriptedBackend();
  return { backend, registry, edge: new MeasuredBackend(backend, new DrawMetrics(registry)) };
}

async function sample(registry: Registry, line: string): Promise<number | undefined> {
  const found = (await registry.metrics()).split("\n").find((text) => text.startsWith(`${line} `));
  return found === undefined ? undefined : Number(found.slice(line.length + 1));
}

t.test("draws are counted by outcome: numbers where there are any, else requests", async (t) => {
  const { backend, edge, registry } = measured();
  const outcomes: readonly (() => Promise<CommandResult>)[] = [
    async () => ({ ...drawn, count: 5 }),
    async () => ({ ...drawn, replayed: true }),
    async () => ({ kind: "refused", code: "CONFLICT", detail: "", field: "" }),
    async () => ({ kind: "refused", code: "NOT_EXECUTED", detail: "", field: "" }),
    () => Promise.reject(new OperatingFailure("OUTCOME_UNKNOWN", "")),
    () => Promise.reject(new OperatingFailure("NOT_EXECUTED", "")),
    () => Promise.reject(new Error("bug")),
  ];
  for (const outcome of outcomes) {
    backend.result = outcome;
    await edge.propose(draw).catch(() => undefined);
  }
  const counted = async (status: string) =>
    sample(registry, `sequential_ids_generated_total{prefix="SG",status="${status}"}`);
  t.equal(await counted("success"), 5);
  t.equal(await counted("replayed"), 1);
  t.equal(await counted("refused"), 1);
  t.equal(await counted("not_executed"), 2);
  t.equal(await counted("outcome_unknown"), 1);
  t.equal(await counted("failed"), 1);
  t.equal(await sample(registry, 'sequential_id_generation_duration_seconds_count{prefix="SG"}'), 7);
});

t.test("only configured sequences get a label, and only the first hundred of them", async (t) => {
  const { backend, edge, registry } = measured();
  const drawFrom = async (prefix: string, explicit: boolean) => {
    backend.result = async () => ({ ...drawn, definition: { ...definition, prefix, explicit } });
    await edge.propose({ ...draw, prefix });
  };
  await drawFrom("JUNK", false);
  for (let count = 0; count < 101; count++) await drawFrom(`S${count}`, true);
  const text = await registry.metrics();
  t.notMatch(text, /prefix="JUNK"/);
  t.match(text, /prefix="S99"/);
  t.notMatch(text, /prefix="S100"/);
  t.equal(await sample(registry, 'sequential_ids_generated_total{prefix="other",status="success"}'), 2);
});

t.test("what is not a draw passes uncounted", async (t) => {
  const { backend, edge, registry } = measured();
  backend.answer = async () => ({ kind: "absent" });
  await edge.query({ kind: "definition", prefix: "SG" }, "local");
  t.equal(edge.cluster(), backend.view);
  t.equal(await sample(registry, 'sequential_id_generation_duration_seconds_count{prefix="other"}'), undefined);
});

t.test("the replica's reports become raft_ and storage_ metrics", async (t) => {
  const { replica, registry } = createMetrics();
  replica.entryPacked({ commands: 3, bytes: 100 });
  replica.entryPacked({ commands: 5, bytes: 50 });
  replica.logWritten({ entries: 2, bytes: 150, durationMs: 4 });
  replica.entryApplied({ commands: 3 });
  replica.checkpointWritten({ bytes: 1000, durationMs: 10 });
  replica.transition({ kind: "leaderChanged", leader: 1, term: 2 });
  t.equal(await sample(registry, "raft_commands_per_entry_count"), 2);
  t.equal(await sample(registry, "raft_commands_per_entry_sum"), 8);
  t.equal(await sample(registry, "raft_packed_bytes_total"), 150);
  t.equal(await sample(registry, "storage_log_entries_per_write_sum"), 2);
  t.equal(await sample(registry, "storage_log_write_duration_seconds_sum"), 0.004);
  t.equal(await sample(registry, "storage_log_written_bytes_total"), 150);
  t.equal(await sample(registry, "raft_entries_applied_total"), 1);
  t.equal(await sample(registry, "raft_commands_applied_total"), 3);
  t.equal(await sample(registry, "storage_checkpoint_bytes_total"), 1000);
  t.equal(await sample(registry, 'raft_transitions_total{kind="leaderChanged"}'), 1);
  t.match(await registry.metrics(), /nodejs_eventloop_lag_seconds/);
});

t.test("gauges show the cluster as it is when they are read", async (t) => {
  const registry = new Registry();
  const member = {
    kind: "voter",
    address: "",
    restAddress: "",
    grpcAddress: "",
    reachable: true,
    term: 4,
    lastIndex: 50,
    commitIndex: 50,
    appliedIndex: 50,
  } as const;
  let view: ClusterView = {
    ...new ScriptedBackend().view,
    nodes: [
      { ...member, id: 2, role: "follower", matchIndex: 48, lag: 2 },
      { ...member, id: 3, role: "leader", matchIndex: 50, lag: 0 },
    ],
  };
  registerClusterGauges(registry, () => view);
  t.equal(await sample(registry, "raft_term"), 4);
  t.equal(await sample(registry, "raft_leader_id"), 3);
  t.equal(await sample(registry, 'raft_role{role="follower"}'), 1);
  t.equal(await sample(registry, 'raft_member_lag_entries{member="2"}'), 2);
  view = { ...view, term: 5, leaderId: undefined, ready: false, nodes: [] };
  t.equal(await sample(registry, "raft_term"), 5);
  t.equal(await sample(registry, "raft_leader_id"), 0);
  t.equal(await sample(registry, "raft_node_ready"), 0);
  t.equal(await sample(registry, 'raft_role{role="unknown"}'), 1);
  t.equal(await sample(registry, 'raft_member_lag_entries{member="2"}'), undefined);
});
