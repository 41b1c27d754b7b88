import { invariant } from "../../assert.js";
import type { CommandContext } from "../apply-context.js";
import type { Command, Configure, Draw, Reset } from "../command.js";
import type { Definition } from "../definition.js";
import { messageIdOf } from "../draw-memo.js";
import { dateOf } from "../draw-place.js";
import { isRefusalCode } from "../refusal.js";
import type { CommandResult, Configured, Drawn, Refused, ResetDone } from "../result.js";
import type { ResultRecord } from "./result-codec.js";

type Recorded<Case extends ResultRecord["$case"]> = Extract<ResultRecord, { $case: Case }>["value"];

/** Reads any version that a definition ever had. */
export type DefinitionVersions = (prefix: string, version: number) => Definition;

/**
 * The result that apply returned for the command, told again from its record: of the definition that
 * was in force then, whatever it has become since.
 */
export function outcomeOf(
  command: Command,
  record: ResultRecord,
  context: CommandContext,
  versions: DefinitionVersions,
): CommandResult {
  switch (record.$case) {
    case "drawn":
      invariant(command.kind === "draw", "numbers are drawn by draws");
      return drawnOf(command, record.value, context, versions(command.prefix, record.value.definitionVersion));
    case "reset":
      invariant(command.kind === "reset", "counters are reset by resets");
      return resetOf(command, record.value);
    case "configured":
      invariant(command.kind === "configure", "definitions are changed by configurations");
      return configuredOf(command, record.value, versions);
    case "refused":
      return refusedOf(record.value);
    case "seeded":
      return { kind: "seeded" };
  }
}

function drawnOf(draw: Draw, record: Recorded<"drawn">, context: CommandContext, definition: Definition): Drawn {
  const { period, epoch, ranges, replayOf, replayTime, created } = record;
  const replayed = replayOf !== "";
  const time = replayed ? replayTime : context.time;
  const date = dateOf(definition, draw.documentDate, time);
  invariant(date !== undefined, "a draw that succeeded had a date");
  return {
    kind: "drawn",
    prefix: draw.prefix,
    definition,
    period,
    epoch,
    date,
    scope: draw.scope,
    ranges,
    count: draw.count,
    time,
    messageId: replayed ? replayOf : messageIdOf(context),
    replayed,
    created,
  };
}

function resetOf({ prefix }: Reset, record: Recorded<"reset">): ResetDone {
  const { period, epoch, oldValue, newValue, skipped, scopeKey, version } = record;
  return { kind: "reset", prefix, period, epoch, oldValue, newValue, skipped, scopeKey, version };
}

function configuredOf(
  { prefix }: Configure,
  { version, created, unchanged }: Recorded<"configured">,
  versions: DefinitionVersions,
): Configured {
  return { kind: "configured", definition: versions(prefix, version), created, changed: !unchanged };
}

function refusedOf({ code, field, detail }: Recorded<"refused">): Refused {
  invariant(isRefusalCode(code), () => `a refusal has a code that this node knows, not ${code}`);
  return { kind: "refused", code, field, detail };
}
