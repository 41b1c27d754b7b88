import { envSchema } from "env-schema";
import { type Static, type TSchema, Type } from "typebox";

/** Configuration of one node, by environment variables (README.md, Configuration). */
export interface Config {
  readonly nodeId: number;
  readonly host: string;
  readonly advertiseAddress: string;
  readonly port: number;
  readonly grpcPort: number;
  readonly peerPort: number;
  readonly peers: readonly { readonly id: number; readonly address: string }[];
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
  readonly autoCreate: boolean;
  readonly idempotencyRetentionHours: number;
  readonly idempotencyKeysMax: number;
}

/** A variable that does not make sense. The message is one sentence that names it; it stops the start. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  constructor(
    readonly variable: string,
    message: string,
  ) {
    super(message);
  }
}

const nodeIdMax = 65_535;
const millisecondsMax = 3_600_000;

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
    NODE_ID: integer(1, nodeIdMax, 1),
    HOST: described(Type.String({ pattern: addressPattern, default: "127.0.0.1" }), "a host name or address"),
    ADVERTISE_ADDRESS: optional(addressPattern, "a host name or address, without a port"),
    PORT: port(8080),
    GRPC_PORT: port(9090),
    PEER_PORT: port(7070),
    PEERS: described(Type.String({ default: "1=127.0.0.1:7070" }), "id=host:port, comma-separated"),
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

function quoted(value: string): string {
  return JSON.stringify(value);
}

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

const peerPattern = /^(?<id>[1-9]\d{0,4})=(?<address>(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(?<port>[1-9]\d{0,4}))$/;

function parsePeer(value: string): { id: number; address: string } {
  const groups = peerPattern.exec(value)?.groups;
  const id = Number(groups?.["id"]);
  const address = groups?.["address"];
  if (address === undefined || id > nodeIdMax || Number(groups?.["port"]) > 65_535) {
    throw new ConfigError(
      "PEERS",
      `PEERS holds ${quoted(value)}; expected id=host:port, comma-separated, such as 1=10.0.0.1:7070,2=10.0.0.2:7070.`,
    );
  }
  return { id, address };
}

function parsePeers(value: string): Config["peers"] {
  const peers = value.split(",").map((part) => parsePeer(part.trim()));
  for (const key of ["id", "address"] as const) {
    const twice = peers.find((peer, place) => peers.findIndex((other) => other[key] === peer[key]) < place);
    if (twice !== undefined) {
      throw new ConfigError("PEERS", `PEERS names the ${key} ${twice[key]} twice; expected each member once.`);
    }
  }
  return peers;
}

const keyPattern = /^[\x21-\x7e]{1,256}$/;

/** The message tells where a key is wrong and never shows it: messages end up in logs. */
function parseKeys(name: "API_KEYS" | "ADMIN_API_KEYS", value: string): readonly string[] {
  if (value === "") return [];
  const keys = value.split(",").map((key) => key.trim());
  const wrong = keys.findIndex((key) => !keyPattern.test(key));
  if (wrong >= 0) {
    throw new ConfigError(
      name,
      `${name} holds ${keys.length} comma-separated keys of which number ${wrong + 1} is empty, too long or has blanks; ` +
        "expected 1 to 256 printable ASCII characters each.",
    );
  }
  return keys;
}

function checkTogether(config: Config): void {
  if (!config.peers.some((peer) => peer.id === config.nodeId)) {
    const ids = config.peers.map((peer) => peer.id).join(", ");
    throw new ConfigError("NODE_ID", `NODE_ID is ${config.nodeId}; expected one of the ids in PEERS (${ids}).`);
  }
  if (config.heartbeatMs * 3 > config.electionTimeoutMs) {
    throw new ConfigError(
      "HEARTBEAT_MS",
      `HEARTBEAT_MS is ${config.heartbeatMs}; expected at most a third of ELECTION_TIMEOUT_MS (${config.electionTimeoutMs}), ` +
        "so that one lost heartbeat does not start an election.",
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

/**
 * Reads a node's configuration from environment variables; all others are ignored.
 *
 * @throws ConfigError for the first variable that cannot be parsed or contradicts another.
 */
export function loadConfig(env: NodeJS.ProcessEnv): Config {
  const variables = parseVariables(env);
  const config: Config = {
    nodeId: variables.NODE_ID,
    host: variables.HOST,
    advertiseAddress: variables.ADVERTISE_ADDRESS ?? variables.HOST,
    port: variables.PORT,
    grpcPort: variables.GRPC_PORT,
    peerPort: variables.PEER_PORT,
    peers: parsePeers(variables.PEERS),
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
    autoCreate: variables.AUTO_CREATE,
    idempotencyRetentionHours: variables.IDEMPOTENCY_RETENTION_HOURS,
    idempotencyKeysMax: variables.IDEMPOTENCY_KEYS_MAX,
  };
  checkTogether(config);
  return config;
}
