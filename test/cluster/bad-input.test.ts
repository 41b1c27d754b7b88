import { connect, constants } from "node:http2";
import { connect as connectSocket } from "node:net";
import t from "tap";
import type { LocalCluster } from "../../cluster/launcher.js";
import { faultsOf, startLoad } from "./load.js";
import { ADMIN_KEY, agreedLeader, realCluster, statusOf } from "./real-cluster.js";
import { errorsOf, until } from "./waiting.js";

/** Real nodes, real sockets: what a hostile or sloppy caller does, and what an integrator relies on while nodes die. */

interface Answer {
  readonly status: number;
  readonly replayed: boolean;
  readonly text: string;
  readonly body: Readonly<Record<string, unknown>>;
}

async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init);
  const text = await response.text();
  return {
    status: response.status,
    replayed: response.headers.get("idempotency-replayed") === "true",
    text,
    body: text === "" ? {} : (JSON.parse(text) as Answer["body"]),
  };
}

function post(
  url: string,
  payload: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return ask(url, { method: "POST", body: payload, headers: { "content-type": "application/json", ...headers } });
}

function draw(cluster: LocalCluster, id: number, payload: object, headers?: Record<string, string>): Promise<Answer> {
  return post(`${cluster.rest(id)}/api/v1/next`, JSON.stringify(payload), headers);
}

/** Sends raw bytes as one gRPC call; the gRPC status, or undefined if there was none. */
function grpcStatus(
  address: string,
  frame: Uint8Array,
  headers: Record<string, string> = {},
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const session = connect(`http://${address}`);
    session.on("error", reject);
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: "POST",
      [constants.HTTP2_HEADER_PATH]: "/sequentialid.SequentialIDService/GetNext",
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    });
    let status: string | undefined;
    const take = (given: Readonly<Record<string, unknown>>): void => {
      if (typeof given["grpc-status"] === "string") status = given["grpc-status"];
    };
    stream.on("response", take);
    stream.on("trailers", take);
    stream.on("error", reject);
    stream.on("close", () => {
      session.close();
      resolve(status);
    });
    stream.resume();
    stream.end(frame);
  });
}

function framed(message: readonly number[]): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, Buffer.from(message)]);
}

const wrongBodies: readonly string[] = [
  '{"prefix":"BAD"',
  '{"prefix":"BAD","prefix":"BAD"}',
  '{"prefix":"BAD","__proto__":{"count":1}}',
  '{"prefix":"BAD","unknown":1}',
  '{"prefix":["BAD"]}',
  '{"prefix":"BAD\\u0000"}',
  '{"prefix":"B/D"}',
  `{"prefix":"BAD","client_id":"${"x".repeat(201)}"}`,
  `{"prefix":"BAD","client_id":${"[".repeat(20_000)}${"]".repeat(20_000)}}`,
];
const wrongCounts = ["0", "-1", "1.5", '"5"', "1000001", "9007199254740993", "1e400", "null"];
const wrongSettings: readonly object[] = [
  { format_template: "{PREFIX}" },
  { format_template: "{SEQ}{SEQ}" },
  { reset_rule: "yearly", format_template: "{PREFIX}{SEQ}" },
  { time_zone: "Mars/Olympus" },
  { maximum: 0 },
];
/** Messages of GetNext: field 1 is the prefix. Status by its number in google.rpc.Code. */
const wrongMessages: readonly (readonly [string, Buffer, string])[] = [
  ["an empty prefix", framed([]), "3"],
  ["text that is not UTF-8", framed([0x0a, 2, 0xc3, 0x28]), "3"],
  ["a text cut short", framed([0x0a, 50, 0x42]), "3"],
  ["a zero tag", framed([0]), "3"],
  ["no message at all", Buffer.alloc(0), "12"],
  ["a length of 4 GiB", Buffer.from([0, 0xff, 0xff, 0xff, 0xff]), "8"],
];

async function everythingWrong(cluster: LocalCluster, id: number): Promise<string[]> {
  const faults: string[] = [];
  const api = `${cluster.rest(id)}/api/v1`;
  const admin = { "x-api-key": ADMIN_KEY };
  const expect400 = async (what: string, answer: Promise<Answer>): Promise<void> => {
    const { status, body } = await answer;
    const isNamed = typeof body["request_id"] === "string" && body["request_id"] !== "";
    if (status !== 400 || body["code"] !== "VALIDATION_ERROR" || !isNamed) faults.push(`${what}: ${status}`);
  };
  for (const body of wrongBodies) await expect400(body.slice(0, 60), post(`${api}/next`, body));
  for (const count of wrongCounts) await expect400(count, post(`${api}/batch`, `{"prefix":"BAD","count":${count}}`));
  for (const change of wrongSettings) {
    await expect400(JSON.stringify(change), post(`${api}/config/BAD`, JSON.stringify(change), admin));
  }
  await expect400("latin-1", post(`${api}/next`, new Uint8Array([0x7b, 0x22, 0xe9, 0x22, 0x3a, 0x31, 0x7d])));
  await expect400("broken query", ask(`${api}/next/BAD?client_id=%ff`));
  for (const [what, frame, expected] of wrongMessages) {
    const status = await grpcStatus(cluster.grpc(id), frame);
    if (status !== expected) faults.push(`gRPC, ${what}: ${status}`);
  }
  return faults;
}

t.test("callers and dying nodes", async (t) => {
  const cluster = await realCluster(t, { env: { REQUEST_DEADLINE_MS: "1500" } });

  await t.test("whatever is wrong is refused by every node; no counter moves and every node stays up", async (t) => {
    for (const id of cluster.ids) {
      // Half a request, kept open meanwhile.
      const slow = connectSocket({ host: "127.0.0.1", port: Number(new URL(cluster.rest(id)).port) });
      slow.write(
        "POST /api/v1/next HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{",
      );
      t.same(await everythingWrong(cluster, id), [], `node ${id}`);
      t.equal((await ask(`${cluster.rest(id)}/api/v1/status/BAD`)).status, 404, "no call brought it to life");
      slow.destroy();
    }
    for (const id of cluster.ids) t.equal((await ask(`${cluster.rest(id)}/livez`)).status, 200);
    t.match((await draw(cluster, 1, { prefix: "BAD" })).body, { counter: 1 });
  });

  await t.test("one key is one number, at all nodes at once and after the leader died", async (t) => {
    const key = (name: string) => ({ "idempotency-key": name });
    const leader = await agreedLeader(cluster);
    const others = cluster.ids.filter((id) => id !== leader);
    const atOnce = await Promise.all(cluster.ids.map((id) => draw(cluster, id, { prefix: "KEY" }, key("first"))));
    t.equal(new Set(atOnce.map(({ text }) => text)).size, 1);
    t.equal(atOnce.filter(({ replayed }) => replayed).length, 2);
    const names = Array.from({ length: 20 }, (_, place) => `order-${place}`);
    const before = Promise.allSettled(names.map((name) => draw(cluster, leader, { prefix: "KEY" }, key(name))));
    await cluster.kill(leader);
    const after = await Promise.all(
      names.map((name, place) => draw(cluster, others[place % 2] ?? 0, { prefix: "KEY" }, key(name))),
    );
    t.ok(after.every(({ status }) => status === 200));
    for (const [place, answer] of (await before).entries()) {
      if (answer.status === "fulfilled") t.equal(answer.value.text, after[place]?.text);
    }
    const again = await draw(cluster, others[0] ?? 0, { prefix: "KEY" }, key("first"));
    t.equal(again.text, atOnce[0]?.text);
    await cluster.restart(leader);
    const { total_generated: total } = await statusOf(cluster, leader, "KEY");
    t.equal(total, 1 + names.length, "21 keys, 21 numbers");
  });

  await t.test("SIGTERM of the leader under load: clients of the others see no error and no fault", async (t) => {
    const leader = await agreedLeader(cluster);
    const others = cluster.ids.filter((id) => id !== leader);
    const load = startLoad(cluster, { prefix: "TERM", clients: 16, nodes: others, draws: 1_000_000 });
    await until(() => load.drawn > 500);
    await cluster.kill(leader, "SIGTERM");
    const drawnBefore = load.drawn;
    await until(() => load.drawn > drawnBefore + 500);
    load.stop();
    await load.ended;
    t.same(errorsOf(load.attempts), []);
    t.same(faultsOf(load.attempts, 1), []);
    await cluster.restart(leader);
  });

  await t.test("without a quorum every call ends, and what it says is true", async (t) => {
    const leader = await agreedLeader(cluster);
    const others = cluster.ids.filter((id) => id !== leader);
    const api = `${cluster.rest(leader)}/api/v1`;
    const drawn = new Map<string, Answer>();
    let isOver = false;
    const client = async (name: number): Promise<void> => {
      for (let call = 0; !isOver; call++) {
        const id = `${name}-${call}`;
        drawn.set(id, await draw(cluster, leader, { prefix: "QUO2", client_id: id }));
      }
    };
    const clients = Array.from({ length: 20 }, (_, name) => client(name));
    await until(() => drawn.size > 200);
    await Promise.all(others.map((id) => cluster.kill(id)));
    await until(async () => (await ask(`${cluster.rest(leader)}/ready`)).status === 503);
    isOver = true;
    await Promise.all(clients);
    t.match((await ask(`${cluster.rest(leader)}/health`)).body, { status: "unavailable", cluster_healthy: false });
    t.equal((await ask(`${cluster.rest(leader)}/livez`)).status, 200);
    t.match((await draw(cluster, leader, { prefix: "QUO2" })).body, { status: 503, code: "NOT_EXECUTED" });
    t.match((await ask(`${api}/status/QUO2`)).body, { status: 503, code: "NOT_EXECUTED" });
    t.match((await ask(`${api}/status/QUO2?consistency=local`)).body, { cluster_healthy: false, leader_id: null });
    t.equal(await grpcStatus(cluster.grpc(leader), framed([0x0a, 1, 0x51])), "14", "UNAVAILABLE");
    await Promise.all(others.map((id) => cluster.restart(id)));
    t.equal((await draw(cluster, leader, { prefix: "QUO2" })).status, 200, "it recovers by itself");

    const executed = new Map<string, number>();
    const { total_generated: total } = await statusOf(cluster, leader, "QUO2");
    for (let after = ""; ; ) {
      const { body } = await ask(`${api}/audit/QUO2?limit=1000${after}`);
      for (const { client_id: id, ranges } of body["records"] as AuditRecord[]) {
        executed.set(id, ranges[0]?.first_counter ?? 0);
      }
      if (body["next"] === null) break;
      after = `&after=${String(body["next"])}`;
    }
    t.equal(executed.size, total, "the audit trail holds every number");
    const lies = [...drawn].filter(([id, { status, body }]) => {
      if (status === 200) return executed.get(id) !== body["counter"];
      return body["code"] === "NOT_EXECUTED" ? executed.has(id) : body["code"] !== "OUTCOME_UNKNOWN";
    });
    t.same(lies, [], "numbers stand, and what was NOT_EXECUTED was not");
  });
});

interface AuditRecord {
  readonly client_id: string;
  readonly ranges: readonly { readonly first_counter: number }[];
}
