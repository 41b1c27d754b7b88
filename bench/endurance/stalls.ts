import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Stretch } from "./pauses.js";

export interface StallWatch {
  /** May be repeated. @returns when the machine stood still */
  stop(): Promise<readonly Stretch[]>;
}

/** A shared machine stalls now and then, whatever runs on it: a process that does nothing else tells when. */
export function watchStalls(): StallWatch {
  const stalls: Stretch[] = [];
  const child = fork(fileURLToPath(new URL("stall-process.js", import.meta.url)));
  // It tells the time of a clock that performance.now() runs with, but that begins elsewhere.
  const begun = Number(process.hrtime.bigint()) / 1e6 - performance.now();
  const ended = Promise.all([once(child, "disconnect"), once(child, "exit")]);
  child.on("message", ({ from, to }: Stretch) => stalls.push({ from: from - begun, to: to - begun }));
  return {
    stop: async () => {
      if (child.connected) child.send("stop");
      await ended;
      return stalls;
    },
  };
}
