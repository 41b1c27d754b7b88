import type { Command } from "../../../src/sequence/command.js";
import type { CommandResult } from "../../../src/sequence/result.js";
import type { Effect } from "./effect.js";
import type { ReportViolation } from "./violation.js";

/**
 * Sequences come to life once, by a draw if settings permit it or by being configured; every change
 * is one more version, and draws go by the newest.
 */
export class DefinitionModel {
  readonly #report: ReportViolation;
  readonly #versions = new Map<string, number>();
  #autoCreate = true;
  #isSeeded = false;

  constructor(report: ReportViolation) {
    this.#report = report;
  }

  applied({ command, result, attempt }: Effect): void {
    if (command.kind === "seedSettings") {
      if (!this.#isSeeded && result.kind === "seeded") this.#autoCreate = command.autoCreate;
      this.#isSeeded ||= result.kind === "seeded";
      return;
    }
    const fault = this.#faultOf(command, result);
    if (fault !== undefined) this.#report("definitions", `${attempt} on ${command.prefix} ${fault}`);
  }

  #faultOf(command: Exclude<Command, { readonly kind: "seedSettings" }>, result: CommandResult): string | undefined {
    const known = this.#versions.get(command.prefix);
    if (result.kind === "refused") {
      if (result.code !== "NOT_FOUND") return undefined;
      const isMissing = known === undefined && (command.kind === "reset" || !this.#autoCreate);
      return isMissing ? undefined : "was told that there is no such sequence";
    }
    if (result.kind === "drawn" && result.replayed) return undefined;
    if (result.kind === "seeded") return "was answered like a seed of settings";
    const isNew = result.kind !== "reset" && result.created;
    if (isNew !== (known === undefined))
      return isNew ? "made the sequence once more" : "found a sequence that was never made";
    if (isNew && result.kind === "drawn" && !this.#autoCreate) return "made a sequence by drawing";
    const version = result.kind === "reset" ? result.version : result.definition.version;
    const isChanged = result.kind === "configured" && result.changed === true;
    const expected = isChanged ? (known ?? 0) + 1 : (known ?? 1);
    this.#versions.set(command.prefix, expected);
    return version === expected ? undefined : `goes by version ${version}, not ${expected}`;
  }
}
