#!/usr/bin/env node
// Runs the checks that judge the sources without starting anything; `npm run check -- --help` lists them.
import { parseArgs } from "node:util";
import { CheckFailure } from "./checks/outcome.mjs";

const names = [
  ...["types", "lint", "imports", "clocks", "dead-code", "generated", "protocols", "dependencies", "deployment"],
];

async function load(selected) {
  return Promise.all(selected.map((name) => import(`./checks/${name}.mjs`)));
}

const help = `Usage: npm run check [-- CHECK...]      all checks, or those named
       npm run lint [-- --fix]         format and lint only; --fix repairs what is safe to repair

Exits 1 if a check fails or looked at nothing.

Options:
  --fix    let lint rewrite files
  --list   names only
  --help   this text

Checks:
`;

async function printHelp() {
  const checks = await load(names);
  const lines = checks.map(({ name, about }) => `  ${name.padEnd(14)} ${about}`);
  process.stdout.write(`${help}${lines.join("\n")}\n`);
}

function runOne(check, options) {
  const started = process.hrtime.bigint();
  const spent = () => `${(Number(process.hrtime.bigint() - started) / 1e9).toFixed(1)} s`;
  try {
    const looked = check.run(options);
    process.stdout.write(`ok      ${check.name.padEnd(14)} ${spent().padStart(7)}  ${looked}\n`);
    return true;
  } catch (error) {
    process.stdout.write(`not ok  ${check.name.padEnd(14)} ${spent().padStart(7)}\n`);
    const text = error instanceof CheckFailure ? error.message : error.stack;
    process.stdout.write(`${text.replace(/^/gm, "        ")}\n`);
    return false;
  }
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { fix: { type: "boolean" }, list: { type: "boolean" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help) return printHelp();
  if (values.list) return void process.stdout.write(`${names.join("\n")}\n`);
  const unknown = positionals.filter((name) => !names.includes(name));
  if (unknown.length > 0)
    throw new CheckFailure(`no such check: ${unknown.join(", ")}; there are ${names.join(", ")}.`);
  const checks = await load(positionals.length > 0 ? positionals : names);
  const outcomes = checks.map((check) => runOne(check, { fix: values.fix === true }));
  if (!outcomes.every(Boolean)) process.exitCode = 1;
}

main().catch((error) => {
  const known = error instanceof CheckFailure || error.code?.startsWith("ERR_PARSE_ARGS");
  process.stderr.write(`${known ? error.message : error.stack}\n`);
  process.exitCode = 2;
});
