/**
 * How many idempotency keys are remembered, in buckets by the hour of their expiry: whole hours
 * are forgotten at once, by entry time, so every node counts the same whatever it has deleted
 * from its disk. Keys that expired within the current hour still count.
 */
export interface KeyUsage {
  /** Hours since the epoch -> keys that expire in that hour. */
  readonly buckets: Map<number, number>;
  total: number;
  /** Buckets before this hour are forgotten. */
  hour: number;
}

const HOUR_MS = 3_600_000;

export function emptyKeyUsage(): KeyUsage {
  return { buckets: new Map(), total: 0, hour: 0 };
}

/** Forgets the buckets that lie wholly in the past: whether it changed anything. Costs nothing within one hour. */
export function forgetExpired(usage: KeyUsage, time: number): boolean {
  const hour = Math.floor(time / HOUR_MS);
  if (hour <= usage.hour) return false;
  usage.hour = hour;
  for (const [bucket, count] of usage.buckets) {
    if (bucket >= hour) continue;
    usage.buckets.delete(bucket);
    usage.total -= count;
  }
  return true;
}

export function countKey(usage: KeyUsage, expiresAt: number): void {
  const bucket = Math.floor(expiresAt / HOUR_MS);
  usage.buckets.set(bucket, (usage.buckets.get(bucket) ?? 0) + 1);
  usage.total++;
}
