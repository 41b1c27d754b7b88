import { writeFileSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { endWhenNobodyReads } from "../../src/cli/closed-output.js";
import { commitName } from "./commit.js";
import { MUTANTS } from "./mutants/catalogue.js";
import { type RunModule, withMutant } from "./mutants/mirror.js";
import { printMutants } from "./mutants/table.js";
import type { RunOutcome } from "./run.js";
import * as product from "./run.js";
import { JOBS_MAX, runnerHere, runnerInThread, runSeeds } from "./seed-runs.js";
import { shrink } from "./shrink.js";
import { Total } from "./total.js";

const SHRINK_RUNS_MAX = 600;
/** Asked for at the start: in an hour the checkout may have moved on, what was loaded has not. */
const COMMIT = commitName();

/** What is told of a run. */
type Told = Omit<RunOutcome, "trace">;

interface Options {
  readonly seed?: number;
  readonly from: number;
  readonly seeds: number;
  readonly minutes?: number;
  readonly nodes?: number;
  readonly jobs: number;
  readonly shrink: boolean;
  readonly trace?: string | true;
  readonly mutants: boolean;
  readonly mutant?: string;
  readonly keepGoing: boolean;
}

const program = new Command("simulate")
  .description("Runs the real cluster in a simulated world and tries to break it. A run is a seed.")
  .option("--seed <number>", "run this seed alone", wholeNumber)
  .option("--from <number>", "the first seed of many", wholeNumber, 1)
  .option("--seeds <count>", "how many seeds to run", wholeNumber, 100)
  .option("--minutes <minutes>", "run seeds until this much time has passed", Number)
  .addOption(
    new Option("--jobs <count>", `how many seeds run at once, each in a thread of its own (1 to ${JOBS_MAX} here)`)
      .argParser(jobCount)
      .default(1)
      .conflicts(["seed", "mutant", "mutants"]),
  )
  .option("--nodes <count>", "how many nodes found the cluster, in every run; otherwise the seed decides", wholeNumber)
  .option("--shrink", "make a failing run smaller, with the same finding", false)
  .option("--trace [file]", "print what happened in a single seed, or write it to a file")
  .option("--mutants", "plant every known bug in a copy and see who catches it", false)
  .option("--mutant <bug>", "plant this bug, as the table names it, in a copy and run that")
  .option("--keep-going", "do not stop at the first failing seed", false)
  .action(async (options: Options) => {
    process.exitCode = await simulate(options);
  });

endWhenNobodyReads();
await program.parseAsync();

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError("must be a whole number");
  return value;
}

function jobCount(text: string): number {
  const value = wholeNumber(text);
  if (value < 1 || value > JOBS_MAX) throw new InvalidArgumentError(`must be from 1 to ${JOBS_MAX}`);
  return value;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Returns the exit code. */
async function simulate(options: Options): Promise<number> {
  if (options.mutants) return (await printMutants(print)) ? 0 : 1;
  if (options.mutant === undefined) return run(options, product);
  const mutant = MUTANTS.find(({ bug }) => bug === options.mutant);
  if (mutant !== undefined) return withMutant(mutant, (mutated) => run(options, mutated));
  print(`There is no mutant ${options.mutant}; there are ${MUTANTS.map(({ bug }) => bug).join(", ")}.`);
  return 1;
}

function run(options: Options, subject: RunModule): Promise<number> {
  return options.seed === undefined ? runMany(options, subject) : runOne(options.seed, options, subject);
}

async function runOne(seed: number, options: Options, subject: RunModule): Promise<number> {
  const outcome = await subject.runSeed(seed, { isTraced: options.trace !== undefined, nodeCount: options.nodes });
  report(outcome, options);
  if (outcome.violation !== undefined && options.shrink) await printShrunk(outcome, options, subject);
  else if (outcome.trace !== undefined) {
    writeTrace(outcome.trace.lines, options.trace);
    print(`digest ${outcome.trace.digest}`);
  }
  return outcome.violation === undefined ? 0 : 1;
}

async function runMany(options: Options, subject: RunModule): Promise<number> {
  const { from, minutes, jobs, keepGoing, shrink: isShrunk, nodes: nodeCount } = options;
  const startedAt = performance.now();
  const endsAt = minutes === undefined ? Number.POSITIVE_INFINITY : startedAt + minutes * 60_000;
  const lastSeed = minutes === undefined ? from + options.seeds - 1 : Number.POSITIVE_INFINITY;
  const cpuBefore = process.cpuUsage();
  const total = new Total(startedAt);
  let isInterrupted = false;
  // What is under way ends, and what there was is told; a second one ends it at once.
  process.once("SIGINT", () => {
    isInterrupted = true;
  });
  const runners = jobs === 1 ? [runnerHere(subject.runSeed)] : Array.from({ length: jobs }, runnerInThread);
  const runs = await runSeeds(runners, {
    from,
    nodeCount,
    goesOn: (seed) =>
      seed <= lastSeed && performance.now() < endsAt && !isInterrupted && (keepGoing || total.failures === 0),
    ended: async (_, { plan, ...result }) => {
      total.add(result);
      if (plan === undefined) return;
      report({ plan, ...result }, options);
      if (isShrunk) await printShrunk({ plan, ...result }, options, subject);
    },
  });
  await Promise.all(runners.map((runner) => runner.close()));
  const { user, system } = process.cpuUsage(cpuBefore);
  if (process.stderr.isTTY) process.stderr.write(`\r${" ".repeat(72)}\r`);
  print(`commit ${COMMIT}: seeds ${from} to ${from + runs - 1}, ${total.failures} failed`);
  for (const line of total.lines((user + system) / 1000)) print(line);
  return total.failures === 0 ? 0 : 1;
}

function report({ plan, violation, simulatedMs, figures }: Told, options: Options): void {
  const what = violation === undefined ? "holds" : `FAILED at ${violation.atMs.toFixed(3)} ms`;
  print(`seed ${plan.seed} (commit ${COMMIT}, ${plan.nodeCount} nodes): ${what}`);
  if (violation === undefined) {
    print(
      `  ${simulatedMs.toFixed(0)} simulated ms, ${figures.steps} steps, ${figures.entries} entries, ${figures.effects} commands`,
    );
  } else {
    print(`  ${violation.checker}: ${violation.message}`);
    print(`  again: npm run simulate -- ${sameRun(plan.seed, options)} --trace    smaller: with --shrink`);
  }
}

/** What decides over a run. */
function sameRun(seed: number, { nodes, mutant }: Options): string {
  const founders = nodes === undefined ? "" : ` --nodes ${nodes}`;
  const bug = mutant === undefined ? "" : ` --mutant "${mutant}"`;
  return `--seed ${seed}${founders}${bug}`;
}

async function printShrunk({ plan, violation }: Told, options: Options, { runPlan }: RunModule): Promise<void> {
  if (violation === undefined) return;
  const small = await shrink(plan, violation.checker, { runsMax: SHRINK_RUNS_MAX, runPlan });
  const { faults, operations } = small.plan;
  print(
    `shrunk in ${small.runs} runs: ${faults.length} of ${plan.faults.length} faults, ${operations.length} of ${plan.operations.length} calls`,
  );
  for (const { atMs, kind, settings } of faults)
    print(`  at ${atMs.toFixed(1)} ms ${kind} ${JSON.stringify(settings)}`);
  const outcome = await runPlan(small.plan, { isTraced: true });
  if (options.trace !== undefined && outcome.trace !== undefined) writeTrace(outcome.trace.lines, options.trace);
  print(`  ${outcome.violation?.checker}: ${outcome.violation?.message}`);
}

function writeTrace(lines: readonly string[], where: string | true | undefined): void {
  const text = `${lines.join("\n")}\n`;
  if (typeof where === "string") writeFileSync(where, text);
  else process.stdout.write(text);
}
