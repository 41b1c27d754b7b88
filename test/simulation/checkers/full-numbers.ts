import { numberRenderer } from "../../../src/sequence/number-renderer.js";
import { isForm } from "../operations/prefixes.js";
import type { Effect } from "./effect.js";
import type { ReportViolation } from "./violation.js";

/** Whatever becomes of a sequence's template and reset rule, no full number is ever written twice. */
export class FullNumbers {
  readonly #report: ReportViolation;
  readonly #written = new Map<string, string>();

  constructor(report: ReportViolation) {
    this.#report = report;
  }

  applied({ result, attempt }: Effect): void {
    if (result.kind !== "drawn" || result.replayed || !isForm(result.prefix)) return;
    const { definition, date, scope, ranges } = result;
    const render = numberRenderer(definition, date, scope);
    for (const { first, last } of ranges) {
      for (let counter = first; counter <= last; counter += definition.step) {
        const text = render(counter);
        const earlier = this.#written.get(text);
        if (earlier !== undefined) this.#report("no number twice", `${attempt} wrote ${text}, as ${earlier} had`);
        this.#written.set(text, attempt);
      }
    }
  }
}
