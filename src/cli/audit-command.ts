import { Command, Option } from "commander";
import { type FolioRestClient, type QueryValue, segment } from "../client/rest-client.js";
import { type ConnectionOptions, connect, talksToServer } from "./connection.js";
import { pageLimit } from "./option-values.js";
import { list, property, writeJson, writeMore, writeRows } from "./output.js";

interface AuditOptions extends ConnectionOptions {
  readonly limit: number;
  readonly after?: string;
  readonly all?: true;
  readonly kind?: string;
  readonly from?: string;
  readonly to?: string;
  readonly clientId?: string;
  readonly generatedBy?: string;
  readonly correlationId?: string;
}

const columns = [
  ["TIME", "time"],
  ["MESSAGE ID", "message_id"],
  ["KIND", "kind"],
  ["FROM", "first_full_number"],
  ["TO", "last_full_number"],
  ["COUNT", "count"],
  ["OLD", "old_value"],
  ["NEW", "new_value"],
  ["REASON", "reason"],
  ["CLIENT", "client_id"],
  ["BY", "generated_by"],
  ["PRINCIPAL", "principal"],
  ["REQUEST", "request_id"],
] as const;

/** `folio audit PREFIX` */
export function auditCommand(): Command {
  const command = new Command("audit")
    .description("show what happened to a sequence: draws, resets and changes, oldest first")
    .argument("<prefix>", "the sequence")
    .option("--limit <count>", "records per page, 1 to 1000", pageLimit, 100)
    .option("--after <message-id>", "records after this one: `next` of the page before")
    .option("--all", "follow the pages to the end")
    .addOption(new Option("--kind <kind>", "only this kind").choices(["drawn", "reset", "configured"]))
    .option("--from <time>", "RFC 3339, inclusive")
    .option("--to <time>", "RFC 3339, exclusive")
    .option("--client-id <text>", "only this client's")
    .option("--generated-by <text>", "only what was done on this one's behalf")
    .option("--correlation-id <text>", "only this transaction");
  return talksToServer(command, [
    "folio audit INV --limit 20",
    "folio audit INV --kind reset -o json",
    "folio audit SG --all --from 2026-11-20T00:00:00Z",
  ]).action(async (prefix: string, options: AuditOptions) => {
    const client = connect(options);
    let after = options.after;
    do {
      const page = await auditPage(client, prefix, { ...filters(options), after });
      if (options.output === "json") writeJson(page);
      else writePage(page, options);
      const next = property(page, "next");
      after = typeof next === "string" ? next : undefined;
    } while (options.all && after !== undefined);
  });
}

function auditPage(client: FolioRestClient, prefix: string, query: Record<string, QueryValue>): Promise<unknown> {
  return client.call({ method: "GET", path: `/audit/${segment(prefix)}`, query, repeatability: "read" });
}

function filters(options: AuditOptions): Record<string, QueryValue> {
  return {
    limit: options.limit,
    kind: options.kind,
    from: options.from,
    to: options.to,
    client_id: options.clientId,
    generated_by: options.generatedBy,
    correlation_id: options.correlationId,
  };
}

function writePage(page: unknown, options: AuditOptions): void {
  writeRows(list(page, "records"), columns);
  if (!options.all) writeMore(page);
}
