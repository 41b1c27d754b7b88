import { Command } from "commander";
import { type ConnectionOptions, connect, talksToServer } from "./connection.js";
import { counter, version } from "./option-values.js";
import { writeJson, writeProperties } from "./output.js";

interface ResetOptions extends ConnectionOptions {
  readonly reason: string;
  readonly force?: true;
  readonly expectedVersion?: number;
  readonly period?: string;
  readonly site?: string;
  readonly partition?: string;
  readonly documentType?: string;
  readonly clientId?: string;
}

/** `folio reset PREFIX NEW_VALUE --reason …` */
export function resetCommand(): Command {
  const command = new Command("reset")
    .description("move a counter (administrators); the next number is NEW_VALUE + step")
    .argument("<prefix>", "the sequence")
    .argument("<new-value>", "the counter afterwards", counter)
    .requiredOption("--reason <text>", "why, for the journal (required)")
    .option("--force", "also where numbers that were issued would be handed out again")
    .option("--expected-version <version>", "only if this version of the definition is in force", version)
    .option("--period <period>", "as answers name it; the current one if absent")
    .option("--site <text>", "site, where the sequence numbers by it")
    .option("--partition <text>", "partition, where the sequence numbers by it")
    .option("--document-type <text>", "type of document, where the sequence numbers by it")
    .option("--client-id <text>", "who resets, for the journal");
  return talksToServer(command, [
    'folio reset SG 1000 --reason "numbers up to 1000 were issued by the old system" --api-key "$ADMIN_KEY"',
    "folio reset SG 0 --force --reason 'test data' --api-key admin-demo",
  ]).action(async (prefix: string, newValue: number, options: ResetOptions) => {
    const body = await connect(options).call({
      method: "POST",
      path: "/reset",
      body: {
        prefix,
        new_value: newValue,
        reason: options.reason,
        force: options.force,
        expected_version: options.expectedVersion,
        period: options.period,
        site: options.site,
        partition: options.partition,
        document_type: options.documentType,
        client_id: options.clientId,
      },
      repeatability: "once",
    });
    if (options.output === "json") writeJson(body);
    else writeProperties(body);
  });
}
