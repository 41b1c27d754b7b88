import type { Command, Provenance } from "../../../src/sequence/command.js";
import type { OperationStep } from "../engine/plan.js";
import type { Random } from "../engine/random.js";

export const NOWHERE = { site: "", partition: "", documentType: "" } as const;

/** What a call is drawn by lot for. */
export interface CallContext {
  readonly prefix: string;
  /** Wall clock at the beginning of the run, ms since the epoch. */
  readonly epochMs: number;
}

/** A kind of call that changes something: how it is drawn by lot, and what is proposed. One file each. */
export interface CommandKind {
  readonly name: OperationStep["kind"];
  readonly weight: number;
  prefix(random: Random): string;
  /** Whether the call may carry an idempotency key. */
  readonly isKeyed: boolean;
  plan(random: Random, context: CallContext): OperationStep["settings"];
  command(step: OperationStep, provenance: Provenance): Command;
}

/** Of a kind of call that only looks. */
export interface ReadKind {
  readonly name: OperationStep["kind"];
  readonly weight: number;
  readonly linearizable: boolean;
}
