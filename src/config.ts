/** Configuration of one node, as ARCHITECTURE's contract of environment variables says. */
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
