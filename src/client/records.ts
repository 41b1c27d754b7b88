import type * as wire from "../generated/sequentialid/sequential_id.js";
import { FolioError } from "./error.js";

/** What the client's calls answer with. Counters are safe integers; times are RFC 3339 in UTC. */

export interface DrawnNumber {
  readonly fullNumber: string;
  readonly prefix: string;
  readonly counter: number;
  /** "" for a sequence that never resets. */
  readonly period: string;
  readonly generatedAt: string;
  readonly messageId: string;
  /** The answer of an earlier call with the same idempotency key. */
  readonly replayed: boolean;
}

export interface DrawnRange {
  readonly firstCounter: number;
  readonly lastCounter: number;
  readonly firstFullNumber: string;
  readonly lastFullNumber: string;
}

export interface DrawnBatch {
  /** Complete up to 10 000 numbers, empty above. */
  readonly fullNumbers: readonly string[];
  readonly prefix: string;
  readonly count: number;
  readonly firstCounter: number;
  readonly lastCounter: number;
  /** Always complete. */
  readonly ranges: readonly DrawnRange[];
  readonly period: string;
  readonly generatedAt: string;
  readonly batchId: string;
  readonly replayed: boolean;
}

export interface SequenceConfig {
  readonly prefix: string;
  /** "": prefix, separator and padded counter. */
  readonly template: string;
  readonly padding: number;
  readonly separator: string;
  readonly start: number;
  readonly step: number;
  readonly maximum: number;
  readonly resetRule: string;
  readonly timeZone: string;
  readonly fiscalYearStart: number;
  readonly scope: string;
  readonly isActive: boolean;
  readonly description: string;
  readonly version: number;
}

export interface SequenceStatus {
  readonly prefix: string;
  readonly currentCounter: number;
  /** undefined when the maximum is reached. */
  readonly nextCounter: number | undefined;
  /** undefined when the maximum is reached, and where the template shows what was not asked for (a site). */
  readonly nextFullNumber: string | undefined;
  readonly period: string;
  readonly totalGenerated: number;
  /** undefined before the first draw. */
  readonly lastGenerated: string | undefined;
  readonly isActive: boolean;
  readonly config: SequenceConfig;
  readonly clusterHealthy: boolean;
  readonly servedBy: number;
  /** undefined while no leader is known. */
  readonly leaderId: number | undefined;
  readonly appliedIndex: number;
}

export interface ResetOutcome {
  readonly oldValue: number;
  readonly newValue: number;
  readonly message: string;
}

export interface NodeHealth {
  readonly serving: boolean;
  readonly message: string;
  readonly details: Readonly<Record<string, string>>;
}

/** A counter that a number cannot hold exactly must not be passed on. */
function counterOf(value: bigint, field: string): number {
  const counter = Number(value);
  if (Number.isSafeInteger(counter)) return counter;
  throw new FolioError("INTERNAL_ERROR", `the answer's ${field} is not a safe integer: ${value}`, { field });
}

export function drawnNumberOf(response: wire.GetNextResponse): DrawnNumber {
  return { ...response, counter: counterOf(response.counter, "counter") };
}

export function drawnBatchOf(response: wire.GetNextBatchResponse): DrawnBatch {
  return {
    fullNumbers: response.fullNumbers,
    prefix: response.prefix,
    count: response.count,
    firstCounter: counterOf(response.startCounter, "start_counter"),
    lastCounter: counterOf(response.endCounter, "end_counter"),
    ranges: response.ranges.map((range) => ({
      ...range,
      firstCounter: counterOf(range.firstCounter, "first_counter"),
      lastCounter: counterOf(range.lastCounter, "last_counter"),
    })),
    period: response.period,
    generatedAt: response.generatedAt,
    batchId: response.batchId,
    replayed: response.replayed,
  };
}

export function sequenceConfigOf(config: wire.ConfigInfo | undefined): SequenceConfig {
  if (config === undefined) throw new FolioError("INTERNAL_ERROR", "the answer lacks its config", { field: "config" });
  return {
    prefix: config.prefix ?? "",
    template: config.format ?? "",
    padding: config.padding ?? 0,
    separator: config.separator ?? "",
    start: counterOf(config.initialValue ?? 0n, "initial_value"),
    step: counterOf(config.step ?? 1n, "step"),
    maximum: counterOf(config.maxValue ?? 0n, "max_value"),
    resetRule: config.resetRule ?? "",
    timeZone: config.timeZone ?? "",
    fiscalYearStart: config.fiscalYearStart ?? 1,
    scope: config.scope ?? "",
    isActive: config.isActive ?? false,
    description: config.description ?? "",
    version: counterOf(config.version ?? 0n, "version"),
  };
}

export function sequenceStatusOf(response: wire.GetStatusResponse): SequenceStatus {
  // A number that cannot be written without its site is no end: only the text is missing then.
  const exhausted = response.nextFullNumber === "" && response.nextCounter === 0n;
  return {
    prefix: response.prefix,
    currentCounter: counterOf(response.currentCounter, "current_counter"),
    nextCounter: exhausted ? undefined : counterOf(response.nextCounter, "next_counter"),
    nextFullNumber: response.nextFullNumber === "" ? undefined : response.nextFullNumber,
    period: response.period,
    totalGenerated: counterOf(response.totalGenerated, "total_generated"),
    lastGenerated: response.lastGenerated === "" ? undefined : response.lastGenerated,
    isActive: response.isActive,
    config: sequenceConfigOf(response.config),
    clusterHealthy: response.clusterHealthy,
    servedBy: counterOf(response.servedBy, "served_by"),
    leaderId: response.leaderId === 0n ? undefined : counterOf(response.leaderId, "leader_id"),
    appliedIndex: counterOf(response.appliedIndex, "applied_index"),
  };
}

export function resetOutcomeOf(response: wire.ResetCounterResponse): ResetOutcome {
  return {
    oldValue: counterOf(response.oldValue, "old_value"),
    newValue: counterOf(response.newValue, "new_value"),
    message: response.message,
  };
}
