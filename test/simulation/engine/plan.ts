import type { ReplicaOptions } from "../../../src/replica/options.js";
import type { LinkWeather } from "./network.js";

/** One fault, as data: what it does is in faults/<kind>.ts. */
export interface FaultStep {
  readonly atMs: number;
  readonly kind: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

export type OperationKind = "draw" | "batch" | "reset" | "configure" | "seed" | "status" | "localStatus";

/** One call of a client, as data: what it sends is in operations/<kind>.ts. */
export interface OperationStep {
  readonly id: number;
  readonly atMs: number;
  readonly client: number;
  readonly node: number;
  readonly kind: OperationKind;
  readonly prefix: string;
  /** Empty: none. */
  readonly key: string;
  readonly deadlineMs: number;
  /** How often the call is made at most: more than once only where repeating it is safe. */
  readonly attemptsMax: number;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Everything a run is made of besides its residual chance; made from the seed alone. */
export interface Plan {
  readonly seed: number;
  readonly nodeCount: number;
  readonly electionTimeoutMs: number;
  readonly heartbeatMs: number;
  /** Faults and clients act until then. */
  readonly chaosMs: number;
  readonly weather: LinkWeather;
  /** How long a synced write takes: at least, and more at most. */
  readonly disk: { readonly syncMs: number; readonly jitterMs: number };
  /** How likely a node is to be busy when input arrives, so that more of it is handled together. */
  readonly busyChance: number;
  /** What all wall clocks show at the beginning, but for their offsets; ms since 1970. */
  readonly epochMs: number;
  readonly clocks: readonly { readonly rate: number; readonly offsetMs: number }[];
  /** When a node cuts its log, how fast it sends snapshots, and how often rows are compared. */
  readonly log: Required<
    Pick<
      ReplicaOptions,
      "logEntriesMax" | "logBytesMax" | "logTailEntries" | "snapshotBytesPerSecond" | "rowsDigestIntervalEntries"
    >
  >;
  /** Expired idempotency keys are deleted so often, so many rows at once; undefined: never. */
  readonly sweep: { readonly everyMs: number; readonly rowsMax: number } | undefined;
  /** Prefixes come to life with the first draw; otherwise they are configured first. */
  readonly autoCreate: boolean;
  /** Keys may be forgotten within the run: a repeated call may then draw again. */
  readonly keysExpire: boolean;
  readonly faults: readonly FaultStep[];
  readonly operations: readonly OperationStep[];
}
