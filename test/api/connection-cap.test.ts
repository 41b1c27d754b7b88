import { once } from "node:events";
import { connect, type Socket } from "node:net";
import t, { type Test } from "tap";
import { until } from "../cluster/waiting.js";
import { startEdge } from "./rest-edge.js";

async function connected(t: Test, port: number): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port });
  t.teardown(() => socket.destroy());
  await once(socket, "connect");
  return socket.resume();
}

t.test("a connection too many is closed at once, those before it stay, and one line says so", async (t) => {
  const { app, log } = await startEdge(t, { connectionsMax: 2 });
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  const port = Number(new URL(url).port);
  const [first, second] = [await connected(t, port), await connected(t, port)];
  for (const place of [3, 4, 5]) {
    const socket = await connected(t, port);
    if (!socket.closed) await once(socket, "close");
    t.ok(socket.closed, `connection ${place}`);
  }
  t.notOk(first.closed || second.closed);
  t.match(
    log.filter(({ connections_max }) => connections_max !== undefined),
    [{ level: 40, connections_max: 2, dropped: 1 }],
  );
  first.destroy();
  await until(() => new Promise((resolve) => app.server.getConnections((_, count) => resolve(count === 1))));
  t.equal((await fetch(`${url}/livez`)).status, 200, "a place that is free again is taken");
});
