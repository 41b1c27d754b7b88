import type { RestApp } from "./edge.js";

const LOOK_EVERY_MS = 50;

/**
 * Closing ends the connections that are idle at that moment. A connection whose call is still being answered then stays
 * open, idle, for as long as its keep-alive lasts, and with it the listener: so it is looked after until all are gone.
 */
export function endIdleConnections(app: RestApp): void {
  app.addHook("preClose", (done) => {
    const { server } = app;
    if (server.listening) {
      const looking = setInterval(() => server.closeIdleConnections(), LOOK_EVERY_MS);
      server.once("close", () => clearInterval(looking));
    }
    done();
  });
}
