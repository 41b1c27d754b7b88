import type { Test } from "tap";
import type { Parameters, Scenario } from "../../bench/endurance/scenario.js";
import { anyPorts, runScenario } from "../../bench/endurance/workshop.js";

/** A short run of a long one: what it finds wrong, not how long it takes. */
export async function endures(t: Test, scenario: Scenario, parameters: Partial<Parameters>): Promise<void> {
  const { tables, faults } = await runScenario(scenario, {
    parameters,
    ports: anyPorts,
    say: (text) => t.comment(text),
  });
  t.same(faults, []);
  t.not(tables.flatMap(({ rows }) => rows).length, 0, "there are figures");
}
