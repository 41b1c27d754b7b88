import fc from "fast-check";
import type { Test } from "tap";

/** Runs a property and counts it as one assertion; a failure shows the seed and the least counterexample. */
export function holds<Values>(test: Test, property: fc.IProperty<Values>, options: fc.Parameters<Values> = {}): void {
  fc.assert(property, options);
  test.pass(`holds for ${options.numRuns ?? 100} cases`);
}
