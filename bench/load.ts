import { build, type Histogram } from "hdr-histogram-js";

/** What a load generator is asked to do: closed loop, so many requests under way at any time. */
export interface LoadPlan {
  readonly host: string;
  readonly port: number;
  /** The sequence to draw from. */
  readonly prefix: string;
  readonly inFlight: number;
  readonly seconds: number;
  /** Every draw has an idempotency key of its own, as a client's that may repeat it. REST only. */
  readonly isKeyed?: boolean;
}

export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

export interface LoadOutcome {
  /** Answered with success. */
  readonly acknowledged: number;
  /** Answered with an error, or not at all; what was under way at the end is not among them. */
  readonly failed: number;
  /** Of how many nobody knows whether they were executed: under way at the end, or failed. */
  readonly unknownMax: number;
  readonly seconds: number;
  readonly latencyMs: Percentiles;
}

/** Something that draws numbers as fast as it gets answers. */
export interface LoadGenerator {
  readonly name: string;
  readonly protocol: "rest" | "grpc";
  run(plan: LoadPlan): Promise<LoadOutcome>;
}

export const clientId = "bench";

/** Microseconds up to a minute, to three digits. */
export function latencyHistogram(): Histogram {
  return build({ lowestDiscernibleValue: 1, highestTrackableValue: 60_000_000, numberOfSignificantValueDigits: 3 });
}

export function percentilesOf(histogramUs: Histogram): Percentiles {
  const at = (percentile: number): number => histogramUs.getValueAtPercentile(percentile) / 1000;
  return { p50: at(50), p95: at(95), p99: at(99), max: histogramUs.maxValue / 1000 };
}
