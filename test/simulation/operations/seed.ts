import type { CommandKind } from "./operation-kind.js";

/** What a node's environment asks for at its start: only the first that is applied counts (plan-run.ts plans them). */
export const SEED: CommandKind = {
  name: "seed",
  weight: 0,
  prefix: () => "",
  isKeyed: false,
  plan: () => ({}),
  command: ({ settings }, provenance) => ({
    kind: "seedSettings",
    provenance,
    autoCreate: settings["autoCreate"] === true,
    idempotencyRetentionMs: Number(settings["idempotencyRetentionMs"]),
    idempotencyKeysMax: Number(settings["idempotencyKeysMax"]),
  }),
};
