import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import type { Clock, Randomness, Timers } from "./replica/ports.js";

/** Time and randomness of this machine. */
export const systemClock: Clock = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
};

export const systemTimers: Timers = {
  after: (delayMs, callback) => {
    // Node cuts fractions off and would call early.
    const timeout = setTimeout(callback, Math.ceil(delayMs));
    return { cancel: () => clearTimeout(timeout) };
  },
  // The check phase comes after the poll phase, in which the sockets are read.
  afterInput: (callback) => {
    setImmediate(callback);
  },
};

export const systemRandomness: Randomness = {
  uint32: () => randomBytes(4).readUInt32LE(),
  id: () => randomBytes(16).toString("hex"),
};

/** Lets everything else that is due happen first. */
export function systemPause(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
