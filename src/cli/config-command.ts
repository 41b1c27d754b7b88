import { Command, Option } from "commander";
import { FolioError } from "../client/error.js";
import { segment } from "../client/rest-client.js";
import { type ConnectionOptions, connect, talksToServer } from "./connection.js";
import { exitCodeHelp } from "./exit-code.js";
import { counter, version } from "./option-values.js";
import { list, writeJson, writeMore, writeProperties, writeRows } from "./output.js";

interface SetOptions extends ConnectionOptions {
  readonly template?: string;
  readonly padding?: number;
  readonly separator?: string;
  readonly start?: number;
  readonly step?: number;
  readonly maximum?: number;
  readonly resetRule?: string;
  readonly timeZone?: string;
  readonly fiscalYearStart?: number;
  readonly scope?: string;
  readonly active?: boolean;
  readonly description?: string;
  readonly ifVersion?: number;
  readonly clientId?: string;
}

/** `folio config get|set|list` */
export function configCommand(): Command {
  return new Command("config")
    .description("show and change the definitions of sequences")
    .addCommand(getCommand())
    .addCommand(setCommand())
    .addCommand(listCommand())
    .addHelpText("after", exitCodeHelp);
}

function getCommand(): Command {
  const command = new Command("get").description("show a definition").argument("<prefix>", "the sequence");
  return talksToServer(command, ["folio config get INV", "folio config get INV -o json"]).action(
    async (prefix: string, options: ConnectionOptions) => {
      const body = await connect(options).call({
        method: "GET",
        path: `/config/${segment(prefix)}`,
        repeatability: "read",
      });
      if (options.output === "json") writeJson(body);
      else writeProperties(body);
    },
  );
}

function setCommand(): Command {
  const command = new Command("set")
    .description("create or change a definition (administrators); what is not given stays as it is")
    .argument("<prefix>", "the sequence")
    .option("--template <template>", "such as %s%06d or {PREFIX}{YYYY}-{SEQ:4}")
    .option("--padding <digits>", "least number of digits of the counter", counter)
    .option("--separator <text>", "between prefix and counter where there is no template")
    .option("--start <number>", "first number of every series", counter)
    .option("--step <number>", "distance between numbers", counter)
    .option("--maximum <number>", "last number that may be drawn", counter)
    .addOption(new Option("--reset-rule <rule>").choices(["never", "daily", "monthly", "yearly"]))
    .option("--time-zone <name>", "such as Europe/Berlin; says when a period begins")
    .option("--fiscal-year-start <month>", "1 to 12", counter)
    .addOption(
      new Option("--scope <scope>", "a series each for").choices(["global", "site", "partition", "document_type"]),
    )
    .option("--active", "numbers can be drawn")
    .option("--no-active", "draws are refused")
    .option("--description <text>")
    .option("--if-version <version>", "only if this version is in force", version)
    .option("--client-id <text>", "who changes it, for the journal");
  return talksToServer(command, [
    "folio config set INV --template '{PREFIX}{YYYY}-{SEQ:4}' --reset-rule yearly --api-key admin-demo",
    "folio config set SG --no-active --if-version 3",
  ]).action(async (prefix: string, options: SetOptions) => {
    const changes = changesOf(options);
    if (Object.values(changes).every((value) => value === undefined)) {
      throw new FolioError("VALIDATION_ERROR", "nothing to change was given; see folio config set --help");
    }
    const body = await connect(options).call({
      method: "POST",
      path: `/config/${segment(prefix)}`,
      body: { ...changes, client_id: options.clientId },
      headers: options.ifVersion === undefined ? {} : { "if-match": `"${options.ifVersion}"` },
      repeatability: "once",
    });
    if (options.output === "json") writeJson(body);
    else writeProperties(body);
  });
}

function changesOf(options: SetOptions): Record<string, unknown> {
  return {
    format_template: options.template,
    padding_length: options.padding,
    separator: options.separator,
    start: options.start,
    step: options.step,
    maximum: options.maximum,
    reset_rule: options.resetRule,
    time_zone: options.timeZone,
    fiscal_year_start: options.fiscalYearStart,
    scope: options.scope,
    is_active: options.active,
    description: options.description,
  };
}

function listCommand(): Command {
  const command = new Command("list")
    .description("show all sequences, a page at a time")
    .option("--after <prefix>", "where the page before ended")
    .option("--limit <count>", "how many, up to 1000", counter);
  return talksToServer(command, ["folio config list"]).action(
    async (options: ConnectionOptions & { readonly after?: string; readonly limit?: number }) => {
      const body = await connect(options).call({
        method: "GET",
        path: "/sequences",
        query: { after: options.after, limit: options.limit },
        repeatability: "read",
      });
      if (options.output === "json") {
        writeJson(body);
        return;
      }
      writeRows(list(body, "sequences"), definitionColumns);
      writeMore(body);
    },
  );
}

const definitionColumns = [
  ["PREFIX", "prefix"],
  ["TEMPLATE", "format_template"],
  ["RESET", "reset_rule"],
  ["TIME ZONE", "time_zone"],
  ["START", "start"],
  ["STEP", "step"],
  ["ACTIVE", "is_active"],
  ["VERSION", "version"],
] as const;
