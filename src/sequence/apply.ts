import { unreachable } from "../assert.js";
import { applyConfigure } from "./apply-configure.js";
import type { CommandContext } from "./apply-context.js";
import { applyDraw } from "./apply-draw.js";
import { applyReset } from "./apply-reset.js";
import type { Command, SeedSettings } from "./command.js";
import { invalid } from "./refusal.js";
import type { CommandResult } from "./result.js";
import { KEYS_MAX, RETENTION_MS_MAX } from "./settings.js";
import type { SequenceState } from "./state.js";

/**
 * The domain's one way to change: a function of the state, the command and its place in the log.
 * What it refuses changes nothing.
 */
export function applyCommand(state: SequenceState, command: Command, context: CommandContext): CommandResult {
  switch (command.kind) {
    case "draw":
      return applyDraw(state, command, context);
    case "reset":
      return applyReset(state, command, context);
    case "configure":
      return applyConfigure(state, command, context);
    case "seedSettings":
      return applySeed(state, command);
    default:
      return unreachable(command);
  }
}

function applySeed(state: SequenceState, seed: SeedSettings): CommandResult {
  const { autoCreate, idempotencyRetentionMs, idempotencyKeysMax } = seed;
  if (!isWithin(idempotencyRetentionMs, 1, RETENTION_MS_MAX)) {
    return invalid("idempotencyRetentionMs", "keys are remembered for at least one millisecond and at most 366 days");
  }
  if (!isWithin(idempotencyKeysMax, 0, KEYS_MAX)) {
    return invalid("idempotencyKeysMax", `idempotencyKeysMax must be an integer from 0 to ${KEYS_MAX}`);
  }
  if (state.settings() === undefined) state.putSettings({ autoCreate, idempotencyRetentionMs, idempotencyKeysMax });
  return { kind: "seeded" };
}

function isWithin(value: number, least: number, most: number): boolean {
  return Number.isSafeInteger(value) && value >= least && value <= most;
}
