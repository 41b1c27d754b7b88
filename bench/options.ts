import { parseArgs } from "node:util";

export interface BenchOptions {
  /** Seconds of each measurement, after a shorter run to warm up. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly protocols: readonly ("rest" | "grpc")[];
  readonly inFlight: readonly number[];
  readonly nodes: number;
  /** Which node the load goes to. */
  readonly at: "leader" | "follower";
  /** Use the generators written in JavaScript even where wrk and h2load are installed. */
  readonly builtIn: boolean;
  /** Where to write the results as JSON. */
  readonly json: string | undefined;
}

export const help = `Usage: npm run bench [-- OPTIONS]

Starts a cluster of its own on free loopback ports, draws numbers through REST and gRPC, and compares with a bare
fastify and a bare grpc-js server in the same run. After each load the sequence's status must agree with what was
acknowledged. See bench/README.md.

Options:
  --quick              2 s per measurement instead of 10
  --seconds N          so many seconds per measurement
  --only rest,grpc     protocols
  --in-flight 1,64     requests under way (default 1,64,256)
  --nodes 1|3|5        (default 3)
  --at leader|follower which node takes the requests (default leader)
  --built-in           the generators in JavaScript, even where wrk and h2load are installed
  --json FILE          write the results there, too
  --help               this text
`;

/** The command line does not make sense; the message says why. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

function oneOf<Value extends string>(option: string, text: string, allowed: readonly Value[]): Value {
  const found = allowed.find((value) => value === text);
  if (found === undefined) throw new UsageError(`--${option} takes ${allowed.join(", ")}, not "${text}"`);
  return found;
}

function wholeNumber(option: string, text: string, most: number): number {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > most)
    throw new UsageError(`--${option} takes whole numbers from 1 to ${most}, not "${text}"`);
  return value;
}

/** @returns undefined when only help was asked for; @throws UsageError */
export function parseOptions(parameters: readonly string[]): BenchOptions | undefined {
  const values = readParameters(parameters);
  if (values.help === true) return undefined;
  const seconds = wholeNumber("seconds", values.seconds ?? (values.quick === true ? "2" : "10"), 600);
  return {
    seconds,
    warmUpSeconds: Math.max(1, Math.ceil(seconds / 5)),
    protocols: values.only.split(",").map((text) => oneOf("only", text, ["rest", "grpc"])),
    inFlight: values["in-flight"].split(",").map((text) => wholeNumber("in-flight", text, 4096)),
    nodes: Number(oneOf("nodes", values.nodes, ["1", "3", "5"])),
    at: oneOf("at", values.at, ["leader", "follower"]),
    builtIn: values["built-in"] === true,
    json: values.json,
  };
}

function readParameters(parameters: readonly string[]) {
  try {
    return parseArgs({
      args: [...parameters],
      options: {
        quick: { type: "boolean" },
        seconds: { type: "string" },
        only: { type: "string", default: "rest,grpc" },
        "in-flight": { type: "string", default: "1,64,256" },
        nodes: { type: "string", default: "3" },
        at: { type: "string", default: "leader" },
        "built-in": { type: "boolean" },
        json: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
