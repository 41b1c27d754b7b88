import { availableParallelism } from "node:os";
import { setImmediate } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { RunOutcome } from "./run.js";

/** What a run of many seeds keeps of one. */
export type SeedResult = Omit<RunOutcome, "plan" | "trace"> & {
  /** Only of a failing run: the others are many. */
  readonly plan: RunOutcome["plan"] | undefined;
};

/** Runs one seed at a time. */
export interface SeedRunner {
  run(seed: number, nodeCount: number | undefined): Promise<SeedResult>;
  close(): Promise<void>;
}

/** What a thread is asked for; it answers with a SeedResult. */
export interface SeedTask {
  readonly seed: number;
  readonly nodeCount: number | undefined;
}

/** More threads than this share the cores, and each run takes longer. */
export const JOBS_MAX = Math.max(1, availableParallelism());

export function asSeedResult({ plan, trace, ...result }: RunOutcome): SeedResult {
  return { ...result, plan: result.violation === undefined ? undefined : plan };
}

/** In this thread. */
export function runnerHere(runSeed: typeof import("./run.js").runSeed): SeedRunner {
  return {
    run: async (seed, nodeCount) => {
      const result = asSeedResult(await runSeed(seed, { nodeCount }));
      // A run leaves no turn of the event loop to signals.
      await setImmediate();
      return result;
    },
    close: async () => {},
  };
}

/** In a thread of its own: a run shares nothing with another, so that where it runs makes no difference to it. */
export function runnerInThread(): SeedRunner {
  const worker = new Worker(new URL("./seed-worker.js", import.meta.url));
  return {
    run: (seed, nodeCount) =>
      new Promise((resolve, reject) => {
        const forget = () => worker.off("message", succeed).off("error", fail).off("exit", end);
        const succeed = (result: SeedResult) => {
          forget();
          resolve(result);
        };
        const fail = (error: unknown) => {
          forget();
          reject(new Error(`the thread that ran seed ${seed} failed: ${String(error)}`));
        };
        const end = () => fail("it ended");
        worker.on("message", succeed).on("error", fail).on("exit", end);
        worker.postMessage({ seed, nodeCount } satisfies SeedTask);
      }),
    close: async () => {
      await worker.terminate();
    },
  };
}

/**
 * Runs the seeds from `from` on, in order, as many at once as there are runners, until `goesOn` says no. What has
 * begun is ended and told, so that no seed in between is left out. Returns how many there were.
 */
export async function runSeeds(
  runners: readonly SeedRunner[],
  options: {
    readonly from: number;
    readonly nodeCount: number | undefined;
    readonly goesOn: (seed: number) => boolean;
    readonly ended: (seed: number, result: SeedResult) => Promise<void>;
  },
): Promise<number> {
  let next = options.from;
  const lane = async (runner: SeedRunner) => {
    while (options.goesOn(next)) {
      const seed = next++;
      await options.ended(seed, await runner.run(seed, options.nodeCount));
    }
  };
  await Promise.all(runners.map(lane));
  return next - options.from;
}
