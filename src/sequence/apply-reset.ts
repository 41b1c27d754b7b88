import { versionProblem } from "./apply-configure.js";
import type { CommandContext } from "./apply-context.js";
import type { Reset } from "./command.js";
import type { Definition } from "./definition.js";
import { dateProblem, scopeProblem } from "./draw-place.js";
import { enterReach, floorFor } from "./ledger.js";
import { dayOfPeriod, periodEndDays, periodOf, periodStartDays } from "./period.js";
import { invalid, refused } from "./refusal.js";
import type { CivilDate, CommandResult, Refused } from "./result.js";
import { enterReset, guardCurrent, newSeries, planReset, takeUpFloor } from "./series.js";
import { scopeKeyOf, seriesFields } from "./series-identity.js";
import type { SequenceState } from "./state.js";
import { localDate } from "./zone.js";

export function applyReset(state: SequenceState, reset: Reset, context: CommandContext): CommandResult {
  const { prefix, newValue } = reset;
  const sequence = state.sequence(prefix);
  if (sequence === undefined) return refused("NOT_FOUND", "prefix", `there is no sequence ${prefix}`);
  const { definition, template, ledger } = sequence;
  const stale = versionProblem(prefix, definition.version, reset.expectedVersion);
  if (stale !== undefined) return stale;
  if (!Number.isSafeInteger(newValue) || newValue < 0 || newValue > definition.maximum) {
    return invalid("newValue", `newValue must be an integer from 0 to ${definition.maximum}`);
  }
  const date = dayOf(definition, reset.period, context.time);
  if ("kind" in date) return date;
  const problem = dateProblem(template, date) ?? scopeProblem(template, reset.scope, seriesFields(definition.scope));
  if (problem !== undefined) return problem;

  const period = periodOf(date, definition);
  const scopeKey = scopeKeyOf(definition.scope, reset.scope);
  const found = state.series(prefix, period, scopeKey);
  const floor = floorFor(ledger, found, periodStartDays(date, definition));
  const plan = planReset(definition, found, floor, reset);
  if ("kind" in plan) return plan;
  const series = found ?? newSeries(prefix, period, scopeKey);
  takeUpFloor(series, floor, ledger.floor.generation);
  enterReset(series, newValue, plan.newEpoch, (run) => state.sealSegment(series, run));
  if (reset.mayBeIssued === true) {
    guardCurrent(series);
    // Documents may be dated ahead: whatever was drawn there belongs to some day of the period.
    enterReach(ledger, { last: newValue, day: periodEndDays(date, definition) });
  }
  ledger.auditedIndex = context.index;
  state.indexAudit(prefix, context.index);
  state.putLedger(sequence);
  state.putSeries(series);
  const { oldValue, skipped } = plan;
  const { version } = definition;
  return { kind: "reset", prefix, period, epoch: series.epoch, oldValue, newValue, skipped, scopeKey, version };
}

/** A day in the period that the reset names, or today. */
function dayOf(definition: Definition, period: string, time: number): CivilDate | Refused {
  if (period === "") return localDate(time, definition.zoneTransitions);
  const day = dayOfPeriod(period, definition);
  if (day !== undefined) return day;
  const rule = definition.resetRule === "never" ? "has no periods" : `has ${definition.resetRule} periods`;
  return invalid("period", `${period} is not a period of ${definition.prefix}, which ${rule}`);
}
