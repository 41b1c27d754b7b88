import type { Socket } from "node:net";
import type { RestApp } from "./edge.js";

const LOOK_EVERY_MS = 50;

/**
 * Closing ends the connections that are idle at that moment. A connection whose call is still being answered then stays
 * open, idle, for as long as its keep-alive lasts, and with it the listener: so it is looked after until all are gone.
 * Node takes a connection for idle only after its first call; one that never said anything is ended here.
 */
export function endIdleConnections(app: RestApp): void {
  const open = new Set<Socket>();
  app.server.on("connection", (socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  const endIdle = (): void => {
    app.server.closeIdleConnections();
    for (const socket of open) if (socket.bytesRead === 0) socket.destroy();
  };
  app.addHook("preClose", (done) => {
    const { server } = app;
    if (server.listening) {
      const looking = setInterval(endIdle, LOOK_EVERY_MS);
      server.once("close", () => clearInterval(looking));
    }
    done();
  });
}
