import { parseArgs } from "node:util";
import { UsageError } from "../options.js";

export const faultNames = ["kill", "stop", "term", "kill-all", "cut", "hold", "one-way", "slow"] as const;
export type FaultName = (typeof faultNames)[number];

export interface ChaosOptions {
  readonly seconds: number;
  readonly nodes: number;
  readonly clients: number;
  /** Decides which fault comes when and where; the processes themselves are as random as they are. */
  readonly seed: number;
  readonly faults: readonly FaultName[];
}

export const chaosHelp = `Usage: npm run chaos [-- OPTIONS]

Starts a cluster of real processes on free loopback ports, draws numbers from all its nodes, and meanwhile kills,
stops and restarts nodes and disturbs the links between them. At the end every node is back, and the history of every sequence is judged: no number
twice, no gap that nobody can explain, real-time order. The exit code is 1 if anything is wrong.

Options:
  --seconds N        how long (default 30)
  --nodes 3|5        (default 3)
  --clients N        clients drawing at once (default 24)
  --seed N           which fault comes when and where (default: random, printed)
  --faults LIST      of ${faultNames.join(",")} (default: all)
                     kill: SIGKILL of one node; stop: SIGSTOP for some seconds; term: SIGTERM; kill-all: SIGKILL of all;
                     cut: connections between nodes break and are refused; hold: all that is sent is late; one-way: what
                     is sent in one direction is late; slow: every piece takes 40 ms
  --help             this text
`;

export function wholeNumber(option: string, text: string, most: number): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > most) {
    throw new UsageError(`--${option} takes whole numbers from 1 to ${most}, not "${text}"`);
  }
  return value;
}

function faultsOf(text: string): FaultName[] {
  return text.split(",").map((name) => {
    const fault = faultNames.find((known) => known === name.trim());
    if (fault === undefined) throw new UsageError(`--faults takes ${faultNames.join(", ")}, not "${name}"`);
    return fault;
  });
}

/** @returns undefined when only help was asked for; @throws UsageError */
export function parseChaosOptions(parameters: readonly string[]): ChaosOptions | undefined {
  const text = { type: "string" } as const;
  const options = {
    seconds: text,
    nodes: text,
    clients: text,
    seed: text,
    faults: text,
    help: { type: "boolean" },
  } as const;
  let values: ReturnType<typeof parseArgs<{ options: typeof options }>>["values"];
  try {
    ({ values } = parseArgs({ args: [...parameters], options, strict: true }));
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  if (values.help === true) return undefined;
  const nodes = wholeNumber("nodes", values.nodes ?? "3", 5);
  if (nodes !== 3 && nodes !== 5) throw new UsageError(`--nodes takes 3 or 5, not "${nodes}"`);
  return {
    seconds: wholeNumber("seconds", values.seconds ?? "30", 3600),
    nodes,
    clients: wholeNumber("clients", values.clients ?? "24", 1000),
    seed: wholeNumber("seed", values.seed ?? String(1 + Math.floor(Math.random() * 999_999)), 4_294_967_295),
    faults: faultsOf(values.faults ?? faultNames.join(",")),
  };
}
