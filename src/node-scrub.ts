import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { verifyTables } from "./storage/level-files/verification.js";
import { StorageFailure } from "./storage/log-store.js";

/** Between two slices of half a MiB: about 20 MiB/s, so that draws go on. */
const PAUSE_MS = 25;

export interface Scrub {
  /** Resolves when nothing is read any more: before the stores are closed. */
  stop(): Promise<void>;
}

export interface ScrubOptions {
  /** The LevelDB directories in force now. */
  readonly directories: () => readonly string[];
  /** From the end of one run to the begin of the next; 0: never. */
  readonly intervalMs: number;
  readonly logger: Logger;
  readonly finished: (verified: { readonly tables: number; readonly bytes: number }) => void;
  /** A table is damaged: what is served from it may be wrong, so the node must end. */
  readonly fatal: (failure: StorageFailure) => void;
}

/**
 * Checks the tables on disk again and again while the node runs. They are checked before a store is
 * opened, but a disk may lose bits at any time, and LevelDB would not say.
 */
export function startScrub({ directories, intervalMs, logger, finished, fatal }: ScrubOptions): Scrub {
  const stopping = new AbortController();
  const { signal } = stopping;
  const pause = (ms = PAUSE_MS) => delay(ms, undefined, { signal });
  const scrub = async () => {
    for (const directory of directories()) {
      try {
        finished(await verifyTables(directory, { pause }));
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof StorageFailure && error.code === "DAMAGED") return fatal(error);
        // A state that was replaced meanwhile is gone with its directory.
        logger.warn({ err: error, directory }, "the tables could not be checked; the next run will");
      }
    }
  };
  const run = async () => {
    while (!signal.aborted) {
      await pause(intervalMs).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
      if (!signal.aborted) await scrub();
    }
  };
  const running = intervalMs === 0 ? Promise.resolve() : run();
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}
