import type { DefinitionChange } from "../../../src/sequence/definition.js";
import { CHANGING, type CommandKind } from "./operation-kind.js";

/** Changes of a definition that leave start and step alone. */
export const CONFIGURE: CommandKind = {
  name: "configure",
  weight: 5,
  prefix: (random) => random.pick(CHANGING),
  isKeyed: false,
  plan: (random): { readonly change: DefinitionChange } => ({
    change: random.pick<DefinitionChange>([
      { padding: random.integer(4, 9) },
      { description: `as of ${random.integer(1, 1000)}` },
      { maximum: random.integer(10_000, 1_000_000) },
      { isActive: random.chance(0.7) },
      { isActive: true },
    ]),
  }),
  command: ({ prefix, settings }, provenance) => ({
    kind: "configure",
    provenance,
    prefix,
    change: settings["change"] as DefinitionChange,
    ifAbsent: false,
  }),
};
