import { execFileSync } from "node:child_process";
import { cpus, loadavg } from "node:os";
import Table from "cli-table3";
import { LaunchError } from "../../cluster/launch-error.js";
import { UsageError } from "../options.js";
import { backup } from "./backup.js";
import { bounded } from "./bounded.js";
import { flips } from "./flips.js";
import { growth } from "./growth.js";
import { join } from "./join.js";
import { type EnduranceOptions, enduranceHelp, parseEnduranceOptions } from "./options.js";
import { restart } from "./restart.js";
import type { Findings, Scenario } from "./scenario.js";
import { transfer } from "./transfer.js";
import { twoFailures } from "./two-failures.js";
import { portsFrom, runScenario } from "./workshop.js";

const scenarios: readonly Scenario[] = [transfer, restart, join, twoFailures, growth, bounded, flips, backup];

function write(text: string): void {
  process.stdout.write(`${text}\n`);
}

function report(scenario: Scenario, { tables, faults, misses }: Findings): void {
  for (const { title, head, rows } of tables) {
    const table = new Table({ head: [...head], style: { head: [], border: [], compact: true } });
    for (const row of rows) table.push([...row]);
    write(`\n${scenario.name}: ${title}\n${table.toString()}`);
  }
  for (const fault of faults) write(`WRONG: ${fault}`);
  for (const miss of misses) write(`MISSED: ${miss}`);
  if (faults.length + misses.length === 0) write(`${scenario.name}: nothing is wrong`);
}

/** @returns the exit code */
async function endure({ scenarios: chosen, parameters, portOffset }: EnduranceOptions): Promise<number> {
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  const [processor] = cpus();
  const machine = `${cpus().length} × ${processor?.model ?? "unknown"}, Node ${process.version}`;
  write(`commit ${commit}, ${machine}, load average ${loadavg()[0]?.toFixed(1)} before`);
  const ports = portsFrom(portOffset);
  let isWell = true;
  for (const scenario of chosen) {
    write(`\n${scenario.name}: ${scenario.about}`);
    const findings = await runScenario(scenario, { parameters, ports, say: (text) => write(`  ${text}`) });
    report(scenario, findings);
    isWell &&= findings.faults.length + findings.misses.length === 0;
  }
  return isWell ? 0 : 1;
}

// Ctrl-C ends this process, and with it the nodes.
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    write(`ended by ${signal}`);
    process.exit(130);
  });
}
try {
  const options = parseEnduranceOptions(process.argv.slice(2), scenarios);
  if (options === undefined) write(enduranceHelp(scenarios).trimEnd());
  else process.exitCode = await endure(options);
} catch (error) {
  if (!(error instanceof UsageError || error instanceof LaunchError)) throw error;
  process.stderr.write(`endurance: ${error.message}${error instanceof UsageError ? "; --help says more" : ""}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
