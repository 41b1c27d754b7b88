import { networkInterfaces } from "node:os";
import { envSchema } from "env-schema";
import { type Static, type TSchema, Type } from "typebox";
import {
  ConfigError,
  type Founder,
  type Interfaces,
  nodeIdMax,
  ownAddress,
  parseJoin,
  parseKeys,
  parsePeers,
  quoted,
} from "./config-values.js";

/** Configuration of one node, by environment variables (README.md, Configuration). */
export interface Config {
  /** "auto": the leader of the cluster that this node joins assigns it. */
  readonly nodeId: number | "auto";
  readonly host: string;
  readonly advertiseAddress: string;
  readonly port: number;
  readonly grpcPort: number;
  readonly peerPort: number;
  /** The founding members; empty where the node joins. */
  readonly peers: readonly Founder[];
  /** Peer addresses of the cluster to join, host:port; empty where the node is a founder. */
  readonly join: readonly string[];
  /** A node that joins becomes a voter once it has caught up. */
  readonly voter: boolean;
  /** A learner that is told to stop gives its seat up. */
  readonly leave: boolean;
  readonly dataDir: string;
  readonly logLevel: string;
  readonly apiKeys: readonly string[];
  readonly adminApiKeys: readonly string[];
  readonly rateLimitEnabled: boolean;
  readonly rateLimitMax: number;
  readonly rateLimitWindowMs: number;
  readonly requestDeadlineMs: number;
  readonly electionTimeoutMs: number;
  readonly heartbeatMs: number;
  readonly maxClockSkewMs: number;
  /** The log is cut when it holds more than that below the durable checkpoint, by entries or by bytes, */
  readonly logEntriesMax: number;
  readonly logBytesMax: number;
  /** and this many entries are kept for slow followers. */
  readonly logTailEntries: number;
  readonly snapshotBytesPerSecond: number;
  /** 0: never. */
  readonly scrubIntervalHours: number;
  readonly autoCreate: boolean;
  readonly idempotencyRetentionHours: number;
  readonly idempotencyKeysMax: number;
}

/** Of a node whose id is known: given, or assigned by the cluster that it joined. */
export type NodeConfig = Config & { readonly nodeId: number };

const millisecondsMax = 3_600_000;
const mebibyte = 1_048_576;

interface Described {
  /** What a reader should have written; ends the sentence of a ConfigError. */
  readonly description: string;
  /** JSON Schema's. */
  readonly type?: string;
}

function described<Schema extends TSchema>(schema: Schema, description: string): Schema & Described {
  return Object.assign(schema, { description });
}

function integer(minimum: number, maximum: number, preset: number) {
  return described(Type.Integer({ minimum, maximum, default: preset }), `a whole number from ${minimum} to ${maximum}`);
}

function port(preset: number) {
  return described(
    Type.Integer({ minimum: 0, maximum: 65_535, default: preset }),
    "a port from 1 to 65535 (or 0 for any free one)",
  );
}

function flag(preset: boolean) {
  return described(Type.Boolean({ default: preset }), "true or false");
}

function optional(pattern: string, description: string) {
  return described(Type.Optional(Type.String({ pattern })), description);
}

const logLevels = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;
const addressPattern = "^[^\\s,=/]+$";

/** Every variable that a node reads; what is not here is not looked at. */
const environmentSchema = Type.Object(
  {
    NODE_ID: described(
      Type.String({ pattern: "^(auto|[1-9][0-9]{0,4})$", default: "1" }),
      `a whole number from 1 to ${nodeIdMax}, or auto where JOIN is given`,
    ),
    HOST: described(Type.String({ pattern: addressPattern, default: "127.0.0.1" }), "a host name or address"),
    ADVERTISE_ADDRESS: optional(addressPattern, "a host name or address without a port, or auto"),
    PORT: port(8080),
    GRPC_PORT: port(9090),
    PEER_PORT: port(7070),
    PEERS: optional("\\S", "id=host:port, comma-separated"),
    JOIN: described(Type.String({ default: "" }), "peer addresses as host:port, comma-separated"),
    VOTER: flag(true),
    LEAVE: flag(false),
    DATA_DIR: optional("\\S", "a folder"),
    LOG_LEVEL: described(Type.Enum(logLevels, { default: "info" }), `one of ${logLevels.join(", ")}`),
    API_KEYS: described(Type.String({ default: "" }), "comma-separated keys"),
    ADMIN_API_KEYS: described(Type.String({ default: "" }), "comma-separated keys"),
    RATE_LIMIT_ENABLED: flag(false),
    RATE_LIMIT_MAX: integer(1, 1_000_000_000, 1000),
    RATE_LIMIT_WINDOW_MS: integer(1, 24 * millisecondsMax, 1000),
    REQUEST_DEADLINE_MS: integer(1, millisecondsMax, 10_000),
    ELECTION_TIMEOUT_MS: integer(3, millisecondsMax, 300),
    HEARTBEAT_MS: integer(1, millisecondsMax, 50),
    MAX_CLOCK_SKEW_MS: integer(1, millisecondsMax, 2000),
    LOG_ENTRIES_MAX: integer(100, 1_000_000_000, 100_000),
    LOG_BYTES_MAX: integer(mebibyte, 2 ** 40, 128 * mebibyte),
    LOG_TAIL_ENTRIES: described(
      Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000_000 })),
      "a whole number from 0 to 1000000000",
    ),
    // A chunk may be a single row of a mebibyte, and a receiver gives up after ten seconds without one: at less than this,
    // two snapshots and two backups at once would come too close to that.
    SNAPSHOT_BYTES_PER_SECOND: integer(mebibyte, 2 ** 40, 32 * mebibyte),
    SCRUB_INTERVAL_HOURS: integer(0, 500, 24),
    AUTO_CREATE: flag(true),
    IDEMPOTENCY_RETENTION_HOURS: integer(1, 100 * 366 * 24, 24),
    IDEMPOTENCY_KEYS_MAX: integer(1, 1_000_000_000, 5_000_000),
  },
  { additionalProperties: false },
);

type Environment = Static<typeof environmentSchema>;
type VariableName = keyof Environment;

/** The names of all variables that `loadConfig` reads. */
export const variableNames = Object.keys(environmentSchema.properties) as readonly VariableName[];

function refused(name: VariableName, env: NodeJS.ProcessEnv): ConfigError {
  const schema: Described = environmentSchema.properties[name];
  return new ConfigError(name, `${name} is ${quoted(env[name] ?? "")}; expected ${schema.description}.`);
}

const wholeNumber = /^-?\d{1,15}$/;

/** What was given, by name. The schema's own coercion would take "Infinity", "1e3" and blanks for numbers. */
function givenVariables(env: NodeJS.ProcessEnv): Record<string, string> {
  const given: Record<string, string> = {};
  for (const name of variableNames) {
    const value = env[name];
    // An empty variable means the default, as `FOO=${FOO:-}` in a compose file intends.
    if (value === undefined || value === "") continue;
    const schema: Described = environmentSchema.properties[name];
    if (schema.type === "integer" && !wholeNumber.test(value)) throw refused(name, env);
    given[name] = value;
  }
  return given;
}

function parseVariables(env: NodeJS.ProcessEnv): Environment {
  const data = givenVariables(env);
  try {
    return envSchema<Environment>({ schema: environmentSchema, data, env: false });
  } catch (error) {
    const path = (error as { readonly errors?: readonly { readonly instancePath: string }[] }).errors?.[0]
      ?.instancePath;
    const name = variableNames.find((candidate) => path === `/${candidate}`);
    throw name === undefined ? error : refused(name, env);
  }
}

function parseNodeId(text: string, env: NodeJS.ProcessEnv): Config["nodeId"] {
  if (text === "auto") return "auto";
  if (Number(text) > nodeIdMax) throw refused("NODE_ID", env);
  return Number(text);
}

const presetPeers = "1=127.0.0.1:7070";
/** What a listener binds to in order to be reached by any address is none of them. */
const wildcards: readonly string[] = ["0.0.0.0", "::"];

/** A node either founds a cluster with the others in PEERS, or joins one that runs. */
function checkFounder(config: Config, variables: Environment): void {
  const fault = (variable: VariableName, message: string) => new ConfigError(variable, message);
  if (config.nodeId === "auto") {
    throw fault("NODE_ID", "NODE_ID is auto, but JOIN is empty; expected a number: nobody could assign one.");
  }
  if (!config.peers.some((peer) => peer.id === config.nodeId)) {
    const ids = config.peers.map((peer) => peer.id).join(", ");
    throw fault("NODE_ID", `NODE_ID is ${config.nodeId}; expected one of the ids in PEERS (${ids}).`);
  }
  if (!variables.VOTER) {
    throw fault("VOTER", "VOTER is false, but JOIN is empty; expected true: the founders of a cluster are its voters.");
  }
  if (config.leave) {
    throw fault("LEAVE", "LEAVE is true, but JOIN is empty; expected false: a founder could not come back.");
  }
}

function checkJoiner(config: Config, variables: Environment): void {
  const fault = (variable: VariableName, message: string) => new ConfigError(variable, message);
  if (variables.PEERS !== undefined) {
    throw fault(
      "PEERS",
      `PEERS is ${quoted(variables.PEERS)} although JOIN is given; expected one of them: ` +
        "PEERS founds a cluster, JOIN joins one that runs.",
    );
  }
  if (config.nodeId === "auto" && variables.DATA_DIR === undefined) {
    throw fault("DATA_DIR", "DATA_DIR is empty, but NODE_ID is auto; expected a folder: its default has the id in it.");
  }
  if (config.leave && config.voter) {
    throw fault("LEAVE", "LEAVE is true, but so is VOTER; expected VOTER=false: only learners come and go.");
  }
  if (wildcards.includes(config.advertiseAddress)) {
    throw fault(
      "ADVERTISE_ADDRESS",
      `ADVERTISE_ADDRESS is ${config.advertiseAddress} (like HOST); expected the address that others reach this node by, or auto.`,
    );
  }
  if (config.peerPort === 0) {
    throw fault("PEER_PORT", "PEER_PORT is 0, but JOIN is given; expected a port that the others can be told.");
  }
}

/** Of a log that may hold little, most is cut: a tail that nobody has set never stands against what somebody has. */
function presetTail(logEntriesMax: number): number {
  return Math.min(10_000, Math.floor(logEntriesMax / 10));
}

function checkTogether(config: Config): void {
  if (config.heartbeatMs * 3 > config.electionTimeoutMs) {
    throw new ConfigError(
      "HEARTBEAT_MS",
      `HEARTBEAT_MS is ${config.heartbeatMs}; expected at most a third of ELECTION_TIMEOUT_MS (${config.electionTimeoutMs}), ` +
        "so that one lost heartbeat does not start an election.",
    );
  }
  if (config.logTailEntries >= config.logEntriesMax) {
    throw new ConfigError(
      "LOG_TAIL_ENTRIES",
      `LOG_TAIL_ENTRIES is ${config.logTailEntries}; expected less than LOG_ENTRIES_MAX (${config.logEntriesMax}), ` +
        "so that there is something to cut.",
    );
  }
  const ports = { PORT: config.port, GRPC_PORT: config.grpcPort, PEER_PORT: config.peerPort };
  const taken = new Map<number, string>();
  for (const [name, value] of Object.entries(ports)) {
    const other = taken.get(value);
    if (value !== 0 && other !== undefined) {
      throw new ConfigError(name, `${name} is ${value}, like ${other}; expected a port of its own.`);
    }
    taken.set(value, name);
  }
}

function advertised(variables: Environment, interfaces: () => Interfaces): string {
  if (variables.ADVERTISE_ADDRESS === "auto") return ownAddress(interfaces());
  return variables.ADVERTISE_ADDRESS ?? variables.HOST;
}

/**
 * Reads a node's configuration from environment variables; all others are ignored.
 *
 * @param interfaces what ADVERTISE_ADDRESS=auto chooses from; those of this machine unless a test says otherwise
 * @throws ConfigError for the first variable that cannot be parsed or contradicts another.
 */
export function loadConfig(env: NodeJS.ProcessEnv, interfaces: () => Interfaces = networkInterfaces): Config {
  const variables = parseVariables(env);
  const join = parseJoin(variables.JOIN);
  const config: Config = {
    nodeId: parseNodeId(variables.NODE_ID, env),
    host: variables.HOST,
    advertiseAddress: advertised(variables, interfaces),
    port: variables.PORT,
    grpcPort: variables.GRPC_PORT,
    peerPort: variables.PEER_PORT,
    peers: join.length > 0 ? [] : parsePeers(variables.PEERS ?? presetPeers),
    join,
    voter: variables.VOTER,
    leave: variables.LEAVE,
    dataDir: variables.DATA_DIR ?? `./data/node-${variables.NODE_ID}`,
    logLevel: variables.LOG_LEVEL,
    apiKeys: parseKeys("API_KEYS", variables.API_KEYS),
    adminApiKeys: parseKeys("ADMIN_API_KEYS", variables.ADMIN_API_KEYS),
    rateLimitEnabled: variables.RATE_LIMIT_ENABLED,
    rateLimitMax: variables.RATE_LIMIT_MAX,
    rateLimitWindowMs: variables.RATE_LIMIT_WINDOW_MS,
    requestDeadlineMs: variables.REQUEST_DEADLINE_MS,
    electionTimeoutMs: variables.ELECTION_TIMEOUT_MS,
    heartbeatMs: variables.HEARTBEAT_MS,
    maxClockSkewMs: variables.MAX_CLOCK_SKEW_MS,
    logEntriesMax: variables.LOG_ENTRIES_MAX,
    logBytesMax: variables.LOG_BYTES_MAX,
    logTailEntries: variables.LOG_TAIL_ENTRIES ?? presetTail(variables.LOG_ENTRIES_MAX),
    snapshotBytesPerSecond: variables.SNAPSHOT_BYTES_PER_SECOND,
    scrubIntervalHours: variables.SCRUB_INTERVAL_HOURS,
    autoCreate: variables.AUTO_CREATE,
    idempotencyRetentionHours: variables.IDEMPOTENCY_RETENTION_HOURS,
    idempotencyKeysMax: variables.IDEMPOTENCY_KEYS_MAX,
  };
  if (join.length > 0) checkJoiner(config, variables);
  else checkFounder(config, variables);
  checkTogether(config);
  return config;
}
