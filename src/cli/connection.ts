import { type Command, Option } from "commander";
import { FolioError } from "../client/error.js";
import { defaultRetryLimits } from "../client/failover.js";
import { FolioRestClient } from "../client/rest-client.js";
import { exitCodeHelp } from "./exit-code.js";
import { milliseconds } from "./option-values.js";
import { choosesOutput, type OutputFormat } from "./output.js";

/** The options of every command that talks to a node. */
export interface ConnectionOptions {
  readonly server: string;
  readonly apiKey?: string;
  readonly deadline: number;
  readonly output: OutputFormat;
}

/** Adds the options and, below the command's help, its examples and the exit codes. */
export function talksToServer(command: Command, examples: readonly string[]): Command {
  command
    .addOption(
      new Option("--server <addresses>", "REST addresses of nodes, comma-separated: all are tried")
        .env("FOLIO_SERVER")
        .default("http://127.0.0.1:8080"),
    )
    .addOption(new Option("--api-key <key>", "sent as X-API-Key").env("FOLIO_API_KEY"))
    .addOption(
      new Option("--deadline <ms>", "how long the call may take with all its retries")
        .argParser(milliseconds)
        .default(defaultRetryLimits.deadlineMs),
    );
  return choosesOutput(command, "the server's answer as it is").addHelpText(
    "after",
    `\nExamples:\n${examples.map((example) => `  $ ${example}`).join("\n")}\n${exitCodeHelp}`,
  );
}

export function connect(options: ConnectionOptions): FolioRestClient {
  const servers = options.server
    .split(",")
    .map((server) => server.trim())
    .filter((server) => server !== "");
  if (servers.length === 0) throw new FolioError("VALIDATION_ERROR", "--server names no server", { field: "server" });
  return new FolioRestClient({
    servers,
    deadlineMs: options.deadline,
    ...(options.apiKey === undefined ? {} : { apiKey: options.apiKey }),
  });
}
