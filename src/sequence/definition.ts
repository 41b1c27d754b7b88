export type ResetRule = "never" | "daily" | "monthly" | "yearly";
export type NumberingScope = "global" | "site" | "partition" | "document_type";
export type GapPolicy = "keep" | "reuse";

/** From `from` (ms since the epoch) on, local time is UTC + offsetSeconds. */
export interface ZoneTransition {
  readonly from: number;
  readonly offsetSeconds: number;
}

/** A sequence: what all of its series have in common. Immutable; a change makes a new version. */
export interface Definition {
  /** 1 to 50 of A-Z a-z 0-9 . _ -, not starting with a dot. */
  readonly prefix: string;
  /** As configured; empty: prefix, separator, counter padded to `padding`. */
  readonly template: string;
  /** Least number of digits of the counter; it grows past that. */
  readonly padding: number;
  readonly separator: string;
  /** The first number ever issued by a series. */
  readonly start: number;
  /** Distance between consecutive numbers; at least 1. */
  readonly step: number;
  /** Inclusive; at most 2^53-1. */
  readonly maximum: number;
  readonly resetRule: ResetRule;
  /** IANA name. */
  readonly timeZone: string;
  /** The zone's expanded transitions, ascending; empty for UTC. Apply never asks the platform. */
  readonly zoneTransitions: readonly ZoneTransition[];
  /** Month, 1 to 12. */
  readonly fiscalYearStart: number;
  readonly scope: NumberingScope;
  readonly gapPolicy: GapPolicy;
  readonly profile: string;
  readonly isActive: boolean;
  readonly description: string;
  /** 1 for the first version. */
  readonly version: number;
  /** Configured by somebody, or come to life by a draw. */
  readonly explicit: boolean;
  /** Entry time, ms. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What a change may set; an absent field stays as it is. */
export interface DefinitionChange {
  readonly template?: string;
  readonly padding?: number;
  readonly separator?: string;
  readonly start?: number;
  readonly step?: number;
  readonly maximum?: number;
  readonly resetRule?: string;
  readonly timeZone?: string;
  /** Goes with timeZone. */
  readonly zoneTransitions?: readonly ZoneTransition[];
  readonly fiscalYearStart?: number;
  readonly scope?: string;
  readonly gapPolicy?: string;
  readonly profile?: string;
  readonly isActive?: boolean;
  readonly description?: string;
}
