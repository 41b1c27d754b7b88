import t from "tap";
import { FolioError, type FolioErrorCode } from "../../src/client/error.js";
import { FolioClient } from "../../src/client/folio-client.js";
import { FolioRestClient, type RestCall } from "../../src/client/rest-client.js";
import { lonelyNode, REQUEST_DEADLINE_MS } from "./lonely-node.js";

// Without a leader nothing is executed, and the node knows it. So must the caller: an outcome that
// seems unknown makes people look for numbers that do not exist.

async function codeOf(call: Promise<unknown>): Promise<FolioErrorCode> {
  const [outcome] = await Promise.allSettled([call]);
  if (outcome.status === "fulfilled" || !(outcome.reason instanceof FolioError)) throw new Error("no FolioError");
  return outcome.reason.code;
}

/** Below and above what the node gives a call by itself. */
const deadlinesMs = [REQUEST_DEADLINE_MS * 0.75, REQUEST_DEADLINE_MS * 1.5];

const restCalls: Readonly<Record<string, RestCall>> = {
  draw: { method: "POST", path: "/next", body: { prefix: "SG" }, repeatability: "keyed" },
  batch: { method: "POST", path: "/batch", body: { prefix: "SG", count: 2 }, repeatability: "keyed" },
  reset: { method: "POST", path: "/reset/SG", body: { new_value: 5, reason: "moved" }, repeatability: "once" },
  configuration: { method: "POST", path: "/config/SG", body: { padding_length: 7 }, repeatability: "once" },
  status: { method: "GET", path: "/status/SG", repeatability: "read" },
  removal: { method: "DELETE", path: "/cluster/members/2", repeatability: "once" },
  "hand-over": { method: "POST", path: "/cluster/leader", body: {}, repeatability: "once" },
};

t.test("without a leader every call over REST ends as certainly not executed, before its deadline", async (t) => {
  const { restUrl, adminKey } = await lonelyNode(t);
  const cases = Object.entries(restCalls).flatMap(([name, call]) =>
    [1, 3].flatMap((servers) => deadlinesMs.map((deadlineMs) => ({ name, call, servers, deadlineMs }))),
  );
  const codes = await Promise.all(
    cases.map(({ call, servers, deadlineMs }) => {
      const client = new FolioRestClient({ servers: Array(servers).fill(restUrl), apiKey: adminKey, deadlineMs });
      return codeOf(client.call(call));
    }),
  );
  for (const [place, { name, servers, deadlineMs }] of cases.entries()) {
    t.equal(codes[place], "NOT_EXECUTED", `${name}, ${servers} servers, ${deadlineMs} ms`);
  }
});

t.test("without a leader every call over gRPC ends as certainly not executed, before its deadline", async (t) => {
  const { grpcAddress, adminKey } = await lonelyNode(t);
  const calls: Readonly<Record<string, (client: FolioClient) => Promise<unknown>>> = {
    draw: (client) => client.next("SG"),
    batch: (client) => client.nextBatch("SG", 2),
    reset: (client) => client.reset("SG", 5, { reason: "moved" }),
    configuration: (client) => client.updateConfig("SG", { padding: 7 }),
    status: (client) => client.status("SG"),
  };
  const cases = Object.entries(calls).flatMap(([name, run]) =>
    [1, 3].flatMap((addresses) => deadlinesMs.map((deadlineMs) => ({ name, run, addresses, deadlineMs }))),
  );
  const codes = await Promise.all(
    cases.map(({ run, addresses, deadlineMs }) => {
      const client = new FolioClient({ addresses: Array(addresses).fill(grpcAddress), apiKey: adminKey, deadlineMs });
      return codeOf(run(client)).finally(() => client.close());
    }),
  );
  for (const [place, { name, addresses, deadlineMs }] of cases.entries()) {
    t.equal(codes[place], "NOT_EXECUTED", `${name}, ${addresses} addresses, ${deadlineMs} ms`);
  }
});
