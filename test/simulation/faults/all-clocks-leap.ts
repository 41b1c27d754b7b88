import { type FaultKind, numberOf } from "./fault-kind.js";

const HOUR_MS = 3_600_000;

/** Every wall clock is set at once, as a time server would: over the end of an hour, a month, a year, or back. */
export const ALL_CLOCKS_LEAP: FaultKind = {
  name: "allClocksLeap",
  weight: 1,
  plan: (random) => ({
    byMs: random.chance(0.1)
      ? -random.integer(1, 2) * HOUR_MS
      : random.pick([2000, HOUR_MS, 25 * HOUR_MS, 31 * 24 * HOUR_MS, 366 * 24 * HOUR_MS]),
  }),
  strike: (world, settings) => {
    world.calendar.originMs += numberOf(settings, "byMs");
    world.trace?.note("world", `all wall clocks leap by ${numberOf(settings, "byMs")} ms`);
  },
};
