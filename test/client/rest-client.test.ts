import t, { type Test } from "tap";
import { FolioError, type FolioErrorCode } from "../../src/client/error.js";
import { FolioRestClient, type RestCall } from "../../src/client/rest-client.js";
import { OperatingFailure } from "../../src/failure.js";
import { type RestNode, restNode } from "../cli/command-line.js";

/** The client against the real edge, over a backend that does as the test says. */
async function world(t: Test): Promise<RestNode & { readonly client: FolioRestClient }> {
  const node = await restNode(t);
  const retry = { attemptsMax: 2, backoffFirstMs: 1, backoffMaxMs: 1 };
  return { ...node, client: new FolioRestClient({ servers: [node.url], apiKey: "admin-key", retry }) };
}

async function failureOf(t: Test, call: Promise<unknown>, code: FolioErrorCode): Promise<FolioError> {
  const [outcome] = await Promise.allSettled([call]);
  if (outcome.status === "fulfilled" || !(outcome.reason instanceof FolioError)) throw new Error("no FolioError");
  t.equal(outcome.reason.code, code, outcome.reason.message);
  return outcome.reason;
}

const draw: RestCall = { method: "POST", path: "/next", body: { prefix: "SG" }, repeatability: "keyed" };

t.test("a call of unknown outcome names the key to repeat it with, given or made up", async (t) => {
  const { client, backend } = await world(t);
  backend.result = () => Promise.reject(new OperatingFailure("OUTCOME_UNKNOWN", "the deadline passed"));
  const given = await failureOf(t, client.call({ ...draw, idempotencyKey: "order-1" }), "OUTCOME_UNKNOWN");
  t.equal(given.idempotencyKey, "order-1");
  t.equal(given.message, "the deadline passed; to find out, repeat it with the idempotency key order-1");
  t.match(given.requestId, /^[0-9a-f-]{36}$/);

  const made = await failureOf(t, client.call(draw), "OUTCOME_UNKNOWN");
  const { idempotencyKey = "" } = made;
  t.match(idempotencyKey, /^[0-9a-f-]{36}$/);
  t.match(made.message, idempotencyKey);
  t.match(backend.commands.slice(-2), [{ idempotencyKey }, { idempotencyKey }], "it is the key of all attempts");
});

t.test("a call whose outcome is known, or that went without a key, names none", async (t) => {
  const { client, backend } = await world(t);
  backend.result = () => Promise.reject(new OperatingFailure("NOT_EXECUTED", "there is no leader", 1000));
  const refused = await failureOf(t, client.call({ ...draw, idempotencyKey: "order-1" }), "NOT_EXECUTED");
  t.equal(refused.idempotencyKey, undefined);
  t.equal(refused.message, "there is no leader");

  backend.result = () => Promise.reject(new OperatingFailure("OUTCOME_UNKNOWN", "the deadline passed"));
  const body = { new_value: 1, reason: "moved" };
  const reset: RestCall = { method: "POST", path: "/reset/SG", body, repeatability: "once" };
  const once = await failureOf(t, client.call(reset), "OUTCOME_UNKNOWN");
  t.equal(once.idempotencyKey, undefined);
  t.equal(once.message, "the deadline passed");
});
