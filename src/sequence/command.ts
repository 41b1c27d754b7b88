import type { DefinitionChange } from "./definition.js";

/** Who asked, as the journal keeps it. Never part of a decision, except `principal` in the scope of a key. */
export interface Provenance {
  /** Who the access layer says it is: "anonymous", or the name of a key. Never the key. */
  readonly principal: string;
  readonly clientId: string;
  readonly generatedBy: string;
  readonly correlationId: string;
  readonly requestId: string;
}

/** Empty strings where not given. */
export interface ScopeValues {
  readonly site: string;
  readonly partition: string;
  readonly documentType: string;
}

export interface Draw {
  readonly kind: "draw";
  readonly provenance: Provenance;
  readonly prefix: string;
  /** 1 to 1 000 000. */
  readonly count: number;
  /** A batch of one and a single draw are different operations for an idempotency key. */
  readonly batch: boolean;
  /** One range, past the pool. */
  readonly contiguous: boolean;
  readonly scope: ScopeValues;
  /** YYYY-MM-DD, a date that exists; empty: the entry's time decides. */
  readonly documentDate: string;
  readonly documentRef: string;
  /** Empty: none. */
  readonly idempotencyKey: string;
}

export interface Reset {
  readonly kind: "reset";
  readonly provenance: Provenance;
  readonly prefix: string;
  /** The counter afterwards; the next number is newValue + step. */
  readonly newValue: number;
  readonly reason: string;
  readonly force: boolean;
  readonly expectedVersion?: number;
  readonly scope: ScopeValues;
  /** Empty: the current period. */
  readonly period: string;
  /**
   * What is passed over may carry numbers that are not known here (a safety distance after recovery): for whatever
   * asks later what was issued, it was. No caller of an API asks for it.
   */
  readonly mayBeIssued?: boolean;
}

export interface Configure {
  readonly kind: "configure";
  readonly provenance: Provenance;
  readonly prefix: string;
  readonly change: DefinitionChange;
  readonly expectedVersion?: number;
  /** Only if the prefix has no definition yet; otherwise nothing happens. */
  readonly ifAbsent: boolean;
}

/** The environment's seeds of replicated settings; only the first ever applied counts. */
export interface SeedSettings {
  readonly kind: "seedSettings";
  readonly provenance: Provenance;
  readonly autoCreate: boolean;
  readonly idempotencyRetentionMs: number;
  readonly idempotencyKeysMax: number;
}

export type Command = Draw | Reset | Configure | SeedSettings;
