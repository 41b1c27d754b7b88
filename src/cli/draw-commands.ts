import { Command, Option } from "commander";
import { FolioError } from "../client/error.js";
import { segment } from "../client/rest-client.js";
import { type ConnectionOptions, connect, talksToServer } from "./connection.js";
import { count } from "./option-values.js";
import { list, property, writeJson, writeLine, writeProperties, writeRows } from "./output.js";

interface DrawOptions extends ConnectionOptions {
  readonly plain?: true;
  readonly clientId?: string;
  readonly generatedBy?: string;
  readonly correlationId?: string;
  readonly site?: string;
  readonly partition?: string;
  readonly documentType?: string;
  readonly documentDate?: string;
  readonly documentRef?: string;
  readonly idempotencyKey?: string;
}

function draws(command: Command): Command {
  return command
    .option("--client-id <text>", "who draws, for the journal")
    .option("--generated-by <text>", "on whose behalf, for the journal")
    .option("--correlation-id <text>", "your own id of the transaction, for the journal")
    .option("--site <text>", "site, where the sequence numbers by it")
    .option("--partition <text>", "partition, where the sequence numbers by it")
    .option("--document-type <text>", "type of document, where the sequence numbers by it")
    .option("--document-date <date>", "YYYY-MM-DD; chooses the period; today if absent")
    .option("--document-ref <text>", "the document: one document, one number")
    .option("--idempotency-key <key>", "repeating with the same key gives the same answer; made up if absent")
    .addOption(new Option("--plain", "only the numbers, one per line").conflicts("output"));
}

function drawBody(prefix: string, options: DrawOptions): Record<string, unknown> {
  return {
    prefix,
    client_id: options.clientId,
    generated_by: options.generatedBy,
    correlation_id: options.correlationId,
    site: options.site,
    partition: options.partition,
    document_type: options.documentType,
    document_date: options.documentDate,
    document_ref: options.documentRef,
  };
}

/** `folio next PREFIX` */
export function nextCommand(): Command {
  const command = draws(new Command("next").description("draw the next number").argument("<prefix>", "the sequence"));
  return talksToServer(command, [
    "folio next SG",
    "NUMBER=$(folio next SG --plain)",
    "folio next INV --document-date 2026-11-20 --document-ref order-4711",
  ]).action(async (prefix: string, options: DrawOptions) => {
    const body = await connect(options).call({
      method: "POST",
      path: "/next",
      body: drawBody(prefix, options),
      repeatability: "keyed",
      idempotencyKey: options.idempotencyKey,
    });
    if (options.plain) writeLine(String(property(body, "full_number")));
    else if (options.output === "json") writeJson(body);
    else writeProperties(body);
  });
}

/** `folio batch PREFIX COUNT` */
export function batchCommand(): Command {
  const command = new Command("batch")
    .description("draw many numbers at once")
    .argument("<prefix>", "the sequence")
    .argument("<count>", "1 to 1000000; above 10000 the answer holds ranges only", count)
    .option("--contiguous", "one range without holes");
  return talksToServer(draws(command), ["folio batch SG 100", "folio batch SG 100 --plain > numbers.txt"]).action(
    async (prefix: string, amount: number, options: DrawOptions & { readonly contiguous?: true }) => {
      if (options.plain && amount > LISTED_MAX) {
        throw new FolioError("VALIDATION_ERROR", `with --plain, count must be an integer from 1 to ${LISTED_MAX}`);
      }
      const body = await connect(options).call({
        method: "POST",
        path: "/batch",
        body: { ...drawBody(prefix, options), count: amount, contiguous: options.contiguous, ...expansion(amount) },
        repeatability: "keyed",
        idempotencyKey: options.idempotencyKey,
      });
      if (options.plain) for (const number of list(body, "full_numbers")) writeLine(String(number));
      else if (options.output === "json") writeJson(body);
      else writeBatch(body);
    },
  );
}

/** The server lists single numbers up to this count and must be told that more is not expected to be listed. */
const LISTED_MAX = 10_000;

function expansion(amount: number): { readonly expand?: false } {
  return amount > LISTED_MAX ? { expand: false } : {};
}

function writeBatch(body: unknown): void {
  writeProperties(body, ["full_numbers", "ranges"]);
  writeRows(list(body, "ranges"), [
    ["FIRST", "first_full_number"],
    ["LAST", "last_full_number"],
    ["FIRST COUNTER", "first_counter"],
    ["LAST COUNTER", "last_counter"],
  ]);
}

/** `folio status PREFIX` */
export function statusCommand(): Command {
  const command = new Command("status")
    .description("show where a sequence stands, drawing nothing")
    .argument("<prefix>", "the sequence")
    .option("--site <text>", "site, where the sequence numbers by it")
    .option("--partition <text>", "partition, where the sequence numbers by it")
    .option("--document-type <text>", "type of document, where the sequence numbers by it")
    .addOption(
      new Option("--consistency <kind>", "linearizable, or local: as this node has it").choices([
        "linearizable",
        "local",
      ]),
    );
  return talksToServer(command, ["folio status SG", "folio status SG --consistency local -o json"]).action(
    async (prefix: string, options: DrawOptions & { readonly consistency?: string }) => {
      const body = await connect(options).call({
        method: "GET",
        path: `/status/${segment(prefix)}`,
        query: {
          consistency: options.consistency,
          site: options.site,
          partition: options.partition,
          document_type: options.documentType,
        },
        repeatability: "read",
      });
      if (options.output === "json") writeJson(body);
      else writeProperties(body);
    },
  );
}
