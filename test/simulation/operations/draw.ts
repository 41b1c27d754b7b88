import type { Draw, Provenance } from "../../../src/sequence/command.js";
import type { OperationStep } from "../engine/plan.js";
import { anyPrefix, type CommandKind, NOWHERE } from "./operation-kind.js";

export const DRAW: CommandKind = {
  name: "draw",
  weight: 60,
  prefix: anyPrefix,
  isKeyed: true,
  plan: () => ({ count: 1 }),
  command: (step, provenance) => drawOf(step, provenance, false),
};

export const BATCH: CommandKind = {
  name: "batch",
  weight: 10,
  prefix: anyPrefix,
  isKeyed: true,
  plan: (random) => ({ count: random.chance(0.8) ? random.integer(2, 9) : random.integer(10, 5000) }),
  command: (step, provenance) => drawOf(step, provenance, true),
};

function drawOf({ prefix, key, settings }: OperationStep, provenance: Provenance, batch: boolean): Draw {
  const count = Number(settings["count"]);
  return {
    kind: "draw",
    provenance,
    prefix,
    count,
    batch,
    contiguous: true,
    scope: NOWHERE,
    documentDate: "",
    documentRef: "",
    idempotencyKey: key,
  };
}
