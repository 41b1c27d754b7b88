import type { Joining } from "./joining.js";

const REMIND_MS = 15_000;

export interface Reminder {
  /** Somebody should look: a sentence. */
  readonly warn: (message: string) => void;
  readonly intervalMs?: number;
}

/**
 * While a node waits to be let in it says so now and then, even if nothing changes: with a wrong address in JOIN it would
 * otherwise look like one that hangs.
 */
export async function reminding<Result>(
  joining: Joining,
  { warn, intervalMs = REMIND_MS }: Reminder,
  work: (joining: Joining) => Promise<Result>,
): Promise<Result> {
  const beganAt = performance.now();
  let last = "no answer yet";
  const notice = (message: string): void => {
    last = message;
    joining.notice(message);
  };
  const reminder = setInterval(() => {
    const seconds = Math.round((performance.now() - beganAt) / 1000);
    warn(`Not in the cluster after ${seconds} s. JOIN is ${joining.addresses.join(",")}. ${last}`);
  }, intervalMs);
  try {
    return await work({ ...joining, notice });
  } finally {
    clearInterval(reminder);
  }
}
