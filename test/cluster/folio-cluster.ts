import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Test } from "tap";
import { localPorts, whyPortIsTaken } from "../../cluster/ports.js";

export const cliEntry = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));
export const host = "127.0.0.1";

/** A shift at which all ports of so many nodes are free. */
export async function freeOffset(nodes = 3): Promise<number> {
  for (;;) {
    const offset = 10_000 + Math.floor(Math.random() * 12_000);
    const ids = Array.from({ length: nodes }, (_, place) => place + 1);
    const ports = ids.flatMap((id) => Object.values(localPorts(id, offset)));
    const taken = await Promise.all(ports.map((port) => whyPortIsTaken(port, host)));
    if (taken.every((reason) => reason === undefined)) return offset;
  }
}

export interface Run {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  output(): string;
  /** Resolves when the output holds the text; rejects if the command ends before. */
  shows(text: string): Promise<void>;
}

/** `folio cluster` with these parameters; ended with the test. */
export function folioCluster(t: Test, ...parameters: string[]): Run {
  const child = spawn(process.execPath, [cliEntry, "cluster", ...parameters], { stdio: ["ignore", "pipe", "pipe"] });
  t.teardown(() => child.kill("SIGTERM"));
  let output = "";
  const collect = (chunk: Buffer): void => {
    output += chunk.toString();
    child.emit("output");
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  const exited = once(child, "close").then(([code]) => code as number | null);
  const shows = async (text: string): Promise<void> => {
    while (!output.includes(text)) {
      const ended = await Promise.race([once(child, "output").then(() => false), exited.then(() => true)]);
      if (ended && !output.includes(text)) throw new Error(`folio cluster ended: ${output}`);
    }
  };
  return { child, exited, output: () => output, shows };
}

export async function next(origin: string, prefix: string): Promise<string> {
  const response = await fetch(`${origin}/api/v1/next/${prefix}`);
  const { full_number } = (await response.json()) as { readonly full_number: string };
  return full_number;
}
