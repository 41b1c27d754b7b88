import type { ScopeValues } from "./command.js";
import type { Definition } from "./definition.js";
import type { NumberRange } from "./result.js";

export type Query =
  | { readonly kind: "status"; readonly prefix: string; readonly scope: ScopeValues }
  | { readonly kind: "definition"; readonly prefix: string }
  /** A page of definitions by prefix, ascending, after the given one ("" from the start). */
  | { readonly kind: "definitions"; readonly after: string; readonly limit: number }
  /** The next `count` numbers as they would be drawn now. */
  | { readonly kind: "preview"; readonly prefix: string; readonly scope: ScopeValues; readonly count: number }
  | AuditQuery;

export interface AuditQuery {
  readonly kind: "audit";
  readonly prefix: string;
  /** A message id; records after it. "" from the start. */
  readonly after: string;
  /** 1 to 1000. */
  readonly limit: number;
  readonly filter: {
    readonly kinds?: readonly AuditKind[];
    /** ms since the epoch, inclusive / exclusive. */
    readonly from?: number;
    readonly to?: number;
    readonly clientId?: string;
    readonly generatedBy?: string;
    readonly correlationId?: string;
  };
}

export interface StatusAnswer {
  readonly kind: "status";
  readonly definition: Definition;
  readonly period: string;
  readonly epoch: number;
  /** The last number drawn (or set by a reset); start - step before the first. */
  readonly currentCounter: number;
  /** undefined when the maximum is reached. */
  readonly nextCounter: number | undefined;
  readonly nextFullNumber: string | undefined;
  /** Numbers drawn from all series of the sequence. */
  readonly totalGenerated: number;
  /** ms; undefined before the first draw. */
  readonly lastGenerated: number | undefined;
  readonly released: number;
  readonly reserved: number;
}

export interface DefinitionAnswer {
  readonly kind: "definition";
  readonly definition: Definition;
}

export interface DefinitionsAnswer {
  readonly kind: "definitions";
  readonly definitions: readonly Definition[];
  /** Pass as `after` for the following page; undefined at the end. */
  readonly next: string | undefined;
}

export interface PreviewAnswer {
  readonly kind: "preview";
  readonly fullNumbers: readonly string[];
  readonly period: string;
}

export type AuditKind = "drawn" | "reset" | "configured";

export interface AuditRecord {
  readonly messageId: string;
  readonly kind: AuditKind;
  readonly prefix: string;
  /** Entry time, ms. */
  readonly time: number;
  readonly principal: string;
  readonly clientId: string;
  readonly generatedBy: string;
  readonly correlationId: string;
  readonly requestId: string;
  /** drawn and reset */
  readonly period?: string;
  readonly epoch?: number;
  readonly scopeKey?: string;
  /** drawn */
  readonly ranges?: readonly NumberRange[];
  readonly firstFullNumber?: string;
  readonly lastFullNumber?: string;
  readonly count?: number;
  readonly documentRef?: string;
  readonly documentDate?: string;
  readonly idempotencyKey?: string;
  /** reset */
  readonly oldValue?: number;
  readonly newValue?: number;
  readonly reason?: string;
  readonly force?: boolean;
  readonly skipped?: NumberRange;
  /** configured */
  readonly version?: number;
  /** What the change set, by the names of DefinitionChange. */
  readonly change?: Readonly<Record<string, unknown>>;
}

export interface AuditAnswer {
  readonly kind: "audit";
  readonly records: readonly AuditRecord[];
  readonly next: string | undefined;
}

/** The prefix was never used. */
export interface Absent {
  readonly kind: "absent";
}

export type QueryAnswer = StatusAnswer | DefinitionAnswer | DefinitionsAnswer | PreviewAnswer | AuditAnswer | Absent;
