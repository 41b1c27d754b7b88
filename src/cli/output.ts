import Table from "cli-table3";
import { type Command, Option } from "commander";

export const outputFormats = ["table", "json"] as const;
export type OutputFormat = (typeof outputFormats)[number];

/** One column: its heading, and the property it shows or a way to get there. */
export type Column = readonly [heading: string, source: string | ((row: object) => unknown)];

/** No colours and no borders inside: the output is read by people and by cut alike. */
const plain = { style: { head: [], border: [], compact: true } };

/** Adds the option that every command has which prints more than a line. */
export function choosesOutput(command: Command, json = "the report by names that stay"): Command {
  const isTerminal = process.stdout.isTTY;
  return command.addOption(
    new Option("-o, --output <format>", `table, or json: ${json}`)
      .choices(outputFormats)
      .default(isTerminal ? "table" : "json", "table on a terminal, else json"),
  );
}

export function writeJson(body: unknown): void {
  process.stdout.write(`${JSON.stringify(body, undefined, 2)}\n`);
}

export function writeLine(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** One row per element, in the given columns. */
export function writeRows(rows: readonly unknown[], columns: readonly Column[]): void {
  const table = new Table({ head: columns.map(([heading]) => heading), ...plain });
  for (const row of rows) {
    if (typeof row === "object" && row !== null) table.push(columns.map(([, source]) => shown(cellOf(row, source))));
  }
  writeLine(table.toString());
}

/** Where the next page begins, if there is one. */
export function writeMore(page: unknown): void {
  const next = property(page, "next");
  if (typeof next === "string") writeLine(`more: --after ${next}`);
}

/** The properties of one object, a line each; lists and nested objects in JSON. */
export function writeProperties(body: unknown, without: readonly string[] = []): void {
  const table = new Table(plain);
  for (const [name, value] of Object.entries(Object(body))) {
    if (!without.includes(name)) table.push({ [name]: shown(value) });
  }
  writeLine(table.toString());
}

/** A property of a JSON body; undefined where it is absent or the body is no object. */
export function property(body: unknown, name: string): unknown {
  return typeof body === "object" && body !== null && Object.hasOwn(body, name) ? Reflect.get(body, name) : undefined;
}

/** A list in a JSON body; empty where it is absent. */
export function list(body: unknown, name: string): readonly unknown[] {
  const value = property(body, name);
  return Array.isArray(value) ? value : [];
}

function cellOf(row: object, source: Column[1]): unknown {
  return typeof source === "string" ? property(row, source) : source(row);
}

/** Control characters of stored texts must not reach a terminal. */
function shown(value: unknown): string {
  if (value === undefined || value === null) return "";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, "?");
}
