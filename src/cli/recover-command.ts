import { createInterface } from "node:readline/promises";
import { Command, Option } from "commander";
import { planKeeperIn } from "../directory-marks.js";
import { openToRecover, runOn } from "../node-stores.js";
import { type RecoveryReport, recoverNewCluster, requireSeat } from "../recovery/recover-new-cluster.js";
import type { RecoveryPlan } from "../recovery/recovery-plan.js";
import { possibleLoss, type Survey, survey } from "../recovery/survey.js";
import { systemClock, systemRandomness } from "../system-ports.js";
import { CommandFailure } from "./command-failure.js";
import { requireStores, requireUnused } from "./data-folder.js";
import { exitCode, exitCodeHelp } from "./exit-code.js";
import { asCommandFailure } from "./file-failures.js";
import { clusterReport, nextSteps, notice, peerAddress, writeSeries } from "./new-cluster.js";
import { nodeId, safetyDistance } from "./option-values.js";
import { choosesOutput, type OutputFormat, writeJson, writeLine, writeProperties } from "./output.js";

interface RecoverOptions {
  readonly dataDir: string;
  readonly nodeId: number;
  readonly address?: string;
  readonly safetyDistance: number;
  readonly yes?: true;
  readonly output: OutputFormat;
}

/** `folio recover --new-cluster` */
export function recoverCommand(): Command {
  const command = new Command("recover")
    .description("after the loss of a quorum: make one surviving node the only member of a new cluster")
    .requiredOption("--new-cluster", "what is done: said aloud, since what the lost nodes knew is given up")
    .requiredOption("--data-dir <folder>", "of the surviving node, which must not be running")
    .requiredOption("--node-id <id>", "of the surviving node", nodeId)
    .option("--address <host:port>", "of its peer listener, if that is another one now", peerAddress)
    .addOption(
      new Option(
        "--safety-distance <count>",
        "numbers that every series skips: those that may be drawn and not known here",
      )
        .argParser(safetyDistance)
        .default(0),
    )
    .option("--yes", "do not ask");
  return choosesOutput(command)
    .addHelpText("after", HELP)
    .action(async (options: RecoverOptions) => {
      const report = await run(options).catch((error: unknown) => {
        throw asCommandFailure(error);
      });
      if (options.output === "json") writeJson(reportOf(report));
      else writeReport(report, options);
    });
}

const HELP = `
Take the survivor that knows most: compare "log ends at entry" over all of them; without a confirmation nothing changes.
As long as a majority can come back, start it instead: then nothing is lost. When it fails or is interrupted, no node starts on
the folder until it has run again; that run goes on from what the first one knew, with the larger of both safety distances.

Examples:
  $ folio recover --new-cluster --data-dir ./data/node-1 --node-id 1
  $ folio recover --new-cluster --data-dir ./data/node-1 --node-id 1 --safety-distance 1000 --yes
${exitCodeHelp}`;

async function run(options: RecoverOptions): Promise<RecoveryReport> {
  const { dataDir, nodeId, safetyDistance } = options;
  await requireStores(dataDir);
  await requireUnused(dataDir);
  return runOn(await openToRecover({ dataDir, nodeId, notice }), async (stores) => {
    const keeper = await planKeeperIn(dataDir);
    const known = survey(stores, nodeId);
    // Nobody confirms a loss for nothing.
    const { address: own } = requireSeat(known);
    writeSurvey(known);
    if (keeper.interrupted !== undefined) writeInterrupted(keeper.interrupted, safetyDistance);
    if (options.yes === undefined) await confirm();
    const address = options.address ?? own;
    const clusterId = systemRandomness.id();
    return recoverNewCluster(stores, { nodeId, address, clusterId, safetyDistance, now: systemClock.wall() }, keeper);
  });
}

/** On stderr: it is for whoever decides, not for whoever reads the result. */
function writeSurvey(known: Survey): void {
  const { nodeId, seat, configuration, term, logEnd, applied, newestTime } = known;
  const lines = [
    `node ${nodeId}, ${seat === "none" ? "without a seat" : seat} in cluster ${configuration.clusterId} of ${configuration.members.length}`,
    `log ends at entry ${logEnd.index} of term ${logEnd.term}; newest term known: ${term}`,
    `state has applied entry ${applied.index}; newest entry is of ${new Date(newestTime).toISOString()}`,
    "",
    "What may be lost, and what to mind:",
    ...possibleLoss(known).map((loss) => `- ${loss}`),
    "",
  ];
  process.stderr.write(`${lines.join("\n")}\n`);
}

/** What this run takes from the one that was interrupted: its own options alone would be too little. */
function writeInterrupted(interrupted: RecoveryPlan, safetyDistance: number): void {
  const { knownUntil } = interrupted;
  const slots = Math.max(safetyDistance, interrupted.safetyDistance);
  notice(
    `this goes on from an interrupted run: what was drawn since ${new Date(knownUntil).toISOString()} may be unknown here, and every series ` +
      `skips ${slots} slots, the larger of its safety distance, ${interrupted.safetyDistance}, and of this run's, ${safetyDistance}`,
  );
}

async function confirm(): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new CommandFailure(exitCode.usage, "nothing was changed: confirm with --yes, since nobody can be asked here");
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question('Go on alone with what this node knows? Type "yes": ');
    if (answer.trim() === "yes") return;
  } finally {
    terminal.close();
  }
  throw new CommandFailure(exitCode.usage, "nothing was changed: that was not a yes");
}

function reportOf(report: RecoveryReport) {
  const { configuration, logEnd, applied } = report.before;
  const before = { cluster_id: configuration.clusterId, log_end: logEnd.index, applied: applied.index };
  return { ...clusterReport(report), before };
}

function writeReport(report: RecoveryReport, options: RecoverOptions): void {
  const { before: _, series: __, members, ...cluster } = reportOf(report);
  writeLine(`Node ${options.nodeId} is the only member of a new cluster:`);
  writeProperties(cluster);
  writeSeries(clusterReport(report));
  writeLine(nextSteps({ ...options, address: members[0]?.address ?? "" }));
}
