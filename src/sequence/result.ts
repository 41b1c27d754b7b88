import type { Definition } from "./definition.js";

/** Inclusive, first <= last, in steps of the definition. */
export interface NumberRange {
  readonly first: number;
  readonly last: number;
}

/** A calendar day without a zone. */
export interface CivilDate {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
}

export interface Drawn {
  readonly kind: "drawn";
  readonly prefix: string;
  /** The version that renders the numbers. */
  readonly definition: Definition;
  /** "" when the sequence never resets, else 2026, 2026-11 or 2026-11-20. */
  readonly period: string;
  readonly epoch: number;
  /** What date tokens of the template show. */
  readonly date: CivilDate;
  readonly scope: { readonly site: string; readonly partition: string; readonly documentType: string };
  readonly ranges: readonly NumberRange[];
  readonly count: number;
  /** Entry time of the draw (of the first one, for a replay), ms. */
  readonly time: number;
  /** `<entry index>-<ordinal>` of the draw (of the first one, for a replay). */
  readonly messageId: string;
  readonly replayed: boolean;
  /** This draw brought the sequence to life. */
  readonly created: boolean;
}

export interface ResetDone {
  readonly kind: "reset";
  readonly prefix: string;
  readonly period: string;
  readonly epoch: number;
  readonly oldValue: number;
  readonly newValue: number;
  /** Slots that a forward reset passed over: no document will ever carry them. */
  readonly skipped: NumberRange | undefined;
  /** The series' own name for what the scope chose, "site=HQ"; "" when the scope is global. */
  readonly scopeKey?: string;
  /** Of the definition in force. */
  readonly version?: number;
}

export interface Configured {
  readonly kind: "configured";
  readonly definition: Definition;
  readonly created: boolean;
  /** false: the definition is as it was, and no new version was made. */
  readonly changed?: boolean;
}

export interface Seeded {
  readonly kind: "seeded";
}

export type RefusalCode =
  | "VALIDATION_ERROR"
  | "NOT_FOUND"
  | "CONFLICT"
  | "EXHAUSTED"
  | "PRECONDITION_FAILED"
  | "IDEMPOTENCY_MISMATCH"
  | "NOT_EXECUTED";

/** The domain says no: a replicated value, the same on every node, changing nothing. */
export interface Refused {
  readonly kind: "refused";
  readonly code: RefusalCode;
  /** A sentence for the caller. */
  readonly detail: string;
  /** The field it is about, as the command names it (camelCase); "" if none. */
  readonly field: string;
}

export type CommandResult = Drawn | ResetDone | Configured | Seeded | Refused;
