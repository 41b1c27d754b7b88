import { invariant } from "../../assert.js";
import type { JournaledCommand } from "../../machine/journal.js";
import type { Command, Configure, Draw, Reset } from "../command.js";
import type { Definition } from "../definition.js";
import { messageIdOf } from "../draw-memo.js";
import { dateOf } from "../draw-place.js";
import type { NumberRenderers } from "../number-renderer.js";
import type { AuditRecord } from "../query.js";
import { decodeCommand } from "./command-codec.js";
import { decodeResult, type ResultRecord } from "./result-codec.js";

type Recorded<Case extends ResultRecord["$case"]> = Extract<ResultRecord, { $case: Case }>["value"];

export interface AuditSources {
  readonly definitionVersion: (prefix: string, version: number) => Definition;
  readonly renderers: NumberRenderers;
}

/**
 * What the audit trail tells of a journalled command; undefined for what left no trace: refusals,
 * repeats of earlier draws, configurations that changed nothing.
 */
export function auditRecord(
  journaled: JournaledCommand,
  entry: { readonly index: number; readonly time: number },
  sources: AuditSources,
): AuditRecord | undefined {
  const command = decodeCommand(journaled.payload);
  const result = decodeResult(journaled.record);
  const place = { messageId: messageIdOf({ index: entry.index, ordinal: journaled.ordinal }), time: entry.time };
  switch (result.$case) {
    case "drawn":
      invariant(command.kind === "draw", "numbers are drawn by draws");
      return result.value.replayOf === "" ? drawnRecord(command, result.value, place, sources) : undefined;
    case "reset":
      invariant(command.kind === "reset", "counters are reset by resets");
      return resetRecord(command, result.value, place);
    case "configured":
      invariant(command.kind === "configure", "definitions are changed by configurations");
      return result.value.unchanged ? undefined : configuredRecord(command, result.value, place);
    case "refused":
    case "seeded":
      return undefined;
  }
}

type Place = Pick<AuditRecord, "messageId" | "time">;

function common(command: Exclude<Command, { kind: "seedSettings" }>, place: Place) {
  return { ...place, prefix: command.prefix, ...command.provenance };
}

function drawnRecord(draw: Draw, drawn: Recorded<"drawn">, place: Place, sources: AuditSources): AuditRecord {
  const definition = sources.definitionVersion(draw.prefix, drawn.definitionVersion);
  const date = dateOf(definition, draw.documentDate, place.time);
  const first = drawn.ranges.at(0);
  const last = drawn.ranges.at(-1);
  invariant(date !== undefined && first !== undefined && last !== undefined, "a draw has a date and numbers");
  const render = sources.renderers.renderer(definition, date, draw.scope);
  return {
    ...common(draw, place),
    kind: "drawn",
    period: drawn.period,
    epoch: drawn.epoch,
    scopeKey: drawn.scopeKey,
    ranges: drawn.ranges,
    firstFullNumber: render(first.first),
    lastFullNumber: render(last.last),
    count: draw.count,
    documentRef: draw.documentRef,
    documentDate: draw.documentDate,
    idempotencyKey: draw.idempotencyKey,
  };
}

function resetRecord(command: Reset, done: Recorded<"reset">, place: Place): AuditRecord {
  const { period, epoch, scopeKey, oldValue, newValue, skipped } = done;
  return {
    ...common(command, place),
    kind: "reset",
    period,
    epoch,
    scopeKey,
    oldValue,
    newValue,
    reason: command.reason,
    force: command.force,
    ...(skipped === undefined ? {} : { skipped }),
  };
}

function configuredRecord(command: Configure, { version }: Recorded<"configured">, place: Place): AuditRecord {
  // The zone's name says what its hundreds of transitions are.
  const { zoneTransitions: _, ...change } = command.change;
  return { ...common(command, place), kind: "configured", version, change };
}
