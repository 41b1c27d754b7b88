import { type CommandKind, NOWHERE } from "./operation-kind.js";
import { FORCED } from "./prefixes.js";

/** By force to the beginning: a new epoch. Jumps forward are planned one per series (plan-run.ts). */
export const RESET: CommandKind = {
  name: "reset",
  weight: 2,
  prefix: () => FORCED,
  isKeyed: false,
  plan: () => ({ newValue: 0, force: true }),
  command: ({ prefix, settings }, provenance) => ({
    kind: "reset",
    provenance,
    prefix,
    newValue: Number(settings["newValue"]),
    reason: "simulated",
    force: settings["force"] === true,
    scope: NOWHERE,
    period: "",
  }),
};
