#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { auditCommand } from "./audit-command.js";
import { configCommand } from "./config-command.js";
import { batchCommand, nextCommand, statusCommand } from "./draw-commands.js";
import { exitCode } from "./exit-code.js";
import { membersCommand } from "./members-command.js";
import { loadProcessCommands } from "./process-commands.js";
import { buildProgram, runProgram } from "./program.js";
import { resetCommand } from "./reset-command.js";

/** package.json is three folders above dist/src/cli. */
const packagePath = new URL("../../../package.json", import.meta.url);
const { version } = JSON.parse(readFileSync(packagePath, "utf8")) as { readonly version: string };

// Whoever reads the output may have seen enough (`folio audit SG --all | head`).
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(exitCode.ok);
});

const parameters = process.argv.slice(2);
const program = buildProgram(version, [
  nextCommand(),
  batchCommand(),
  statusCommand(),
  configCommand(),
  resetCommand(),
  auditCommand(),
  membersCommand(),
  ...(await loadProcessCommands(parameters, version)),
]);
const code = await runProgram(program, parameters);
// A command that ran well may have set a code of its own.
if (code !== exitCode.ok) process.exitCode = code;
