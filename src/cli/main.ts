#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { auditCommand } from "./audit-command.js";
import { endWhenNobodyReads } from "./closed-output.js";
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

endWhenNobodyReads();
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
