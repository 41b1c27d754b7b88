import type { DefinitionChange } from "../../../src/sequence/definition.js";
import type { Random } from "../engine/random.js";
import type { CommandKind } from "./operation-kind.js";
import { BOUNDED, CHANGING, FORMS, isBounded, isForm, isStepped, STEPPED } from "./prefixes.js";

/** Changes of a definition; its start stays. */
export const CONFIGURE: CommandKind = {
  name: "configure",
  weight: 8,
  prefix: (random) => random.pick([...CHANGING, ...STEPPED, ...FORMS, ...BOUNDED]),
  isKeyed: false,
  plan: (random, { prefix }): { readonly change: DefinitionChange } => ({ change: planChange(random, prefix) }),
  command: ({ prefix, settings }, provenance) => ({
    kind: "configure",
    provenance,
    prefix,
    change: settings["change"] as DefinitionChange,
    ifAbsent: settings["ifAbsent"] === true,
  }),
};

function planChange(random: Random, prefix: string): DefinitionChange {
  if (isStepped(prefix)) {
    return random.chance(0.8) ? { step: random.pick([1, 2, 3, 5, 10]) } : { padding: random.integer(4, 9) };
  }
  if (isForm(prefix)) return planForm(random);
  // Below what is out already, and refused, now and then.
  if (isBounded(prefix)) return { maximum: random.integer(5, 30) };
  return random.pick<DefinitionChange>([
    { padding: random.integer(4, 9) },
    { description: `as of ${random.integer(1, 1000)}` },
    { maximum: random.integer(10_000, 1_000_000) },
    { isActive: random.chance(0.7) },
    { isActive: true },
  ]);
}

/** Many of these do not go together with each other, or with numbers that are out, and are refused. */
function planForm(random: Random): DefinitionChange {
  const template = random.pick([
    "{PREFIX}-{SEQ:4}",
    "{PREFIX}/{YYYY}/{SEQ:5}",
    "{PREFIX}:{YYYY}{MM}:{SEQ:3}",
    "%s%06d",
  ]);
  const resetRule = random.pick(["never", "yearly", "monthly", "daily"]);
  return random.pick<DefinitionChange>([
    { template },
    { template, resetRule },
    { resetRule },
    { template: "{PREFIX}/{YYYY}/{MM}/{SEQ:4}", resetRule: random.pick(["never", "yearly", "monthly"]) },
    { step: random.pick([1, 2, 5]) },
    { padding: random.integer(2, 8) },
  ]);
}
