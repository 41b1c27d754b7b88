import t from "tap";
import { EchoProcess } from "../../bench/echo-process.js";
import { parseH2load } from "../../bench/h2load-load.js";
import { http2Load } from "../../bench/http2-load.js";
import { disagreement } from "../../bench/measure.js";
import { parseMetrics, sharing } from "../../bench/metrics.js";
import { parseOptions, UsageError } from "../../bench/options.js";
import { type Row, table } from "../../bench/report.js";
import { parseWrk } from "../../bench/wrk-load.js";

const latencyMs = { p50: 1, p95: 2, p99: 3, max: 4 };

t.test("wrk's result counts answers that are no success as failed, and what was under way as unknown", (t) => {
  const output = `Running 1s test
RESULT {"requests":1000,"us":2000000,"p50":500,"p95":1500,"p99":2500,"max":9000,"status":3,"lost":2}
`;
  t.strictSame(parseWrk(output, 64), {
    acknowledged: 997,
    failed: 5,
    unknownMax: 69,
    seconds: 2,
    latencyMs: { p50: 0.5, p95: 1.5, p99: 2.5, max: 9 },
  });
  t.throws(() => parseWrk("unable to connect", 1), /wrk printed no result/);
  t.end();
});

t.test("h2load's log gives one latency per success, the rest failed", (t) => {
  const log = "1700000000000001\t200\t1000\n1700000000000002\t200\t2000\n1700000000000003\t-1\t50\n";
  const outcome = parseH2load(log, 1, 8);
  t.match(outcome, { acknowledged: 2, failed: 1, unknownMax: 9, seconds: 1 });
  t.equal(Math.round(outcome.latencyMs.max), 2);
  t.end();
});

t.test("metrics are summed over labels, and sharing is the mean of what was added in between", (t) => {
  const before = parseMetrics(
    [
      "# HELP raft_commands_per_entry x",
      "# TYPE raft_commands_per_entry histogram",
      'raft_commands_per_entry_bucket{le="1"} 5',
      "raft_commands_per_entry_sum 10",
      "raft_commands_per_entry_count 10",
      'raft_transitions_total{kind="a"} 1',
      'raft_transitions_total{kind="b"} 2',
      "",
    ].join("\n"),
  );
  t.equal(before.get("raft_transitions_total"), 3);
  t.notOk(before.has("raft_commands_per_entry_bucket"));
  const after = parseMetrics("raft_commands_per_entry_sum 650\nraft_commands_per_entry_count 20\n");
  t.strictSame(sharing(before, after), { commandsPerEntry: 64, entriesPerSync: undefined });
  t.end();
});

t.test("a sequence that lost a number, or made one up, is caught", (t) => {
  const outcome = { acknowledged: 100, failed: 1, unknownMax: 5, seconds: 1, latencyMs };
  t.equal(disagreement(100, outcome), "");
  t.equal(disagreement(105, outcome), "");
  t.match(disagreement(99, outcome), /^LOST/);
  t.match(disagreement(106, outcome), /^TOO MANY/);
  t.end();
});

t.test("options have defaults, and what makes no sense is refused with the option's name", (t) => {
  t.match(parseOptions([]), {
    seconds: 10,
    protocols: ["rest", "grpc"],
    inFlight: [1, 64, 256],
    nodes: 3,
    at: "leader",
    builtIn: false,
  });
  t.match(parseOptions(["--quick", "--only", "grpc", "--in-flight", "8"]), {
    seconds: 2,
    protocols: ["grpc"],
    inFlight: [8],
  });
  t.equal(parseOptions(["--help"]), undefined);
  const wrong = [
    ["--only", "soap"],
    ["--in-flight", "0"],
    ["--in-flight", "1,x"],
    ["--nodes", "2"],
    ["--seconds", "1e3"],
    ["--at", "nowhere"],
    ["--unknown"],
  ];
  for (const parameters of wrong) {
    t.throws(() => parseOptions(parameters), UsageError, parameters.join(" "));
  }
  t.end();
});

t.test("the table shows rate, ratio to the bare server and whether the status agrees", (t) => {
  const outcome = { acknowledged: 1000, failed: 0, unknownMax: 1, seconds: 2, latencyMs };
  const row: Row = {
    protocol: "rest",
    generator: "wrk",
    inFlight: 64,
    cluster: outcome,
    echo: { ...outcome, acknowledged: 4000 },
    commandsPerEntry: 12.34,
    entriesPerSync: undefined,
    disagreement: "",
  };
  t.match(table([row]), /rest wrk.*64.*500.*1\.00.*2\.00.*3\.00.*4\.00.*0.*12\.3.*-.*2000.*0\.25.*agrees/);
  t.match(table([{ ...row, disagreement: "LOST: 1" }]), /LOST: 1/);
  t.end();
});

t.test("the built-in gRPC load gets real answers from a bare server, and fails where there is none", async (t) => {
  const server = await EchoProcess.start("grpc");
  t.teardown(() => server.stop());
  const plan = { host: "127.0.0.1", port: server.port, prefix: "SG", inFlight: 6, seconds: 0.2 };
  const outcome = await http2Load.run(plan);
  t.ok(outcome.acknowledged >= plan.inFlight);
  t.equal(outcome.failed, 0);
  await server.stop();
  await t.rejects(http2Load.run(plan), { code: "ECONNREFUSED" }, "a server that is gone is an error, not a zero");
});
