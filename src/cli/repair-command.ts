import { Command } from "commander";
import { parseJoin } from "../config-values.js";
import { askLeader } from "../leader-calls.js";
import { PeerClient } from "../transport/peer-client.js";
import { CommandFailure } from "./command-failure.js";
import { requireFolder, requireUnused, setAside } from "./data-folder.js";
import { exitCode, exitCodeHelp } from "./exit-code.js";
import { asCommandFailure } from "./file-failures.js";
import { type FormerSeat, requireLost, WITHOUT_MAJORITY } from "./lost-seat.js";
import { peerAddress } from "./new-cluster.js";
import { milliseconds, nodeId } from "./option-values.js";
import { choosesOutput, type OutputFormat, writeJson, writeLine } from "./output.js";
import { rejoinSteps } from "./rejoin-steps.js";

interface RepairOptions {
  readonly dataDir: string;
  readonly nodeId: number;
  readonly join: readonly string[];
  readonly deadline: number;
  readonly output: OutputFormat;
}

const DEADLINE_MS = 15_000;

/** `folio repair --rejoin` */
export function repairCommand(): Command {
  const command = new Command("repair")
    .description("let a node whose data are damaged or lost begin anew in its cluster")
    .requiredOption("--rejoin", "what is done: the data are set aside, the seat is freed, and the node joins again")
    .requiredOption("--data-dir <folder>", "of the node, which must not be running")
    .requiredOption("--node-id <id>", "of the node", nodeId)
    .requiredOption("--join <addresses>", "peer addresses of other members, host:port, comma-separated", addresses)
    .option("--deadline <ms>", "how long the cluster may take to free the seat", milliseconds, DEADLINE_MS);
  return choosesOutput(command)
    .addHelpText("after", HELP)
    .action(async (options: RepairOptions) => {
      const repair = await run(options).catch((error: unknown) => {
        throw asCommandFailure(error);
      });
      if (options.output === "json") writeJson(repair.report);
      else writeReport(repair, options);
    });
}

const HELP = `
A majority of all voters must be up, without this node: the seat is freed by the cluster, not by this folder. Nothing is
deleted. What was done stays done when the command is interrupted; run it again. Without a majority, folio recover
--new-cluster lets a survivor go on alone, and folio restore makes a new cluster from a backup, which is all that a lone
node has.

Example:
  $ folio repair --rejoin --data-dir ./data/node-3 --node-id 3 --join 10.0.0.1:7070,10.0.0.2:7070
${exitCodeHelp}`;

function addresses(text: string): readonly string[] {
  for (const part of text.split(",")) peerAddress(part.trim());
  return parseJoin(text);
}

interface RepairReport {
  readonly node_id: number;
  readonly seat: "freed" | "free already";
  /** What the seat was; null: free already. */
  readonly kind: "voter" | "learner" | null;
  /** null: there was nothing to keep. */
  readonly set_aside: string | null;
}

interface Repair {
  readonly former: FormerSeat;
  readonly report: RepairReport;
}

async function run({ dataDir, nodeId, join, deadline }: RepairOptions): Promise<Repair> {
  // A slip in its name must not pass for a lost disk.
  await requireFolder(dataDir);
  await requireUnused(dataDir);
  const former = await requireLost({ nodeId, dataDir, join }, new PeerClient());
  // First the seat: as long as it is not free, the folder may be the best that there is.
  await freeSeat(nodeId, join, deadline);
  const aside = await setAside(dataDir, new Date());
  const seat = former.seat === undefined ? "free already" : "freed";
  return { former, report: { node_id: nodeId, seat, kind: former.seat?.kind ?? null, set_aside: aside ?? null } };
}

async function freeSeat(nodeId: number, join: readonly string[], deadlineMs: number): Promise<void> {
  const calls = new PeerClient();
  const ask: Parameters<typeof askLeader>[1]["ask"] = (address, request, ms) =>
    calls.changeMembers(address, request, ms);
  const answer = await askLeader({ kind: "remove", nodeId }, { ask, addresses: join, deadlineMs });
  switch (answer.kind) {
    case "done":
      return;
    case "refused": {
      const members = answer.reply.configuration?.members;
      if (members?.every(({ id }) => id !== nodeId) === true) return;
      throw new CommandFailure(exitCode.conflict, `the cluster does not free the seat: ${answer.reply.reason}`);
    }
    case "unheard":
      throw new CommandFailure(
        exitCode.notExecuted,
        `nothing was changed: no leader was found (${answer.why}); ${WITHOUT_MAJORITY}`,
      );
    case "unknown":
      throw new CommandFailure(exitCode.outcomeUnknown, `the seat may be free or not, run it again: ${answer.why}`);
  }
}

function writeReport({ report, former }: Repair, { nodeId, join, dataDir }: RepairOptions): void {
  writeLine(`The seat of node ${nodeId} is ${report.seat === "freed" ? "free now" : report.seat}.`);
  if (report.set_aside === null) writeLine(`There was nothing in ${dataDir} to set aside.`);
  else
    writeLine(`The data are set aside in ${report.set_aside}; delete them when nobody wants to look at them any more.`);
  writeLine(rejoinSteps({ nodeId, dataDir, join }, former));
}
