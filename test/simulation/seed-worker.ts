import { parentPort } from "node:worker_threads";
import { runSeed } from "./run.js";
import { asSeedResult, type SeedTask } from "./seed-runs.js";

/** Runs the seeds that it is asked for, one after the other, until it is ended. */
parentPort?.on("message", async ({ seed, nodeCount }: SeedTask) => {
  parentPort?.postMessage(asSeedResult(await runSeed(seed, { nodeCount })));
});
