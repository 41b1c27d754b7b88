import { Command, CommanderError } from "commander";
import { FolioError } from "../client/error.js";
import { CommandFailure } from "./command-failure.js";
import { exitCode, exitCodeHelp, exitCodeOf } from "./exit-code.js";

/** The `folio` command around the given subcommands. */
export function buildProgram(version: string, subcommands: readonly Command[]): Command {
  const program = new Command("folio")
    .description("sequential document numbers from a replicated cluster")
    .version(version)
    .showHelpAfterError("(folio --help says more)")
    .addHelpText("after", exitCodeHelp);
  for (const subcommand of subcommands) program.addCommand(subcommand);
  endByException(program);
  return program;
}

/** Commander would end the process itself, with 1 for every error of usage. */
function endByException(command: Command): void {
  command.exitOverride();
  for (const subcommand of command.commands) endByException(subcommand);
}

/** Runs the command line. @returns the exit code; what went wrong is on stderr, in one sentence */
export async function runProgram(program: Command, parameters: readonly string[]): Promise<number> {
  try {
    await program.parseAsync(parameters, { from: "user" });
    return exitCode.ok;
  } catch (error) {
    // Commander has written its message already; --help and --version come here, too.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.usage;
    if (error instanceof FolioError) {
      process.stderr.write(`${sentenceOf(error)}\n`);
      return exitCodeOf(error.code);
    }
    if (error instanceof CommandFailure) {
      process.stderr.write(`folio: ${oneLine(error.message)}\n`);
      return error.exitCode;
    }
    process.stderr.write(`folio: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return exitCode.unexpected;
  }
}

/** Names the code, the field where the sentence does not, and the request for whoever reads the node's logs. */
function sentenceOf(error: FolioError): string {
  const field = error.field === "" || error.message.includes(error.field) ? "" : `${error.field}: `;
  const request = error.requestId === "" ? "" : ` (request ${error.requestId})`;
  return `folio: ${error.code}: ${field}${oneLine(error.message)}${request}`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ");
}
