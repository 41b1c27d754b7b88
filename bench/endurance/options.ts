import { parseArgs } from "node:util";
import { wholeNumber } from "../chaos/options.js";
import { UsageError } from "../options.js";
import type { Parameters, Scenario } from "./scenario.js";

export interface EnduranceOptions {
  readonly scenarios: readonly Scenario[];
  readonly parameters: Partial<Parameters>;
  /** Added to the documented ports of a local cluster. */
  readonly portOffset: number;
}

const PORT_OFFSET = 20_000;

export function enduranceHelp(scenarios: readonly Scenario[]): string {
  const lines = scenarios.map(({ name, about, defaults }) => {
    const presets = Object.entries(defaults).map(([option, value]) => `${option} ${value}`);
    return `  ${name.padEnd(14)} ${about}\n${" ".repeat(17)}(${presets.join(", ")})\n`;
  });
  return `Usage: npm run endurance -- SCENARIO... [OPTIONS]
       npm run endurance -- all [OPTIONS]

Long runs on clusters of real processes on loopback, each in a temporary folder. Prints a table of figures per
scenario. The exit code is 1 if anything is wrong, or a target of time was missed. See bench/README.md.

Scenarios (with their own defaults):
${lines.join("")}
Options:
  --clients N        callers drawing at once (default 16)
  --draws N          numbers that the cluster holds before it begins
  --rounds N         how often
  --minutes N        how long; fractions are fine
  --count N          flips: damages; two-failures: pairs of nodes; bounded: LOG_ENTRIES_MAX
  --seed N           which damages (default 1)
  --port-offset N    nodes listen on 8079, 9089 and 7069 + id + N (default ${PORT_OFFSET}, below the ports that the
                     system gives to outgoing connections)
  --help             this text
`;
}

function secondsOf(text: string): number {
  const minutes = /^\d{1,4}(?:\.\d{1,3})?$/.test(text) ? Number(text) : 0;
  if (minutes <= 0) throw new UsageError(`--minutes takes a number above 0, not "${text}"`);
  return Math.ceil(minutes * 60);
}

function scenariosOf(names: readonly string[], known: readonly Scenario[]): Scenario[] {
  if (names.length === 0) throw new UsageError(`name a scenario: ${known.map(({ name }) => name).join(", ")} or all`);
  if (names.includes("all")) return [...known];
  return names.map((name) => {
    const scenario = known.find((other) => other.name === name);
    if (scenario === undefined) {
      throw new UsageError(`there is no scenario "${name}": ${known.map((other) => other.name).join(", ")}`);
    }
    return scenario;
  });
}

/** @returns undefined when only help was asked for; @throws UsageError */
export function parseEnduranceOptions(
  parameters: readonly string[],
  known: readonly Scenario[],
): EnduranceOptions | undefined {
  const { values, positionals } = readParameters(parameters);
  if (values.help === true) return undefined;
  const { clients, draws, rounds, minutes, count, seed } = values;
  return {
    scenarios: scenariosOf(positionals, known),
    portOffset: wholeNumber("port-offset", values["port-offset"] ?? String(PORT_OFFSET), 50_000),
    parameters: {
      ...(clients === undefined ? {} : { clients: wholeNumber("clients", clients, 1000) }),
      ...(draws === undefined ? {} : { draws: wholeNumber("draws", draws, 100_000_000) }),
      ...(rounds === undefined ? {} : { rounds: wholeNumber("rounds", rounds, 10_000) }),
      ...(minutes === undefined ? {} : { seconds: secondsOf(minutes) }),
      ...(count === undefined ? {} : { count: wholeNumber("count", count, 1_000_000) }),
      ...(seed === undefined ? {} : { seed: wholeNumber("seed", seed, 4_294_967_295) }),
    },
  };
}

function readParameters(parameters: readonly string[]) {
  const text = { type: "string" } as const;
  try {
    return parseArgs({
      args: [...parameters],
      allowPositionals: true,
      options: {
        clients: text,
        draws: text,
        rounds: text,
        minutes: text,
        count: text,
        seed: text,
        "port-offset": text,
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
