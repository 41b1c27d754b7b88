import type { CommandContext } from "./apply-context.js";
import type { Draw } from "./command.js";
import { defaultDefinition } from "./definition-rules.js";
import { templateOf } from "./definition-template.js";
import { type DrawPlace, drawPlace } from "./draw-place.js";
import { drawProblem, prefixProblem } from "./draw-request.js";
import { emptyLedger, enterDraw, floorFor, type Sequence } from "./ledger.js";
import { periodStartDays } from "./period.js";
import { refused } from "./refusal.js";
import { liveKeyUsage, rememberDraw, repeatedDraw } from "./repeated-draw.js";
import type { CommandResult, Drawn, Refused } from "./result.js";
import { enterRange, newSeries, nextCounter, roomFrom, type Series, takeUpFloor } from "./series.js";
import { DEFAULT_SETTINGS } from "./settings.js";
import type { SequenceState } from "./state.js";

/** Where a draw's numbers come from, once nothing about the request is wrong. */
interface Source {
  readonly sequence: Sequence;
  /** The draw brings the sequence to life. */
  readonly created: boolean;
  readonly place: DrawPlace;
}

/**
 * Checks in this order, the first that fails answers: what is wrong with the request by itself; a
 * repeat of a key; a repeat of a document; whether the sequence exists and is active; which series
 * it is; whether the numbers are there; whether there is room for another key.
 */
export function applyDraw(state: SequenceState, draw: Draw, context: CommandContext): CommandResult {
  const problem = drawProblem(draw);
  if (problem !== undefined) return problem;
  if (draw.idempotencyKey !== "" || draw.documentRef !== "") {
    const repeated = repeatedDraw(state, draw, context);
    if (repeated !== undefined) return repeated;
  }
  const known = state.sequence(draw.prefix);
  const sequence = known ?? newSequence(state, draw, context);
  if ("kind" in sequence) return sequence;
  const { definition, template } = sequence;
  if (!definition.isActive) return refused("CONFLICT", "prefix", `the sequence ${draw.prefix} is not active`);
  const place = drawPlace(definition, template, draw, context.time);
  if ("kind" in place) return place;
  return drawFrom(state, { sequence, created: known === undefined, place }, draw, context);
}

function drawFrom(state: SequenceState, source: Source, draw: Draw, context: CommandContext): CommandResult {
  const { sequence, created, place } = source;
  const { definition, ledger } = sequence;
  const { count } = draw;
  const found = state.series(draw.prefix, place.period, place.scopeKey);
  const floor = floorFor(ledger, found, periodStartDays(place.date, definition));
  const first = nextCounter(definition, found?.current, floor);
  const room = first === undefined ? 0 : roomFrom(definition, first);
  if (first === undefined || room < count) return exhausted(draw, definition.maximum, room);
  const isMemorable = draw.idempotencyKey !== "" || draw.documentRef !== "";
  if (isMemorable && keysAreFull(state, draw, context.time)) return tooManyKeys();

  if (created) state.putDefinition(sequence);
  const series = found ?? newSeries(draw.prefix, place.period, place.scopeKey);
  takeUpFloor(series, floor, ledger.floor.generation);
  const range = { first, last: first + (count - 1) * definition.step };
  enterRange(series, { range, count, step: definition.step, time: context.time }, (run) =>
    state.sealSegment(series, run),
  );
  enterDraw(ledger, { last: range.last, count, day: place.day, time: context.time });
  index(state, sequence, series, first, context.index);
  const drawn: Drawn = {
    kind: "drawn",
    prefix: draw.prefix,
    definition,
    period: place.period,
    epoch: series.epoch,
    date: place.date,
    scope: draw.scope,
    ranges: [range],
    count,
    time: context.time,
    messageId: `${context.index}-${context.ordinal}`,
    replayed: false,
    created,
  };
  if (isMemorable) rememberDraw(state, draw, drawn, context);
  return drawn;
}

/** The defaults, for a prefix that nobody configured. Nothing is put before the draw is certain. */
function newSequence(state: SequenceState, draw: Draw, context: CommandContext): Sequence | Refused {
  const problem = prefixProblem(draw.prefix);
  if (problem !== undefined) return problem;
  const { autoCreate } = state.settings() ?? DEFAULT_SETTINGS;
  if (!autoCreate) return refused("NOT_FOUND", "prefix", `there is no sequence ${draw.prefix}`);
  const definition = defaultDefinition(draw.prefix, context.time);
  return { definition, template: templateOf(definition), ledger: emptyLedger(draw.prefix, definition.padding) };
}

/** One audit row per sequence and entry, one slot row per series and entry: a busy entry costs no more. */
function index(state: SequenceState, sequence: Sequence, series: Series, first: number, entry: number): void {
  if (sequence.ledger.auditedIndex !== entry) {
    sequence.ledger.auditedIndex = entry;
    state.indexAudit(series.prefix, entry);
  }
  if (series.lastIndex !== entry) {
    series.lastIndex = entry;
    state.indexSlot(series, first, entry);
  }
  state.putLedger(sequence);
  state.putSeries(series);
}

function keysAreFull(state: SequenceState, draw: Draw, time: number): boolean {
  if (draw.idempotencyKey === "") return false;
  return liveKeyUsage(state, time).total >= (state.settings() ?? DEFAULT_SETTINGS).idempotencyKeysMax;
}

function tooManyKeys(): Refused {
  return refused(
    "NOT_EXECUTED",
    "idempotencyKey",
    "as many idempotency keys are remembered as may be: try again later",
  );
}

function exhausted(draw: Draw, maximum: number, room: number): Refused {
  const left = room === 0 ? "no number is left" : `${room} are left, which is fewer than the ${draw.count} asked for`;
  return refused("EXHAUSTED", room === 0 ? "" : "count", `${draw.prefix} ends at ${maximum}: ${left}`);
}
