import { createServer, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import t, { type Test } from "tap";
import { loadSamples, sampleDefinitions } from "../../cluster/samples.js";
import { FolioRestClient } from "../../src/client/rest-client.js";

interface Posted {
  readonly path: string;
  readonly condition: string | undefined;
  readonly key: string | undefined;
  /** Which a real node refuses on a definition. */
  readonly idempotencyKey: string | undefined;
  readonly body: unknown;
}

function header(request: IncomingMessage, name: string): string | undefined {
  return request.headers[name]?.toString();
}

/** Answers GET with 200 for prefixes in `existing`, and POST as `accept` says. */
async function configServer(
  t: Test,
  existing: readonly string[],
  accept: number,
): Promise<[FolioRestClient, Posted[]]> {
  const posted: Posted[] = [];
  const server = createServer(async (request, response) => {
    const path = request.url ?? "";
    const known = existing.includes(path.replace("/api/v1/config/", ""));
    if (request.method === "POST") {
      const body: unknown = JSON.parse(await text(request));
      const idempotencyKey = header(request, "idempotency-key");
      const condition = header(request, "if-none-match");
      posted.push({ path, condition, key: header(request, "x-api-key"), idempotencyKey, body });
    }
    const status = request.method === "POST" ? accept : known ? 200 : 404;
    const code = status === 404 ? "NOT_FOUND" : "PRECONDITION_FAILED";
    const problem = { type: "about:blank", title: code, status, detail: code, code, request_id: "r" };
    response.writeHead(status, { "content-type": status < 300 ? "application/json" : "application/problem+json" });
    response.end(JSON.stringify(status < 300 ? {} : problem));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  t.teardown(() => server.close());
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return [new FolioRestClient({ servers: [`127.0.0.1:${port}`], apiKey: "admin-demo", deadlineMs: 5000 }), posted];
}

t.test("all samples are configured where none exists, by the administrator, only if still absent", async (t) => {
  const [client, posted] = await configServer(t, [], 200);
  await loadSamples(client);
  t.strictSame(
    posted.map(({ path }) => path),
    ["SG", "INV", "PO", "QUO"].map((prefix) => `/api/v1/config/${prefix}`),
  );
  for (const { condition, key, idempotencyKey } of posted)
    t.strictSame([condition, key, idempotencyKey], ["*", "admin-demo", undefined]);
  t.strictSame(posted[1]?.body, sampleDefinitions.INV);
});

t.test("what somebody configured stays as it is", async (t) => {
  const [client, posted] = await configServer(t, ["SG", "PO"], 200);
  await loadSamples(client);
  t.strictSame(
    posted.map(({ path }) => path),
    ["/api/v1/config/INV", "/api/v1/config/QUO"],
  );
});

t.test("somebody who was faster wins without an error", async (t) => {
  const [client, posted] = await configServer(t, [], 412);
  await loadSamples(client);
  t.equal(posted.length, 4);
});
