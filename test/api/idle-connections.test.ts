import { once } from "node:events";
import { connect } from "node:net";
import t from "tap";
import { drawn, startEdge } from "./rest-edge.js";

t.test(
  "closing ends when the last call is answered, however long its connection would be kept",
  { timeout: 20_000 },
  async (t) => {
    const { app, backend } = await startEdge(t);
    const url = await app.listen({ host: "127.0.0.1", port: 0 });
    let arrived = () => {};
    const underWay = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    let release = () => {};
    backend.result = () => {
      arrived();
      return new Promise((resolve) => {
        release = () => resolve(drawn);
      });
    };
    const answered = fetch(`${url}/api/v1/next/SG`);
    await underWay;
    const closed = app.close();
    // The connections that are idle as closing begins end then; this one is not.
    await new Promise((resolve) => app.server.getConnections(resolve));
    release();
    const response = await answered;
    t.equal(response.status, 200);
    t.match(await response.json(), { full_number: "SG000001" });
    await closed;
    t.equal(app.server.listening, false);
  },
);

t.test("closing ends connections that never said anything", { timeout: 20_000 }, async (t) => {
  const { app } = await startEdge(t);
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  const socket = connect({ host: "127.0.0.1", port: Number(new URL(url).port) });
  t.teardown(() => socket.destroy());
  const closed = once(socket.resume(), "close");
  await once(app.server, "connection");
  await app.close();
  await closed;
  t.equal(app.server.listening, false);
});
