import { once } from "node:events";
import { request } from "node:http";
import t from "tap";
import { OperatingFailure } from "../../src/failure.js";
import { ADMIN, call, startEdge } from "./rest-edge.js";

const url = "/api/v1/cluster/backup";

t.test("a backup is streamed as it is, and is nobody's to keep", async (t) => {
  const { app } = await startEdge(t);
  const answer = await call(app, { url, headers: ADMIN });
  t.equal(answer.status, 200);
  t.equal(answer.text, "backup");
  t.match(answer.headers, { "content-type": "application/octet-stream", "cache-control": "no-store" });
});

t.test("what cannot be begun is a problem, not half a file", async (t) => {
  const { app, administration } = await startEdge(t);
  administration.chunks = () => failing(new OperatingFailure("NOT_EXECUTED", "two backups are under way", 5000));
  t.match(await call(app, { url, headers: ADMIN }), { status: 503, body: { code: "NOT_EXECUTED" } });
  administration.chunks = () => (async function* () {})();
  t.match(await call(app, { url, headers: ADMIN }), { status: 503, body: { code: "NOT_EXECUTED" } });
});

// biome-ignore lint/correctness/useYield: it fails before there is anything
async function* failing(failure: Error): AsyncIterable<Uint8Array> {
  throw failure;
}

t.test("a HEAD takes no copy", async (t) => {
  const { app, administration } = await startEdge(t);
  administration.chunks = () => t.fail("nothing is copied") as never;
  t.equal((await call(app, { method: "HEAD", url, headers: ADMIN })).status, 405);
});

t.test("a parameter that it does not know is refused, as elsewhere", async (t) => {
  const { app } = await startEdge(t);
  const answer = await call(app, { url: `${url}?from=2`, headers: ADMIN });
  t.match(answer, { status: 400, body: { code: "VALIDATION_ERROR" } });
});

function outside() {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** As many chunks as are taken, and then whether they were let go of. */
function endless() {
  const seen = { taken: 0 };
  const { promise: released, resolve: letGo } = outside();
  async function* chunks(): AsyncIterable<Uint8Array> {
    try {
      for (;;) {
        seen.taken++;
        yield Buffer.alloc(65_536);
      }
    } finally {
      letGo();
    }
  }
  return { seen, released, chunks };
}

t.test("nothing is read ahead of a slow client, and one that hangs up lets go of the copy", async (t) => {
  const { app, administration } = await startEdge(t);
  const { seen, released, chunks } = endless();
  administration.chunks = chunks;
  const origin = await app.listen({ host: "127.0.0.1", port: 0 });
  const client = request(`${origin}${url}`, { headers: ADMIN });
  client.end();
  const [response] = await once(client, "response");
  // Not read: the sockets fill, and then the copy stands still.
  let before = -1;
  while (before !== seen.taken) {
    before = seen.taken;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  t.ok(before < 1000, `${before} chunks were read ahead`);
  response.on("error", () => undefined);
  client.destroy();
  await released;
});

t.test("a copy that fails half-way ends the connection without a proper end", async (t) => {
  const { app, administration, log } = await startEdge(t);
  administration.chunks = async function* () {
    yield Buffer.from("half");
    throw new Error("a row of the state is damaged");
  };
  const origin = await app.listen({ host: "127.0.0.1", port: 0 });
  const response = await fetch(`${origin}${url}`, { headers: ADMIN });
  t.equal(response.status, 200);
  await t.rejects(response.arrayBuffer(), { name: "TypeError" });
  t.match(
    log.find(({ msg }) => msg === "a backup broke off"),
    { err: { message: "a row of the state is damaged" } },
  );
});
