import { connect } from "node:net";
import t, { type Test } from "tap";
import { startEdge } from "./rest-edge.js";

interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

async function listening(t: Test) {
  const edge = await startEdge(t);
  await edge.app.listen({ host: "127.0.0.1", port: 0 });
  const address = edge.app.server.address();
  if (address === null || typeof address === "string") throw new Error("the app listens on a port");
  const { port } = address;
  return { ...edge, send: (text: string) => send(port, text) };
}

/** Writes it to a socket and reads until the other side closes. */
async function send(port: number, text: string): Promise<RawAnswer> {
  const socket = connect({ host: "127.0.0.1", port });
  socket.write(text, "latin1");
  let answer = "";
  for await (const chunk of socket) answer += String(chunk);
  const [head = "", body = ""] = answer.split("\r\n\r\n", 2);
  return { status: Number(head.split(" ")[1]), head, body };
}

function requestText(line: string, headers: readonly string[], body = ""): string {
  return [`${line} HTTP/1.1`, "Host: folio", "Connection: close", ...headers, "", body].join("\r\n");
}

const JSON_TYPE = "Content-Type: application/json";

t.test("what is no proper HTTP is a problem with a name of ours, and nothing is drawn", async (t) => {
  const { backend, send } = await listening(t);
  const post = (headers: readonly string[], body = "") => requestText("POST /api/v1/next", headers, body);
  const texts: readonly (readonly [string, string, number])[] = [
    ["bytes", "\u0000\u0001\u0002\r\n\r\n", 400],
    ["a TLS hello", "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc", 400],
    ["an HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400],
    ["an unknown method", requestText("DRAW /api/v1/next", []), 400],
    ["two lengths", post([JSON_TYPE, "Content-Length: 5", "Content-Length: 6"], "{}"), 400],
    ["a length and chunks", post([JSON_TYPE, "Content-Length: 5", "Transfer-Encoding: chunked"], "0\r\n\r\n"), 400],
    ["a negative length", post([JSON_TYPE, "Content-Length: -5"], "{}"), 400],
    ["a broken chunk", post([JSON_TYPE, "Transfer-Encoding: chunked"], "zz\r\n{}\r\n"), 400],
    ["a header with a control character", post(["X-Request-ID: a\u0001b"]), 400],
    [
      "a header injected by a line feed",
      "GET /livez HTTP/1.1\r\nHost: a\r\nX-Request-ID: a\nSet-Cookie: b\r\n\r\n",
      400,
    ],
    ["headers of 20 000 bytes", post([`X-Long: ${"a".repeat(20_000)}`]), 431],
    ["a URL of 20 000 bytes", requestText(`GET /${"a".repeat(20_000)}`, []), 431],
  ];
  for (const [name, text, status] of texts) {
    const answer = await send(text);
    t.equal(answer.status, status, name);
    t.match(answer.head, /^content-type: application\/problem\+json/im, name);
    const id = /^x-request-id: ([\x21-\x7e]+)$/im.exec(answer.head)?.[1];
    t.type(id, "string", name);
    t.match(JSON.parse(answer.body), { status, code: String, request_id: id }, name);
  }
  t.same(backend.commands, []);
});

t.test("a body announced as too large is refused before it comes", async (t) => {
  const { backend, send } = await listening(t);
  const answer = await send(requestText("POST /api/v1/next", [JSON_TYPE, "Content-Length: 1000000000"]));
  t.equal(answer.status, 413);
  t.match(JSON.parse(answer.body), { code: "PAYLOAD_TOO_LARGE" });
  t.same(backend.commands, []);
});

t.test("an Idempotency-Key that is sent twice is no key", async (t) => {
  const { backend, send } = await listening(t);
  const body = '{"prefix":"SG"}';
  const draw = (keys: readonly string[]) =>
    send(requestText("POST /api/v1/next", [JSON_TYPE, `Content-Length: ${body.length}`, ...keys], body));
  const twice = await draw(["Idempotency-Key: a", "idempotency-key: b"]);
  t.equal(twice.status, 400);
  t.match(JSON.parse(twice.body), { errors: [{ field: "idempotency-key", expected: "sent once" }] });
  t.same(backend.commands, []);
  t.equal((await draw(["Idempotency-Key: a, b"])).status, 200, "a comma may stand in a key");
  t.match(backend.commands, [{ idempotencyKey: "a, b" }]);
});

t.test("headers and bodies that never end are ended: no limit of Node's swaps with another", async (t) => {
  const { app } = await startEdge(t);
  const { headersTimeout, requestTimeout, timeout } = app.server;
  t.ok(headersTimeout > 0 && headersTimeout < requestTimeout, "Node swaps the two where headers may take longer");
  t.ok(requestTimeout <= 30_000);
  t.ok(timeout > 10_000, "a socket waits longer than a draw may take");
});
