import { spawn, spawnSync } from "node:child_process";
import { text } from "node:stream/consumers";

const versionTimeoutMs = 5000;

/** Whether a program is installed; it must answer one of `-v` and `--version` by any output at all. */
export function isInstalled(program: string): boolean {
  return spawnSync(program, ["--version"], { timeout: versionTimeoutMs }).error === undefined;
}

/** Runs a program to its end. @returns what it wrote on stdout; @throws Error with what it wrote on stderr */
export async function runProgram(program: string, parameters: readonly string[], timeoutMs: number): Promise<string> {
  const child = spawn(program, parameters, { stdio: ["ignore", "pipe", "pipe"], timeout: timeoutMs });
  const ended = new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(code ?? signal));
  });
  const [output, complaints, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${complaints}${output}`);
  return output;
}
