import type * as wire from "../generated/sequentialid/sequential_id.js";
import { FolioError } from "./error.js";

/** Options that every call takes. */
export interface CallOptions {
  /** For the whole call with all its attempts; the client's deadline if absent. */
  readonly deadlineMs?: number;
  /** Named in the nodes' logs and in the journal; made up if absent. */
  readonly requestId?: string;
}

export interface ScopeOptions {
  readonly site?: string;
  readonly partition?: string;
  readonly documentType?: string;
}

export interface DrawOptions extends CallOptions, ScopeOptions {
  readonly clientId?: string;
  readonly correlationId?: string;
  readonly generatedBy?: string;
  /** YYYY-MM-DD. */
  readonly documentDate?: string;
  readonly documentRef?: string;
  /**
   * The same key and request give the same answer. Absent: a key made up for this call, which makes its repetitions
   * safe. "": none; then a draw whose fate is unknown is not repeated.
   */
  readonly idempotencyKey?: string;
}

export interface BatchOptions extends DrawOptions {
  /** One range, past the pool; the default. */
  readonly contiguous?: boolean;
}

export interface StatusOptions extends CallOptions, ScopeOptions {
  readonly consistency?: "linearizable" | "local";
}

export interface ResetOptions extends CallOptions, ScopeOptions {
  readonly reason: string;
  /** Also where numbers that were issued would be handed out again. */
  readonly force?: boolean;
  readonly expectedVersion?: number;
  /** The current period if absent. */
  readonly period?: string;
  readonly clientId?: string;
  readonly correlationId?: string;
}

export interface ConfigChange {
  readonly template?: string;
  readonly padding?: number;
  readonly separator?: string;
  readonly start?: number;
  readonly step?: number;
  readonly maximum?: number;
  readonly resetRule?: string;
  readonly timeZone?: string;
  readonly fiscalYearStart?: number;
  readonly scope?: string;
  readonly isActive?: boolean;
  readonly description?: string;
}

export interface UpdateOptions extends CallOptions {
  /** Refused with PRECONDITION_FAILED when another version is in force. */
  readonly expectedVersion?: number;
  readonly clientId?: string;
  readonly correlationId?: string;
}

/** A number on its way into an int64 field: BigInt() of a fraction would throw a nameless RangeError. */
function int64(value: number, field: string): bigint {
  if (Number.isSafeInteger(value)) return BigInt(value);
  throw new FolioError("VALIDATION_ERROR", `${field} must be an integer of at most 2^53-1`, { field });
}

function optionalInt64(value: number | undefined, field: string): bigint | undefined {
  return value === undefined ? undefined : int64(value, field);
}

/** An int32 field. What the range of the value is, the node decides; that it fits the field, we do. */
function int32(value: number, field: string): number {
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 31) return value;
  throw new FolioError("VALIDATION_ERROR", `${field} must be an integer of at most 2^31-1`, { field });
}

function optionalInt32(value: number | undefined, field: string): number | undefined {
  return value === undefined ? undefined : int32(value, field);
}

/**
 * On the wire text is Unicode: half a surrogate pair would arrive as U+FFFD, and two documents as one.
 * @throws FolioError VALIDATION_ERROR
 */
export function requireUnicode(request: object): void {
  for (const [name, value] of Object.entries(request)) {
    if (typeof value === "object" && value !== null) requireUnicode(value);
    if (typeof value !== "string" || !/\p{Surrogate}/u.test(value)) continue;
    const field = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    throw new FolioError("VALIDATION_ERROR", `${field} must be Unicode text, without half surrogate pairs`, { field });
  }
}

export function nextRequest(prefix: string, options: DrawOptions, key: string): wire.GetNextRequest {
  return {
    prefix,
    clientId: options.clientId ?? "",
    correlationId: options.correlationId ?? "",
    idempotencyKey: key,
    generatedBy: options.generatedBy ?? "",
    site: options.site ?? "",
    partition: options.partition ?? "",
    documentType: options.documentType ?? "",
    documentDate: options.documentDate ?? "",
    documentRef: options.documentRef ?? "",
  };
}

export function batchRequest(
  prefix: string,
  count: number,
  options: BatchOptions,
  key: string,
): wire.GetNextBatchRequest {
  return { ...nextRequest(prefix, options, key), count: int32(count, "count"), contiguous: options.contiguous };
}

export function statusRequest(prefix: string, options: StatusOptions): wire.GetStatusRequest {
  return {
    prefix,
    consistency: options.consistency ?? "",
    site: options.site ?? "",
    partition: options.partition ?? "",
    documentType: options.documentType ?? "",
  };
}

export function resetRequest(prefix: string, newValue: number, options: ResetOptions): wire.ResetCounterRequest {
  return {
    prefix,
    newValue: int64(newValue, "new_value"),
    reason: options.reason,
    clientId: options.clientId ?? "",
    correlationId: options.correlationId ?? "",
    force: options.force ?? false,
    expectedVersion: optionalInt64(options.expectedVersion, "expected_version"),
    scope: {
      site: options.site ?? "",
      partition: options.partition ?? "",
      documentType: options.documentType ?? "",
      period: options.period ?? "",
    },
  };
}

export function updateRequest(prefix: string, change: ConfigChange, options: UpdateOptions): wire.UpdateConfigRequest {
  return {
    clientId: options.clientId ?? "",
    correlationId: options.correlationId ?? "",
    config: {
      prefix,
      format: change.template,
      padding: optionalInt32(change.padding, "padding"),
      separator: change.separator,
      initialValue: optionalInt64(change.start, "initial_value"),
      maxValue: optionalInt64(change.maximum, "max_value"),
      isActive: change.isActive,
      description: change.description,
      resetRule: change.resetRule,
      timeZone: change.timeZone,
      version: optionalInt64(options.expectedVersion, "version"),
      step: optionalInt64(change.step, "step"),
      scope: change.scope,
      fiscalYearStart: optionalInt32(change.fiscalYearStart, "fiscal_year_start"),
    },
  };
}
