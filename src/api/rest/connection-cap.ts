import type { Logger } from "pino";
import type { RestApp } from "./edge.js";

/** Whoever opens connections without end must not fill the log with them. */
const SAY_EVERY_MS = 60_000;

/** Closes every connection beyond `connectionsMax` as it comes, and says now and then how many those were. */
export function capConnections({ server }: RestApp, connectionsMax: number, logger: Logger): void {
  server.maxConnections = connectionsMax;
  let dropped = 0;
  let saidAt = Number.NEGATIVE_INFINITY;
  server.on("drop", () => {
    dropped += 1;
    const now = performance.now();
    if (now < saidAt + SAY_EVERY_MS) return;
    logger.warn(
      { connections_max: connectionsMax, dropped },
      "the REST port has all the connections it may: more are closed",
    );
    dropped = 0;
    saidAt = now;
  });
}
