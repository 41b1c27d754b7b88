import { civilFromDays, daysFromCivil } from "../sequence/civil-date.js";
import type { Definition } from "../sequence/definition.js";
import { definitionRange, seriesRange } from "../sequence/machine/keys.js";
import { decodeDefinition, seriesOfRow } from "../sequence/machine/rows.js";
import { dayOfPeriod, periodOf } from "../sequence/period.js";
import { scopeValuesOf } from "../sequence/series-identity.js";
import { localDate } from "../sequence/zone.js";
import type { StateStore } from "../storage/state-store.js";
import { RecoveryRefused, rowsOf } from "./stores.js";

/** One counter of a sequence, as its row names it. */
export interface SeriesName {
  readonly prefix: string;
  /** "" when it never resets, else 2026, 2026-11 or 2026-11-20. */
  readonly period: string;
  /** "" when the scope is global, else "site=HQ". */
  readonly scopeKey: string;
}

/** A series that numbers may have been drawn from after the state was as it is. */
export interface CandidateSeries extends SeriesName {
  /** It has a row; else it may have begun since, in a period that came since. */
  readonly isKnown: boolean;
  /** The definition in force does not reach it: it is of another reset rule or scope. */
  readonly isReachable: boolean;
}

/** Times in ms since the epoch. */
export interface Window {
  /** Up to when the state is known. */
  readonly from: number;
  /** Now. */
  readonly to: number;
}

const DAY_MS = 86_400_000;
/** More than ten years: a clock that is that far off is wrong. */
const DAYS_MAX = 4000;

/** Every definition in force, by prefix. */
export async function* definitionsOf(state: StateStore): AsyncGenerator<Definition> {
  for await (const rows of rowsOf(state, definitionRange(""))) {
    for (const { value } of rows) yield decodeDefinition(value);
  }
}

/**
 * Every series of the sequence that has a row, whatever its period and scope; and the periods that began in the
 * window, for the scopes that are known.
 */
export async function candidatesOf(
  state: StateStore,
  definition: Definition,
  window: Window,
): Promise<readonly CandidateSeries[]> {
  const { prefix, scope } = definition;
  const candidates: CandidateSeries[] = [];
  const scopeKeys = new Set<string>(scope === "global" ? [""] : []);
  const known = new Set<string>();
  for await (const rows of rowsOf(state, seriesRange(prefix))) {
    for (const row of rows) {
      const { period, scopeKey } = seriesOfRow(row);
      const isReachable = reaches(definition, period, scopeKey);
      candidates.push({ prefix, period, scopeKey, isKnown: true, isReachable });
      if (!isReachable) continue;
      scopeKeys.add(scopeKey);
      known.add(nameOf(period, scopeKey));
    }
  }
  for (const period of periodsIn(definition, window)) {
    for (const scopeKey of scopeKeys) {
      if (known.has(nameOf(period, scopeKey))) continue;
      candidates.push({ prefix, period, scopeKey, isKnown: false, isReachable: true });
    }
  }
  return candidates;
}

/** @throws RecoveryRefused when the clock is so far off that the window would hold more days than there can be */
export function assertPlausible({ from, to }: Window): void {
  if (to - from <= DAYS_MAX * DAY_MS) return;
  const day = new Date(from).toISOString().slice(0, 10);
  throw new RecoveryRefused(
    `The newest entry is of ${day}, more than ${DAYS_MAX} days ago by this machine's clock. Set the clock first.`,
  );
}

function reaches(definition: Definition, period: string, scopeKey: string): boolean {
  const isPeriod =
    definition.resetRule === "never" ? period === "" : period !== "" && dayOfPeriod(period, definition) !== undefined;
  return isPeriod && scopeValuesOf(definition.scope, scopeKey) !== undefined;
}

/** The periods that days of the window belong to, in the definition's time zone. */
function periodsIn(definition: Definition, { from, to }: Window): ReadonlySet<string> {
  const first = daysFromCivil(localDate(from, definition.zoneTransitions));
  const last = daysFromCivil(localDate(Math.max(from, to), definition.zoneTransitions));
  const periods = new Set<string>();
  for (let day = first; day <= last; day++) periods.add(periodOf(civilFromDays(day), definition));
  return periods;
}

function nameOf(period: string, scopeKey: string): string {
  return `${period}/${scopeKey}`;
}
