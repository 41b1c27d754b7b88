import { DEFAULTS } from "../../../src/replica/options.js";
import { ALL_CLOCKS_LEAP } from "../faults/all-clocks-leap.js";
import { FAULTS } from "../faults/catalogue.js";
import { COMMANDS, READS } from "../operations/catalogue.js";
import { JUMPING, readablePrefix } from "../operations/prefixes.js";
import type { FaultStep, OperationStep, Plan } from "./plan.js";
import { Random } from "./random.js";

const CLIENTS = 6;
const SIZES = [
  { nodes: 3, weight: 12 },
  { nodes: 5, weight: 4 },
  { nodes: 1, weight: 1 },
  { nodes: 2, weight: 1 },
  { nodes: 4, weight: 1 },
] as const;
const ATTEMPTS_MAX = 6;
const HOUR_MS = 3_600_000;
const RUN_MS_MAX = 60_000;
/** Wall clocks begin on an ordinary day, or shortly before the first day of a month or a year. */
const ORDINARY_MS = Date.UTC(2027, 0, 15, 8);
const BOUNDARIES_MS = [Date.UTC(2027, 0, 15, 9), Date.UTC(2027, 2, 1), Date.UTC(2028, 0, 1)] as const;

export interface PlanOptions {
  readonly seed: number;
  /** Undefined: the seed decides. */
  readonly nodeCount?: number | undefined;
}

/** Draws a whole run by lot: the same seed, the same plan. */
export function planRun({ seed, nodeCount: wanted }: PlanOptions): Plan {
  const random = new Random(seed, "plan");
  const nodeCount = wanted ?? random.weighted(SIZES).nodes;
  const chaosMs = random.between(14_000, 20_000);
  const electionTimeoutMs = 300;
  const isDrifting = random.chance(0.5);
  const epochMs = random.chance(0.6) ? ORDINARY_MS : random.pick(BOUNDARIES_MS) - random.integer(0, 14_000);
  const settings = planSettings(random);
  const faults = planFaults(random, { nodeCount, chaosMs, electionTimeoutMs });
  const keysExpire =
    settings.idempotencyRetentionMs < RUN_MS_MAX || faults.some(({ kind }) => kind === ALL_CLOCKS_LEAP.name);
  return {
    seed,
    nodeCount,
    electionTimeoutMs,
    heartbeatMs: 50,
    chaosMs,
    weather: {
      blocked: false,
      loss: random.chance(0.2) ? 0.02 : 0,
      duplication: random.chance(0.2) ? 0.05 : 0,
      reordering: random.chance(0.2),
      delayMs: random.between(0.05, 1),
      jitterMs: random.chance(0.5) ? random.between(0, 0.5) : random.between(0, 10),
    },
    disk: {
      syncMs: random.between(0.05, 1),
      jitterMs: random.chance(0.5) ? random.between(0, 1) : random.between(0, 15),
    },
    busyChance: random.chance(0.5) ? 0.05 : 0.4,
    epochMs,
    clocks: Array.from({ length: nodeCount }, () => ({
      rate: isDrifting ? random.between(0.97, 1.03) : 1,
      offsetMs: Math.round(random.between(-800, 800)),
    })),
    log: planLog(random),
    sweep: random.chance(0.6) ? { everyMs: random.between(50, 1000), rowsMax: random.integer(1, 40) } : undefined,
    autoCreate: settings.autoCreate,
    keysExpire,
    faults,
    operations: [
      ...planSeeds(random, settings, nodeCount),
      ...planOperations(random, { nodeCount, chaosMs, epochMs }),
    ].map((step, place) => ({ ...step, id: place + 1 })),
  };
}

/** Mostly so little log that everybody who was away for a moment needs a snapshot. */
function planLog(random: Random): Plan["log"] {
  return {
    logEntriesMax: random.chance(0.75) ? random.integer(8, 90) : DEFAULTS.logEntriesMax,
    logBytesMax: random.chance(0.2) ? random.integer(2000, 50_000) : DEFAULTS.logBytesMax,
    logTailEntries: random.chance(0.3) ? 0 : random.integer(1, 40),
    snapshotBytesPerSecond: random.chance(0.5) ? DEFAULTS.snapshotBytesPerSecond : random.integer(80_000, 600_000),
    rowsDigestIntervalEntries: random.chance(0.5) ? random.integer(10, 100) : DEFAULTS.rowsDigestIntervalEntries,
  };
}

type SeedSettings = Readonly<Record<"idempotencyRetentionMs" | "idempotencyKeysMax", number>> & {
  readonly autoCreate: boolean;
};

/** What the nodes' environments say: the same on all of them, mostly the defaults. */
function planSettings(random: Random): SeedSettings {
  return {
    autoCreate: random.chance(0.85),
    idempotencyRetentionMs: random.chance(0.75) ? 24 * HOUR_MS : random.integer(100, 6000),
    idempotencyKeysMax: random.chance(0.9) ? 5_000_000 : random.integer(0, 60),
  };
}

/** Each node seeds the settings once it is up; one of another mind comes too late, or not. */
function planSeeds(random: Random, settings: SeedSettings, nodeCount: number): Omit<OperationStep, "id">[] {
  const seeds: Omit<OperationStep, "id">[] = [];
  for (let node = 1; node <= nodeCount; node++) {
    seeds.push({
      atMs: random.between(0, 2000),
      client: random.integer(1, CLIENTS),
      node,
      kind: "seed",
      prefix: "",
      key: "",
      attemptsMax: 5,
      deadlineMs: random.between(500, 3000),
      settings: { ...settings, idempotencyKeysMax: settings.idempotencyKeysMax + random.integer(0, 1) },
    });
  }
  return seeds;
}

function planFaults(
  random: Random,
  context: {
    readonly nodeCount: number;
    readonly chaosMs: number;
    readonly electionTimeoutMs: number;
  },
): FaultStep[] {
  const count = random.chance(0.05) ? 0 : random.integer(3, 30);
  // Each run has its own mixture, so that some see nothing but a few kinds, over and over.
  const kinds = FAULTS.map((kind) => ({
    kind,
    weight: random.chance(0.35) ? 0 : kind.weight * random.between(0.3, 3),
  }));
  if (kinds.every(({ weight }) => weight === 0)) return [];
  const faults: FaultStep[] = [];
  for (let place = 0; place < count; place++) {
    const { kind } = random.weighted(kinds);
    const settings = kind.plan(random, context);
    // Faults come in flocks: what strikes during an election is worth more than what strikes in peace.
    const previous = faults.at(-1)?.atMs;
    const atMs =
      previous !== undefined && random.chance(0.4)
        ? Math.min(previous + random.between(0, 700), context.chaosMs - 1)
        : random.between(100, context.chaosMs - 1);
    if (settings !== undefined) faults.push({ atMs, kind: kind.name, settings });
  }
  return faults.sort((a, b) => a.atMs - b.atMs);
}

function planOperations(
  random: Random,
  context: { readonly nodeCount: number; readonly chaosMs: number; readonly epochMs: number },
): Omit<OperationStep, "id">[] {
  const { nodeCount, chaosMs, epochMs } = context;
  const operations: Omit<OperationStep, "id">[] = [];
  const kinds = [...COMMANDS, ...READS];
  const pauseMs = random.between(25, 160);
  const call = (atMs: number): Pick<OperationStep, "atMs" | "client" | "node" | "deadlineMs" | "attemptsMax"> => ({
    atMs,
    client: random.integer(1, CLIENTS),
    node: random.integer(1, nodeCount),
    attemptsMax: 1,
    deadlineMs: random.chance(0.3) ? random.between(50, 500) : random.between(500, 3000),
  });
  for (let atMs = random.between(0, 800); atMs < chaosMs; atMs += random.between(0, 2 * pauseMs)) {
    // A burst now and then: many commands of several nodes in one entry.
    const burst = random.chance(0.06) ? random.integer(5, 30) : 1;
    for (let place = 0; place < burst; place++) {
      const kind = random.weighted(kinds);
      if ("linearizable" in kind) {
        operations.push({ ...call(atMs), kind: kind.name, prefix: readablePrefix(random), key: "", settings: {} });
        continue;
      }
      const prefix = kind.prefix(random);
      const settings = kind.plan(random, { prefix, epochMs });
      const key = kind.isKeyed && random.chance(0.5) ? `key-${operations.length + 1}` : "";
      const isRepeatable = key !== "" || (settings["documentRef"] ?? "") !== "";
      const attemptsMax = isRepeatable ? ATTEMPTS_MAX : 1;
      operations.push({ ...call(atMs), attemptsMax, kind: kind.name, prefix, key, settings });
    }
  }
  for (const prefix of JUMPING) {
    const settings = { newValue: random.integer(20_000, 90_000), force: false };
    operations.push({ ...call(random.between(1000, chaosMs)), kind: "reset", prefix, key: "", settings });
  }
  return operations;
}
