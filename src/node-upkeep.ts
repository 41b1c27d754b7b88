import type { Logger } from "pino";
import type { SequenceMachine } from "./sequence/machine/sequence-machine.js";

const INTERVAL_MS = 1000;
const ROWS_PER_RUN = 1000;

export interface Upkeep {
  /** Resolves when nothing runs any more: before the state store is closed. */
  stop(): Promise<void>;
}

/** Deletes idempotency keys whose time has passed, a portion now and then; no result depends on it. */
export function startUpkeep(machine: SequenceMachine, logger: Logger): Upkeep {
  let running: Promise<void> = Promise.resolve();
  const sweep = async () => {
    try {
      const { deleted } = await machine.sweep(ROWS_PER_RUN);
      if (deleted > 0) logger.debug({ deleted }, "expired idempotency keys deleted");
    } catch (error) {
      logger.error({ err: error }, "expired idempotency keys could not be deleted");
    }
    timer.refresh();
  };
  const timer = setTimeout(() => {
    running = sweep();
  }, INTERVAL_MS);
  return {
    stop: async () => {
      clearTimeout(timer);
      await running;
      clearTimeout(timer);
    },
  };
}
