import type { Command, Provenance } from "../../../src/sequence/command.js";
import type { OperationStep } from "../engine/plan.js";
import type { Random } from "../engine/random.js";

export const NOWHERE = { site: "", partition: "", documentType: "" } as const;

/** A kind of call that changes something: how it is drawn by lot, and what is proposed. One file each. */
export interface CommandKind {
  readonly name: OperationStep["kind"];
  readonly weight: number;
  /** Prefixes by lot; the first of a run decides nothing. */
  prefix(random: Random): string;
  /** Whether the call may carry an idempotency key. */
  readonly isKeyed: boolean;
  plan(random: Random): OperationStep["settings"];
  command(step: OperationStep, provenance: Provenance): Command;
}

/** Of a kind of call that only looks. */
export interface ReadKind {
  readonly name: OperationStep["kind"];
  readonly weight: number;
  readonly linearizable: boolean;
}

export const HOT = "HOT";
export const COLD_COUNT = 8;
/** Series that are only ever reset by force, and so begin epochs. */
export const FORCED = "FORCED";
/** Series that jump forward once each. */
export const JUMPING = ["JUMP-1", "JUMP-2"] as const;
/** Series whose definitions change. */
export const CHANGING = ["CHANGE-1", "CHANGE-2"] as const;

export function anyPrefix(random: Random): string {
  if (random.chance(0.5)) return HOT;
  const place = random.unit();
  if (place < 0.5) return `COLD-${random.integer(1, COLD_COUNT)}`;
  if (place < 0.7) return FORCED;
  if (place < 0.85) return random.pick(JUMPING);
  return random.pick(CHANGING);
}
