import type { Draw, Provenance } from "../../../src/sequence/command.js";
import type { OperationStep } from "../engine/plan.js";
import type { Random } from "../engine/random.js";
import { type CallContext, type CommandKind, NOWHERE } from "./operation-kind.js";
import { anyPrefix, isBounded, isForm, isPeriodic } from "./prefixes.js";

const DAY_MS = 86_400_000;
const DOCUMENTS = 12;

export const DRAW: CommandKind = {
  name: "draw",
  weight: 60,
  prefix: anyPrefix,
  isKeyed: true,
  plan: (random, context) => ({ count: 1, contiguous: true, ...planDocument(random, context) }),
  command: (step, provenance) => drawOf(step, provenance, false),
};

export const BATCH: CommandKind = {
  name: "batch",
  weight: 10,
  prefix: anyPrefix,
  isKeyed: true,
  plan: (random, context) => {
    const document = planDocument(random, context);
    const isLarge = !isForm(context.prefix) && !isBounded(context.prefix) && random.chance(0.2);
    const count = isLarge ? random.integer(10, 5000) : random.integer(2, 9);
    // A document asks for as much each time, mostly.
    const isRepeated = document.documentRef !== "" && random.chance(0.8);
    return { count: isRepeated ? 3 : count, contiguous: random.chance(0.5), ...document };
  },
  command: (step, provenance) => drawOf(step, provenance, true),
};

/** A date of the document where it decides the period, and the document itself now and then. */
function planDocument(random: Random, { prefix, epochMs }: CallContext) {
  const documentRef = random.chance(0.12) ? `doc-${random.integer(1, DOCUMENTS)}` : "";
  const isDated = isPeriodic(prefix) && (documentRef === "" ? random.chance(0.4) : documentRef.endsWith("1"));
  const days = documentRef === "" ? random.pick([-400, -31, -1, 0, 1, 31, 366]) : 31;
  const documentDate = isDated ? new Date(epochMs + days * DAY_MS).toISOString().slice(0, 10) : "";
  return { documentRef, documentDate };
}

function drawOf({ prefix, key, settings }: OperationStep, provenance: Provenance, batch: boolean): Draw {
  return {
    kind: "draw",
    provenance,
    prefix,
    count: Number(settings["count"]),
    batch,
    contiguous: settings["contiguous"] === true,
    scope: NOWHERE,
    documentDate: String(settings["documentDate"]),
    documentRef: String(settings["documentRef"]),
    idempotencyKey: key,
  };
}
