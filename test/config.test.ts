import t from "tap";
import { loadConfig, variableNames } from "../src/config.js";
import { ConfigError } from "../src/config-values.js";

/** What a wrong variable leads to: which one is named, and the sentence. */
function fault(env: NodeJS.ProcessEnv): { variable: string; message: string } {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return { variable: error.variable, message: error.message };
    throw error;
  }
  return { variable: "none", message: "" };
}

t.test("an empty environment gives a single node on loopback with the documented defaults", (t) => {
  t.strictSame(loadConfig({}), {
    nodeId: 1,
    host: "127.0.0.1",
    advertiseAddress: "127.0.0.1",
    port: 8080,
    grpcPort: 9090,
    peerPort: 7070,
    peers: [{ id: 1, address: "127.0.0.1:7070" }],
    join: [],
    voter: true,
    leave: false,
    dataDir: "./data/node-1",
    logLevel: "info",
    apiKeys: [],
    adminApiKeys: [],
    rateLimitEnabled: false,
    rateLimitMax: 1000,
    rateLimitWindowMs: 1000,
    requestDeadlineMs: 10_000,
    electionTimeoutMs: 300,
    heartbeatMs: 50,
    maxClockSkewMs: 2000,
    logEntriesMax: 100_000,
    logBytesMax: 134_217_728,
    logTailEntries: 10_000,
    snapshotBytesPerSecond: 33_554_432,
    scrubIntervalHours: 24,
    autoCreate: true,
    idempotencyRetentionHours: 24,
    idempotencyKeysMax: 5_000_000,
  });
  t.end();
});

t.test("every variable reaches the configuration", (t) => {
  const config = loadConfig({
    NODE_ID: "2",
    HOST: "0.0.0.0",
    ADVERTISE_ADDRESS: "folio-2.example",
    PORT: "1",
    GRPC_PORT: "2",
    PEER_PORT: "65535",
    PEERS: "1=folio-1:7070, 2=[::1]:7071,3=10.0.0.3:7072",
    DATA_DIR: "/data",
    LOG_LEVEL: "debug",
    API_KEYS: "first,second",
    ADMIN_API_KEYS: "third",
    RATE_LIMIT_ENABLED: "true",
    RATE_LIMIT_MAX: "7",
    RATE_LIMIT_WINDOW_MS: "60000",
    REQUEST_DEADLINE_MS: "5000",
    ELECTION_TIMEOUT_MS: "1000",
    HEARTBEAT_MS: "100",
    MAX_CLOCK_SKEW_MS: "500",
    LOG_ENTRIES_MAX: "5000",
    LOG_BYTES_MAX: "2000000",
    LOG_TAIL_ENTRIES: "100",
    SNAPSHOT_BYTES_PER_SECOND: "2000000",
    SCRUB_INTERVAL_HOURS: "0",
    AUTO_CREATE: "false",
    IDEMPOTENCY_RETENTION_HOURS: "48",
    IDEMPOTENCY_KEYS_MAX: "1000",
  });
  t.strictSame(config, {
    nodeId: 2,
    host: "0.0.0.0",
    advertiseAddress: "folio-2.example",
    port: 1,
    grpcPort: 2,
    peerPort: 65_535,
    peers: [
      { id: 1, address: "folio-1:7070" },
      { id: 2, address: "[::1]:7071" },
      { id: 3, address: "10.0.0.3:7072" },
    ],
    join: [],
    voter: true,
    leave: false,
    dataDir: "/data",
    logLevel: "debug",
    apiKeys: ["first", "second"],
    adminApiKeys: ["third"],
    rateLimitEnabled: true,
    rateLimitMax: 7,
    rateLimitWindowMs: 60_000,
    requestDeadlineMs: 5000,
    electionTimeoutMs: 1000,
    heartbeatMs: 100,
    maxClockSkewMs: 500,
    logEntriesMax: 5000,
    logBytesMax: 2_000_000,
    logTailEntries: 100,
    snapshotBytesPerSecond: 2_000_000,
    scrubIntervalHours: 0,
    autoCreate: false,
    idempotencyRetentionHours: 48,
    idempotencyKeysMax: 1000,
  });
  t.end();
});

t.test("defaults follow other variables: the address others use is HOST, the folder carries the id", (t) => {
  const config = loadConfig({ NODE_ID: "3", PEERS: "3=10.0.0.3:7070", HOST: "10.0.0.3" });
  t.equal(config.advertiseAddress, "10.0.0.3");
  t.equal(config.dataDir, "./data/node-3");
  t.end();
});

t.test("an empty variable means its default, and variables of others are ignored", (t) => {
  const config = loadConfig({ PORT: "", API_KEYS: "", DATA_DIR: "", FOLIO_PORT: "x", RATE_LIMIT: "y", HOME: "/" });
  t.strictSame(config, loadConfig({}));
  t.end();
});

t.test("loading changes neither the environment nor what the next load gives", (t) => {
  const env = Object.freeze({ PORT: "8081", PATH: "/bin" });
  t.equal(loadConfig(env).port, 8081);
  t.strictSame(env, { PORT: "8081", PATH: "/bin" });
  t.equal(loadConfig({}).port, 8080);
  t.end();
});

t.test("a variable that cannot be parsed is named in one sentence with what it held and what was expected", (t) => {
  t.strictSame(fault({ PORT: "abc" }), {
    variable: "PORT",
    message: 'PORT is "abc"; expected a port from 1 to 65535 (or 0 for any free one).',
  });
  t.strictSame(fault({ LOG_LEVEL: "loud" }), {
    variable: "LOG_LEVEL",
    message: 'LOG_LEVEL is "loud"; expected one of fatal, error, warn, info, debug, trace, silent.',
  });
  t.strictSame(fault({ RATE_LIMIT_ENABLED: "yes" }), {
    variable: "RATE_LIMIT_ENABLED",
    message: 'RATE_LIMIT_ENABLED is "yes"; expected true or false.',
  });
  t.end();
});

t.test("each variable has its own limits", (t) => {
  const wrong: Record<string, readonly string[]> = {
    NODE_ID: ["0", "-1", "1.5", "one", "65536", "Auto", "01"],
    HOST: ["two words", "http://host"],
    ADVERTISE_ADDRESS: ["a b"],
    PORT: ["-1", "65536", "80.5", "NaN", " ", "1e3", "0x50", " 80"],
    GRPC_PORT: ["70000"],
    PEER_PORT: ["x"],
    RATE_LIMIT_MAX: ["0"],
    RATE_LIMIT_WINDOW_MS: ["0"],
    REQUEST_DEADLINE_MS: ["0", "Infinity"],
    ELECTION_TIMEOUT_MS: ["2"],
    HEARTBEAT_MS: ["0"],
    MAX_CLOCK_SKEW_MS: ["0"],
    LOG_ENTRIES_MAX: ["99", "many"],
    LOG_BYTES_MAX: ["1048575"],
    LOG_TAIL_ENTRIES: ["-1", "100000"],
    SNAPSHOT_BYTES_PER_SECOND: ["65535", "1048575"],
    SCRUB_INTERVAL_HOURS: ["-1", "501"],
    VOTER: ["no"],
    LEAVE: ["1"],
    AUTO_CREATE: ["maybe"],
    IDEMPOTENCY_RETENTION_HOURS: ["0"],
    IDEMPOTENCY_KEYS_MAX: ["0"],
    DATA_DIR: ["  "],
  };
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) t.equal(fault({ [name]: value }).variable, name, `${name}=${value} is refused`);
  }
  t.equal(loadConfig({ PORT: "0", GRPC_PORT: "0", PEER_PORT: "0" }).port, 0, "0 is any free port, several times");
  t.end();
});

t.test("PEERS is id=host:port, comma-separated, with each member once", (t) => {
  const wrong = [
    "127.0.0.1:7070",
    "1=127.0.0.1",
    "1=127.0.0.1:0",
    "1=127.0.0.1:65536",
    "1=127.0.0.1:7070,",
    "0=127.0.0.1:7070",
    "a=127.0.0.1:7070",
    "1=:7070",
    "1=::1:7070",
    "99999=127.0.0.1:7070",
    "1=a b:7070",
  ];
  for (const value of wrong) t.equal(fault({ PEERS: value }).variable, "PEERS", `${value} is refused`);
  t.match(fault({ PEERS: "1=a:1,2" }).message, /^PEERS holds "2"; expected id=host:port/);
  t.match(fault({ PEERS: "1=a:1,1=b:1" }).message, /names the id 1 twice/);
  t.match(fault({ PEERS: "1=a:1,2=a:1" }).message, /names the address a:1 twice/);
  t.end();
});

t.test("a node must be among the initial members", (t) => {
  t.strictSame(fault({ NODE_ID: "4", PEERS: "1=a:1,2=b:1" }), {
    variable: "NODE_ID",
    message: "NODE_ID is 4; expected one of the ids in PEERS (1, 2).",
  });
  t.end();
});

const joining = { NODE_ID: "4", JOIN: "10.0.0.1:7070", HOST: "10.0.0.4" };

t.test("a node that joins founds nothing, and becomes a voter unless told otherwise", (t) => {
  const config = loadConfig({ ...joining, JOIN: "folio-1:7070, [::1]:7071,folio-1:7070" });
  t.match(config, { nodeId: 4, peers: [], voter: true, leave: false, dataDir: "./data/node-4" });
  t.strictSame(config.join, ["folio-1:7070", "[::1]:7071"], "asking twice at one address wins nothing");
  const learner = loadConfig({
    NODE_ID: "auto",
    JOIN: "10.0.0.1:7070",
    HOST: "10.0.0.4",
    DATA_DIR: "/data",
    VOTER: "false",
    LEAVE: "true",
  });
  t.match(learner, { nodeId: "auto", voter: false, leave: true, dataDir: "/data" });
  t.end();
});

t.test("JOIN is host:port, comma-separated", (t) => {
  for (const value of ["10.0.0.1", "1=10.0.0.1:7070", "a:0", "a:65536", "a:1,", "a b:1", ":7070"]) {
    t.equal(fault({ ...joining, JOIN: value }).variable, "JOIN", `${value} is refused`);
  }
  t.match(fault({ ...joining, JOIN: "a:1,b" }).message, /^JOIN holds "b"; expected peer addresses as host:port/);
  t.end();
});

t.test("what contradicts joining, or needs it, is refused with the reason", (t) => {
  const cases: [NodeJS.ProcessEnv, string, RegExp][] = [
    [{ ...joining, PEERS: "4=10.0.0.4:7070" }, "PEERS", /PEERS founds a cluster, JOIN joins one that runs/],
    [{ NODE_ID: "auto" }, "NODE_ID", /JOIN is empty/],
    [{ ...joining, NODE_ID: "auto" }, "DATA_DIR", /NODE_ID is auto/],
    [{ VOTER: "false" }, "VOTER", /founders of a cluster are its voters/],
    [{ LEAVE: "true" }, "LEAVE", /JOIN is empty/],
    [{ ...joining, LEAVE: "true" }, "LEAVE", /expected VOTER=false/],
    [{ ...joining, HOST: "0.0.0.0" }, "ADVERTISE_ADDRESS", /that others reach this node by, or auto/],
    [{ ...joining, PEER_PORT: "0" }, "PEER_PORT", /a port that the others can be told/],
  ];
  for (const [env, variable, sentence] of cases) {
    const found = fault(env);
    t.equal(found.variable, variable);
    t.match(found.message, sentence);
  }
  t.end();
});

t.test("ADVERTISE_ADDRESS=auto is the first IPv4 address of the machine that is not loopback", (t) => {
  const interfaces = {
    lo: [{ address: "127.0.0.1", internal: true }],
    eth0: [
      { address: "fe80::1", internal: false },
      { address: "172.18.0.7", internal: false },
    ],
    eth1: [{ address: "10.0.0.1", internal: false }],
  };
  t.equal(loadConfig({ ADVERTISE_ADDRESS: "auto" }, () => interfaces).advertiseAddress, "172.18.0.7");
  t.equal(
    loadConfig({ ...joining, HOST: "0.0.0.0", ADVERTISE_ADDRESS: "auto" }, () => interfaces).advertiseAddress,
    "172.18.0.7",
  );
  const { lo } = interfaces;
  t.throws(() => loadConfig({ ADVERTISE_ADDRESS: "auto" }, () => ({ lo })), {
    name: "ConfigError",
    variable: "ADVERTISE_ADDRESS",
    message: /no IPv4 address besides loopback/,
  });
  t.end();
});

t.test("the log's tail is shorter than what the log may hold", (t) => {
  t.strictSame(fault({ LOG_ENTRIES_MAX: "5000", LOG_TAIL_ENTRIES: "5000" }), {
    variable: "LOG_TAIL_ENTRIES",
    message: "LOG_TAIL_ENTRIES is 5000; expected less than LOG_ENTRIES_MAX (5000), so that there is something to cut.",
  });
  t.equal(loadConfig({ LOG_ENTRIES_MAX: "5000" }).logTailEntries, 500, "one that was not set is a tenth");
  t.equal(loadConfig({ LOG_ENTRIES_MAX: "1000000" }).logTailEntries, 10_000, "and no more than ten thousand");
  t.equal(loadConfig({ LOG_ENTRIES_MAX: "5000", LOG_TAIL_ENTRIES: "4999" }).logTailEntries, 4999);
  t.end();
});

t.test("keys are never shown in a message, and a key with blanks or nothing in it is refused", (t) => {
  for (const name of ["API_KEYS", "ADMIN_API_KEYS"]) {
    for (const value of [
      "good,se cret",
      "good,",
      ",good",
      "good,se\tcret",
      `good,${"x".repeat(257)}`,
      "good,schlüssel",
    ]) {
      const { variable, message } = fault({ [name]: value });
      t.equal(variable, name);
      t.notMatch(message, /good|cret|xxx|schl/);
    }
  }
  t.strictSame(loadConfig({ API_KEYS: "one, two" }).apiKeys, ["one", "two"]);
  t.end();
});

t.test("heartbeats must fit three times into an election timeout", (t) => {
  t.equal(fault({ HEARTBEAT_MS: "101" }).variable, "HEARTBEAT_MS");
  t.equal(loadConfig({ HEARTBEAT_MS: "100" }).heartbeatMs, 100);
  t.end();
});

t.test("two listeners cannot share a port", (t) => {
  t.strictSame(fault({ PORT: "9090" }), {
    variable: "GRPC_PORT",
    message: "GRPC_PORT is 9090, like PORT; expected a port of its own.",
  });
  t.end();
});

t.test("the names of all variables are known to those who check deployment files", (t) => {
  t.equal(variableNames.length, 29);
  t.ok(variableNames.includes("PEERS"));
  t.end();
});
