import type { OperationStep } from "../engine/plan.js";
import { CONFIGURE } from "./configure.js";
import { BATCH, DRAW } from "./draw.js";
import type { CommandKind, ReadKind } from "./operation-kind.js";
import { RESET } from "./reset.js";
import { SEED } from "./seed.js";

/** Every kind of command and of read; a new one is a file and a line. */
export const COMMANDS: readonly CommandKind[] = [DRAW, BATCH, RESET, CONFIGURE, SEED];

export const READS: readonly ReadKind[] = [
  { name: "status", weight: 12, linearizable: true },
  { name: "localStatus", weight: 6, linearizable: false },
];

/** Undefined for reads. */
export function commandKindOf(kind: OperationStep["kind"]): CommandKind | undefined {
  return COMMANDS.find(({ name }) => name === kind);
}
