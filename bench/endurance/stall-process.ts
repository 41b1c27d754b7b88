/**
 * Does nothing but look at the clock, for whoever forked it (stalls.ts): where even that was late, the machine stood still.
 * A node that is busy does not make it late, as long as the machine shares its processors out.
 */

const INTERVAL_MS = 5;
/** What a scheduler may take on a machine with more to do than processors. */
const LATE_MS = 20;

/** Of a clock that all processes of the machine share. */
const now = (): number => Number(process.hrtime.bigint()) / 1e6;

function look(dueAt: number): void {
  const to = now();
  if (to - dueAt >= LATE_MS) process.send?.({ from: dueAt, to });
  setTimeout(look, INTERVAL_MS, to + INTERVAL_MS);
}

process.on("message", () => process.disconnect());
process.on("disconnect", () => process.exit(0));
look(now());
