import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { variableNames } from "../src/config.js";

export interface NodeProcessOptions {
  readonly id: number;
  /** Program and parameters, run with this Node. */
  readonly command: readonly string[];
  /** The whole environment of the process. */
  readonly env: NodeJS.ProcessEnv;
  /** stdout and stderr are appended here: a node never waits for whoever started it to read. */
  readonly logPath: string;
}

export interface NodeExit {
  readonly id: number;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of what it wrote since it was started. */
  readonly lastLines: readonly string[];
}

export function describeExit({ id, code, signal, lastLines }: NodeExit): string {
  const how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
  return `node ${id} ${how}${lastLines.length === 0 ? "; it wrote nothing" : `; its last lines:\n${lastLines.join("\n")}`}`;
}

const lastLinesMax = 20;

/** One run of one node's process, from its start to its end. */
export class NodeProcess {
  readonly id: number;
  readonly pid: number;
  /** Resolves when the process has ended, whatever the reason. */
  readonly exited: Promise<NodeExit>;
  readonly #child: ChildProcess;
  readonly #logPath: string;
  readonly #logStart: number;

  private constructor(child: ChildProcess, pid: number, options: NodeProcessOptions, logStart: number) {
    this.#child = child;
    this.#logPath = options.logPath;
    this.#logStart = logStart;
    this.id = options.id;
    this.pid = pid;
    this.exited = once(child, "exit").then(([code, signal]) => ({
      id: this.id,
      code,
      signal,
      lastLines: this.lastLines(),
    }));
  }

  static async start(options: NodeProcessOptions): Promise<NodeProcess> {
    const log = openSync(options.logPath, "a");
    try {
      const logStart = statSync(options.logPath).size;
      const child = spawn(process.execPath, options.command, {
        env: options.env,
        stdio: ["ignore", log, log],
        // A group of its own: Ctrl-C in the terminal must reach whoever stops the nodes in order, not the nodes.
        detached: true,
      });
      await once(child, "spawn");
      const { pid } = child;
      if (pid === undefined) throw new Error(`node ${options.id} has no process id although it was started`);
      return new NodeProcess(child, pid, options, logStart);
    } finally {
      closeSync(log);
    }
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Does nothing once the process has ended: its id may belong to another by then. */
  signal(signal: NodeJS.Signals): void {
    if (this.running) this.#child.kill(signal);
  }

  lastLines(): readonly string[] {
    const text = readFileSync(this.#logPath).subarray(this.#logStart).toString("utf8").trimEnd();
    return text === "" ? [] : text.split("\n").slice(-lastLinesMax);
  }
}

/** What runs a node: `folio node`, as compiled beside this file. */
export function nodeCommand(): readonly string[] {
  return [fileURLToPath(new URL("../src/cli/main.js", import.meta.url)), "node"];
}

/** What this process has in its environment and Folio does not read: a test's own settings must not leak into nodes. */
export function foreignEnvironment(): NodeJS.ProcessEnv {
  const ours: readonly string[] = variableNames;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.includes(name)));
}
