/** What apply reads beside the sequences: replicated, seeded once (SeedSettings). */
export interface Settings {
  /** Unknown prefixes come to life with the defaults. */
  readonly autoCreate: boolean;
  readonly idempotencyRetentionMs: number;
  /** Keys that are remembered at one time, over all sequences. */
  readonly idempotencyKeysMax: number;
}

const HOUR_MS = 3_600_000;
export const RETENTION_MS_MAX = 366 * 24 * HOUR_MS;
export const KEYS_MAX = 1_000_000_000;

/** In force until somebody seeds; the defaults of the environment variables, too. */
export const DEFAULT_SETTINGS: Settings = {
  autoCreate: true,
  idempotencyRetentionMs: 24 * HOUR_MS,
  idempotencyKeysMax: 5_000_000,
};
