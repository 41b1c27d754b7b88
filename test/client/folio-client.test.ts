import t, { type Test } from "tap";
import { FolioError, type FolioErrorCode } from "../../src/client/error.js";
import { FolioClient, type FolioClientOptions } from "../../src/client/folio-client.js";
import { deadAddress, type ScriptedNode, type Step, scriptedNode } from "./scripted-node.js";

interface World {
  readonly nodes: readonly ScriptedNode[];
  readonly client: FolioClient;
}

async function world(
  t: Test,
  scripts: readonly (readonly Step[])[],
  options: Partial<FolioClientOptions> = {},
): Promise<World> {
  const nodes = await Promise.all(scripts.map(scriptedNode));
  const client = new FolioClient({
    addresses: nodes.map((node) => node.address),
    deadlineMs: 20_000,
    retry: { backoffFirstMs: 1, backoffMaxMs: 2 },
    ...options,
  });
  t.teardown(() => {
    client.close();
    for (const node of nodes) node.stop();
  });
  return { nodes, client };
}

function isFolioError(t: Test, error: unknown, code: FolioErrorCode): FolioError {
  if (!(error instanceof FolioError)) throw error;
  t.equal(error.code, code, error.message);
  return error;
}

async function failureOf(t: Test, call: Promise<unknown>, code: FolioErrorCode): Promise<FolioError> {
  const [outcome] = await Promise.allSettled([call]);
  if (outcome.status === "fulfilled") throw new Error("the call should have failed");
  return isFolioError(t, outcome.reason, code);
}

const drawCount = (nodes: readonly ScriptedNode[]): number => nodes.reduce((sum, node) => sum + node.draws.length, 0);

t.test("a draw gives a number with its counter as a number", async (t) => {
  const { client } = await world(t, [["answer"]]);
  const drawn = await client.next("SG");
  t.match(drawn, { fullNumber: "SG000001", prefix: "SG", counter: 1, replayed: false });
});

t.test("calls are spread over the addresses", async (t) => {
  const { client, nodes } = await world(t, [["answer"], ["answer"], ["answer"]]);
  for (let count = 0; count < 9; count += 1) await client.next("SG");
  t.same(
    nodes.map((node) => node.draws.length),
    [3, 3, 3],
  );
});

t.test("a refusal before execution is repeated at another node, with the same key", async (t) => {
  const { client, nodes } = await world(t, [
    ["refuse", "answer"],
    ["refuse", "answer"],
  ]);
  t.equal((await client.next("SG")).counter, 1);
  const keys = nodes.flatMap((node) => node.draws.map((draw) => draw.idempotencyKey));
  t.equal(keys.length, 3);
  t.equal(new Set(keys).size, 1, "one logical call, one key");
  t.match(keys[0], /^[0-9a-f-]{36}$/);
});

t.test("every draw gets a key of its own", async (t) => {
  const { client, nodes } = await world(t, [["answer"]]);
  await client.next("SG");
  await client.next("SG");
  t.not(nodes[0]?.draws[0]?.idempotencyKey, nodes[0]?.draws[1]?.idempotencyKey);
});

t.test("a keyed draw of unknown fate is repeated", async (t) => {
  const { client, nodes } = await world(t, [["unknown", "answer"]]);
  t.equal((await client.next("SG", { idempotencyKey: "order-1" })).counter, 1);
  t.same(
    nodes[0]?.draws.map((draw) => draw.idempotencyKey),
    ["order-1", "order-1"],
  );
});

t.test("a draw without a key is not repeated when its fate is unknown", async (t) => {
  const { client, nodes } = await world(t, [["unknown"], ["unknown"]]);
  await failureOf(t, client.next("SG", { idempotencyKey: "" }), "OUTCOME_UNKNOWN");
  t.equal(drawCount(nodes), 1);
});

t.test("a draw without a key is not repeated when its connection breaks", async (t) => {
  const { client, nodes } = await world(t, [["drop"], ["drop"]]);
  await failureOf(t, client.next("SG", { idempotencyKey: "" }), "OUTCOME_UNKNOWN");
  t.equal(drawCount(nodes), 1);
});

t.test("a keyed draw whose connection breaks goes to another node", async (t) => {
  const nodes = await Promise.all([scriptedNode(["drop"]), scriptedNode(["answer"])]);
  const client = new FolioClient({ addresses: nodes.map((node) => node.address) });
  t.teardown(() => {
    client.close();
    for (const node of nodes) node.stop();
  });
  for (let count = 0; count < 4; count += 1) t.equal((await client.next("SG")).counter, 1);
  t.equal(nodes[0]?.draws.length, 1, "the broken node was asked once");
});

t.test("a draw without a key goes on to another node where no connection was made", async (t) => {
  const live = await scriptedNode(["answer"]);
  const addresses = [await deadAddress(), live.address];
  const client = new FolioClient({ addresses });
  t.teardown(() => {
    client.close();
    live.stop();
  });
  for (let count = 0; count < 4; count += 1) {
    t.equal((await client.next("SG", { idempotencyKey: "" })).counter, 1);
  }
  t.equal(live.draws.length, 4);
});

t.test("when nobody listens the call ends as certainly not executed", async (t) => {
  const client = new FolioClient({
    addresses: [await deadAddress(), await deadAddress()],
    retry: { attemptsMax: 4, backoffFirstMs: 1 },
  });
  t.teardown(() => client.close());
  const error = await failureOf(t, client.next("SG"), "NOT_EXECUTED");
  t.match(error.message, /^127\.0\.0\.1:\d+: No connection established/);
  t.match(error.requestId, /^[0-9a-f-]{36}$/);
});

t.test("a refusal after an attempt of unknown fate does not make the fate known", async (t) => {
  const { client } = await world(t, [["unknown", "refuse"]], {
    retry: { attemptsMax: 3, backoffFirstMs: 1, backoffMaxMs: 1 },
  });
  await failureOf(t, client.next("SG"), "OUTCOME_UNKNOWN");
});

t.test("nor does a refusal that is not about the first attempt, or that the first one may outlive", async (t) => {
  const script: [Step, FolioErrorCode][] = [
    ["forbid", "FORBIDDEN"],
    ["throttle", "RATE_LIMIT_EXCEEDED"],
    ["exhaust", "EXHAUSTED"],
  ];
  for (const [step, code] of script) {
    const { client, nodes } = await world(t, [["unknown", step]]);
    const error = await failureOf(t, client.next("SG"), "OUTCOME_UNKNOWN");
    t.equal(error.idempotencyKey, nodes[0]?.draws[0]?.idempotencyKey, "so the key is not lost");
    t.match(error.message, code, "and what was said last is told");
  }
});

t.test("a key that belongs to another request is as wrong in every attempt", async (t) => {
  const { client } = await world(t, [["unknown", "mismatch"]]);
  await failureOf(t, client.next("SG", { idempotencyKey: "order-1" }), "IDEMPOTENCY_MISMATCH");
});

t.test("a draw of unknown fate names the key that it went under, even one that was made up for it", async (t) => {
  const { client, nodes } = await world(t, [["unknown"]], {
    retry: { attemptsMax: 2, backoffFirstMs: 1, backoffMaxMs: 1 },
  });
  const own = await failureOf(t, client.next("SG", { idempotencyKey: "order-1" }), "OUTCOME_UNKNOWN");
  t.equal(own.idempotencyKey, "order-1");
  const made = await failureOf(t, client.next("SG"), "OUTCOME_UNKNOWN");
  t.equal(made.idempotencyKey, nodes[0]?.draws.at(-1)?.idempotencyKey);
  t.match(made.message, `repeat it with the idempotency key ${made.idempotencyKey}`);
  const without = await failureOf(t, client.next("SG", { idempotencyKey: "" }), "OUTCOME_UNKNOWN");
  t.equal(without.idempotencyKey, undefined);
});

t.test("a node that hangs does not use up the time of a call that may be repeated", async (t) => {
  const nodes = await Promise.all([scriptedNode(["hang"]), scriptedNode(["answer"])]);
  const client = new FolioClient({ addresses: nodes.map((node) => node.address), deadlineMs: 4500 });
  t.teardown(() => {
    client.close();
    for (const node of nodes) node.stop();
  });
  t.equal((await client.next("SG")).counter, 1);
  t.equal((await client.next("SG")).counter, 1);
});

t.test("attempts are bounded", async (t) => {
  const { client, nodes } = await world(t, [["refuse"]], {
    retry: { attemptsMax: 5, backoffFirstMs: 1, backoffMaxMs: 1 },
  });
  await failureOf(t, client.next("SG"), "NOT_EXECUTED");
  t.equal(drawCount(nodes), 5);
});

t.test("what no repetition can mend fails at once, naming field and request", async (t) => {
  const { client, nodes } = await world(t, [["forbid"], ["forbid"]]);
  const error = await failureOf(t, client.next("SG", { requestId: "request-1" }), "FORBIDDEN");
  t.equal(error.field, "prefix");
  t.equal(error.requestId, "request-1");
  t.equal(error.message, "not you");
  t.equal(drawCount(nodes), 1);
});

t.test("a read of unknown fate is repeated, and in the end counts as not executed", async (t) => {
  const { client, nodes } = await world(t, [["unknown"]], {
    retry: { attemptsMax: 3, backoffFirstMs: 1, backoffMaxMs: 1 },
  });
  await failureOf(t, client.status("SG"), "NOT_EXECUTED");
  t.equal(nodes[0]?.statuses.length, 3);
});

t.test("an RPC that the server does not have is no reason to go on asking", async (t) => {
  const { client } = await world(t, [["answer"]]);
  await failureOf(t, client.getConfig("SG"), "NOT_FOUND");
});

t.test("values that do not fit their field never leave the client", async (t) => {
  const { client, nodes } = await world(t, [["answer"]]);
  const count = await failureOf(t, client.nextBatch("SG", 1.5), "VALIDATION_ERROR");
  t.equal(count.field, "count");
  const value = await failureOf(t, client.reset("SG", 2 ** 53, { reason: "test" }), "VALIDATION_ERROR");
  t.equal(value.field, "new_value");
  const requestId = await failureOf(t, client.next("SG", { requestId: "line\nbreak" }), "VALIDATION_ERROR");
  t.equal(requestId.field, "x-request-id");
  const document = await failureOf(t, client.next("SG", { documentRef: "a\ud800" }), "VALIDATION_ERROR");
  t.equal(document.field, "document_ref");
  const site = await failureOf(t, client.reset("SG", 1, { reason: "test", site: "\udc00" }), "VALIDATION_ERROR");
  t.equal(site.field, "site");
  t.equal(drawCount(nodes), 0);
});

t.test("a client without addresses cannot be made", async (t) => {
  t.throws(() => new FolioClient({ addresses: [] }), TypeError);
});
