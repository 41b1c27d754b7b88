import { invariant } from "../assert.js";
import type { Provenance, Reset } from "../sequence/command.js";
import { floorFor } from "../sequence/ledger.js";
import type { SequenceTables } from "../sequence/machine/sequence-tables.js";
import { dayOfPeriod, periodStartDays } from "../sequence/period.js";
import type { CommandResult, NumberRange, RefusalCode } from "../sequence/result.js";
import { nextCounter, roomFrom } from "../sequence/series.js";
import { scopeValuesOf } from "../sequence/series-identity.js";
import { localDate } from "../sequence/zone.js";
import type { StateStore } from "../storage/state-store.js";
import { type CandidateSeries, candidatesOf, definitionsOf, type SeriesName, type Window } from "./known-series.js";
import type { OfflineNode } from "./offline-node.js";

/** What was done about one series. */
export interface SkippedSeries extends SeriesName {
  /** It was in the state; else it may have begun since, in a period that came since. */
  readonly isKnown: boolean;
  readonly outcome: /** Journalled as skipped: no document will ever carry these. `isLast`: the series has no number left. */
    | { readonly kind: "skipped"; readonly range: NumberRange; readonly slots: number; readonly isLast: boolean }
    /** It had no number left before. */
    | { readonly kind: "exhausted" }
    /** The definition in force does not reach it: it is of an earlier reset rule or scope, and draws nothing. */
    | { readonly kind: "unreachable" }
    /** Draws are refused, too: the sentence says why. */
    | { readonly kind: "refused"; readonly code: RefusalCode; readonly detail: string };
}

export interface SkipOptions {
  /** Slots per series, 1 or more. */
  readonly distance: number;
  readonly provenance: Provenance;
  /** For the audit trail: why, in words. */
  readonly reason: string;
  readonly window: Window;
}

/** A reset that skips, and what the report says if it is done. */
interface Plan {
  readonly reset: Reset;
  readonly done: SkippedSeries;
}

const RESETS_PER_ENTRY = 500;

/**
 * Lets every series that numbers may have been drawn from since begin further on, by real resets: they stand in the
 * journal, and their slots count as skipped. What does not fit below the maximum is skipped as far as it goes.
 */
export async function skipAhead(
  node: OfflineNode,
  state: StateStore,
  options: SkipOptions,
): Promise<readonly SkippedSeries[]> {
  // Series are found by their rows.
  await node.checkpoint();
  const report: SkippedSeries[] = [];
  for await (const definition of definitionsOf(state)) {
    const plans: Plan[] = [];
    for (const candidate of await candidatesOf(state, definition, options.window)) {
      const plan = planOf(node.machine.tables, candidate, options);
      if ("reset" in plan) plans.push(plan);
      else report.push(plan);
    }
    for (let at = 0; at < plans.length; at += RESETS_PER_ENTRY) {
      report.push(...(await carryOut(node, plans.slice(at, at + RESETS_PER_ENTRY), options.window.to)));
    }
  }
  await node.checkpoint();
  return report;
}

function planOf(tables: SequenceTables, candidate: CandidateSeries, options: SkipOptions): Plan | SkippedSeries {
  const { prefix, period, scopeKey, isKnown, isReachable } = candidate;
  const name = { prefix, period, scopeKey, isKnown };
  if (!isReachable) return { ...name, outcome: { kind: "unreachable" } };
  const sequence = tables.sequence(prefix);
  invariant(sequence !== undefined, "a sequence with a definition is there");
  const { definition, ledger } = sequence;
  const date =
    period === "" ? localDate(options.window.to, definition.zoneTransitions) : dayOfPeriod(period, definition);
  const scope = scopeValuesOf(definition.scope, scopeKey);
  invariant(date !== undefined && scope !== undefined, "a series that can be reached has a day and a scope");
  const series = tables.series(prefix, period, scopeKey);
  const first = nextCounter(definition, series?.current, floorFor(ledger, series, periodStartDays(date, definition)));
  if (first === undefined) return { ...name, outcome: { kind: "exhausted" } };
  const room = roomFrom(definition, first);
  const slots = Math.min(options.distance, room);
  const last = first + (slots - 1) * definition.step;
  const { provenance, reason } = options;
  return {
    reset: {
      kind: "reset",
      provenance,
      prefix,
      newValue: last,
      reason,
      force: false,
      scope,
      period,
      mayBeIssued: true,
    },
    done: { ...name, outcome: { kind: "skipped", range: { first, last }, slots, isLast: slots === room } },
  };
}

async function carryOut(node: OfflineNode, plans: readonly Plan[], time: number): Promise<readonly SkippedSeries[]> {
  const results = await node.run(
    plans.map(({ reset }) => reset),
    time,
  );
  return plans.map(({ done }, place) => judged(done, results[place]));
}

function judged(done: SkippedSeries, result: CommandResult | undefined): SkippedSeries {
  if (result?.kind === "refused") {
    const { code, detail } = result;
    return { ...done, outcome: { kind: "refused", code, detail } };
  }
  invariant(result?.kind === "reset", "a reset resets or is refused");
  return done;
}
