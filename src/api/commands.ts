import type { Configure, Draw, Provenance, Reset, ScopeValues } from "../sequence/command.js";
import type { DefinitionChange } from "../sequence/definition.js";
import { isDay } from "./calendar-day.js";
import { invalidField } from "./problem.js";
import { DAY_EXPECTED } from "./request-fields.js";
import { expandZone } from "./zone-transitions.js";

/**
 * Typed commands from validated requests: the one place where a request of either edge becomes
 * what the log carries. Absent and empty mean the same for every text.
 */

/** Who the edge found the caller to be. */
export interface Caller {
  readonly principal: string;
  readonly requestId: string;
}

interface AuthorFields {
  readonly clientId?: string | undefined;
  readonly generatedBy?: string | undefined;
  readonly correlationId?: string | undefined;
}

export interface ScopeFields {
  readonly site?: string | undefined;
  readonly partition?: string | undefined;
  readonly documentType?: string | undefined;
}

export interface DrawFields extends AuthorFields, ScopeFields {
  readonly prefix: string;
  readonly documentDate?: string | undefined;
  readonly documentRef?: string | undefined;
  readonly idempotencyKey?: string | undefined;
}

export interface BatchFields extends DrawFields {
  /** 1 to COUNT_MAX. */
  readonly count: number;
  readonly contiguous: boolean;
}

export interface ResetFields extends AuthorFields, ScopeFields {
  readonly prefix: string;
  readonly newValue: number;
  readonly reason: string;
  readonly force?: boolean | undefined;
  readonly expectedVersion?: number | undefined;
  readonly period?: string | undefined;
}

export interface ConfigureFields extends AuthorFields {
  readonly prefix: string;
  /** Without zoneTransitions: they come from timeZone here. */
  readonly change: Omit<DefinitionChange, "zoneTransitions">;
  readonly expectedVersion?: number | undefined;
  /** Only if the prefix has no definition yet; false by default. */
  readonly ifAbsent?: boolean | undefined;
}

export function drawCommand(fields: DrawFields, caller: Caller): Draw {
  return draw(fields, caller, { count: 1, batch: false, contiguous: false });
}

export function batchCommand(fields: BatchFields, caller: Caller): Draw {
  return draw(fields, caller, { count: fields.count, batch: true, contiguous: fields.contiguous });
}

/** @throws Problem VALIDATION_ERROR on document_date */
function draw(fields: DrawFields, caller: Caller, size: Pick<Draw, "count" | "batch" | "contiguous">): Draw {
  const documentDate = fields.documentDate ?? "";
  // The pattern of the field admits 30 February; the calendar does not.
  if (documentDate !== "" && !isDay(documentDate)) throw invalidField("document_date", DAY_EXPECTED);
  return {
    kind: "draw",
    provenance: provenance(fields, caller),
    prefix: fields.prefix,
    count: size.count,
    batch: size.batch,
    contiguous: size.contiguous,
    scope: scopeValues(fields),
    documentDate,
    documentRef: fields.documentRef ?? "",
    idempotencyKey: fields.idempotencyKey ?? "",
  };
}

export function resetCommand(fields: ResetFields, caller: Caller): Reset {
  return {
    kind: "reset",
    provenance: provenance(fields, caller),
    prefix: fields.prefix,
    // -0 is a safe integer, too, and would be journalled as such.
    newValue: fields.newValue === 0 ? 0 : fields.newValue,
    reason: fields.reason,
    force: fields.force ?? false,
    scope: scopeValues(fields),
    period: fields.period ?? "",
    ...(fields.expectedVersion === undefined ? {} : { expectedVersion: fields.expectedVersion }),
  };
}

/** @throws Problem VALIDATION_ERROR on time_zone */
export function configureCommand(fields: ConfigureFields, caller: Caller): Configure {
  const { timeZone } = fields.change;
  const zone = timeZone === undefined ? {} : expandZone(timeZone);
  return {
    kind: "configure",
    provenance: provenance(fields, caller),
    prefix: fields.prefix,
    change: { ...fields.change, ...zone },
    ifAbsent: fields.ifAbsent ?? false,
    ...(fields.expectedVersion === undefined ? {} : { expectedVersion: fields.expectedVersion }),
  };
}

export function scopeValues(fields: ScopeFields): ScopeValues {
  return {
    site: fields.site ?? "",
    partition: fields.partition ?? "",
    documentType: fields.documentType ?? "",
  };
}

function provenance(fields: AuthorFields, caller: Caller): Provenance {
  return {
    principal: caller.principal,
    clientId: fields.clientId ?? "",
    generatedBy: fields.generatedBy ?? "",
    correlationId: fields.correlationId ?? "",
    requestId: caller.requestId,
  };
}
