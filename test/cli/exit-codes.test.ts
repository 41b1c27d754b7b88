import { spawn } from "node:child_process";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";
import { OperatingFailure } from "../../src/failure.js";
import type { RefusalCode } from "../../src/sequence/result.js";
import { lonelyNode } from "../client/lonely-node.js";
import { cliEntry } from "../cluster/folio-cluster.js";
import { folio, restNode } from "./command-line.js";

/** A server that is not Folio, or not well. */
async function oddServer(t: Test, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function closedPort(t: Test): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  t.ok(port > 0);
  return `http://127.0.0.1:${port}`;
}

t.test("what the server refuses decides the exit code; stderr has one sentence, stdout nothing", async (t) => {
  const { backend, url } = await restNode(t);
  const cases: readonly [RefusalCode, number][] = [
    ["VALIDATION_ERROR", 2],
    ["NOT_FOUND", 3],
    ["CONFLICT", 4],
    ["EXHAUSTED", 4],
    ["PRECONDITION_FAILED", 4],
    ["IDEMPOTENCY_MISMATCH", 4],
  ];
  for (const [code, expected] of cases) {
    backend.result = async () => ({ kind: "refused", code, detail: "it is so", field: "documentRef" });
    const outcome = await folio(["next", "SG", "--server", url]);
    t.equal(outcome.code, expected, code);
    t.match(outcome.stderr, new RegExp(`^folio: ${code}: document_ref: it is so \\(request [0-9a-f-]{36}\\)\n$`));
    t.equal(outcome.stdout, "");
  }
});

t.test("not executed and outcome unknown are told apart", async (t) => {
  const { backend, url } = await restNode(t);
  const server = ["--server", url, "--deadline", "2000"];
  backend.result = () => Promise.reject(new OperatingFailure("NOT_EXECUTED", "there is no leader", 100));
  const refused = await folio(["next", "SG", ...server]);
  t.equal(refused.code, 6, refused.stderr);
  t.match(refused.stderr, /NOT_EXECUTED: there is no leader/);
  backend.result = () => Promise.reject(new OperatingFailure("OUTCOME_UNKNOWN", "the deadline passed"));
  const unknown = await folio(["next", "SG", ...server]);
  t.equal(unknown.code, 7, unknown.stderr);
  const key = backend.commands.flatMap((command) => (command.kind === "draw" ? [command.idempotencyKey] : [])).at(-1);
  t.match(unknown.stderr, `repeat it with the idempotency key ${key} (request `, "whoever reads it can find out");
  t.ok(backend.commands.length > 2, "a keyed draw was repeated");
  const before = backend.commands.length;
  const reset = await folio(["reset", "SG", "1", "--reason", "r", "--api-key", "admin-key", "--server", url]);
  t.equal(reset.code, 7);
  t.equal(backend.commands.length, before + 1, "a reset was not");
});

t.test("without a leader a draw and a reset were certainly not executed, and the code says so", async (t) => {
  const { restUrl, adminKey } = await lonelyNode(t);
  const servers = ["--server", `${restUrl},${restUrl}`, "--deadline", "6000"];
  const outcomes = await Promise.all([
    folio(["next", "SG", ...servers]),
    folio(["reset", "SG", "1", "--reason", "r", "--api-key", adminKey, ...servers]),
  ]);
  for (const { code, stderr, stdout } of outcomes) {
    t.equal(code, 6, stderr);
    t.match(stderr, /^folio: NOT_EXECUTED: No leader took the request before its deadline\./);
    t.equal(stdout, "");
  }
});

t.test("an answer lost on the way leaves a draw's outcome unknown, a read's not executed", async (t) => {
  const url = await oddServer(t, (request) => request.socket.destroy());
  t.equal((await folio(["next", "SG", "--server", url, "--deadline", "200"])).code, 7);
  t.equal((await folio(["status", "SG", "--server", url, "--deadline", "200"])).code, 6);
});

t.test("a server that hangs is given up at the deadline", async (t) => {
  const url = await oddServer(t, () => {});
  const outcome = await folio(["next", "SG", "--server", url, "--deadline", "300"]);
  t.equal(outcome.code, 7);
  t.match(outcome.stderr, /did not answer in time/);
});

t.test("where nobody listens nothing was executed", async (t) => {
  const outcome = await folio(["next", "SG", "--server", await closedPort(t), "--deadline", "2000"]);
  t.equal(outcome.code, 6);
  t.match(outcome.stderr, /127\.0\.0\.1:\d+ did not answer: ECONNREFUSED/);
});

t.test("of several servers one that answers is enough", async (t) => {
  const { url } = await restNode(t);
  const servers = `${await closedPort(t)}, ${url},${await closedPort(t)}`;
  const outcome = await folio(["next", "SG", "--plain", "--server", servers]);
  t.equal(outcome.stdout, "SG000001\n", outcome.stderr);
});

t.test("keys that are missing or wrong", async (t) => {
  const { url } = await restNode(t);
  const reset = ["reset", "SG", "1", "--reason", "r", "--server", url];
  const missing = await folio(reset);
  t.equal(missing.code, 5);
  t.match(missing.stderr, /^folio: UNAUTHENTICATED: /);
  t.equal((await folio([...reset, "--api-key", "wrong"])).code, 5);
});

t.test("a server that is not Folio is reported as what it is", async (t) => {
  const page = await oddServer(t, (_request, response) => response.writeHead(404).end("<html>"));
  const outcome = await folio(["status", "SG", "--server", page]);
  t.equal(outcome.code, 3);
  t.match(outcome.stderr, /answered 404 Not Found/);
  const text = await oddServer(t, (_request, response) => response.end("hello"));
  t.equal((await folio(["next", "SG", "--server", text, "--deadline", "200"])).code, 7);
});

t.test("a command line that is wrong never reaches the server", async (t) => {
  const { backend, url } = await restNode(t);
  const lines = [
    "next",
    "nonsense",
    "next SG --nonsense",
    "batch SG 0",
    "batch SG 1.5",
    "batch SG 1000001",
    "batch SG 1e3",
    "reset SG -1 --reason r",
    "reset SG 9007199254740992 --reason r",
    "reset SG 1",
    "status SG --consistency eventual",
    "next SG -o xml",
    "next SG --plain -o json",
    "audit SG --limit 0",
    "next SG --deadline soon",
    "status ..",
    "next SG --server ftp://x",
    "next SG --server ,",
  ];
  const outcomes = await Promise.all(lines.map((line) => folio(line, { FOLIO_SERVER: url })));
  for (const [index, { code, stdout, stderr }] of outcomes.entries()) {
    t.equal(code, 2, `${lines[index]}: ${stderr.split("\n")[0]}`);
    t.equal(stdout, "");
  }
  t.equal(backend.commands.length + backend.queries.length, 0);
  t.equal((await folio(["config", "get", ""], { FOLIO_SERVER: url })).code, 2);
});

t.test("a prefix that the server does not take is a matter of the command line, too", async (t) => {
  const { url } = await restNode(t);
  const outcome = await folio(["next", "a b", "--server", url]);
  t.equal(outcome.code, 2);
  t.match(outcome.stderr, /VALIDATION_ERROR: prefix must be 1 to 50 of/);
  const slash = await folio(["status", "a/b", "--server", url]);
  t.equal(slash.code, 2, slash.stderr);
});

t.test("every command explains itself, with examples and exit codes", async (t) => {
  const names = [
    ...["next", "batch", "status", "config get", "config set", "config list", "reset", "audit", "backup"],
    ...["members list", "members add", "members promote", "members remove", "members transfer"],
  ];
  const outcomes = await Promise.all(names.map((name) => folio([...name.split(" "), "--help"])));
  for (const [index, { code, stdout }] of outcomes.entries()) {
    t.equal(code, 0);
    t.match(stdout, new RegExp(`Examples:\n  \\$ .*folio ${names[index]}|Examples:\n  \\$ folio ${names[index]}`));
    t.match(stdout, /Exit codes:\n {2}0 {2}done/);
    t.match(stdout, /FOLIO_SERVER/);
  }
  for (const name of ["restore", "recover", "repair"]) {
    const { code, stdout } = await folio([name, "--help"]);
    t.equal(code, 0);
    t.match(stdout, new RegExp(`Examples?:\n  \\$ folio ${name}`));
    t.match(stdout, /Exit codes:\n {2}0 {2}done/);
  }
  const groups = ["members", "config", "node", "cluster", "cluster remove", "cluster add"];
  const helps = await Promise.all(groups.map((name) => folio([...name.split(" "), "--help"])));
  for (const [index, { stdout }] of helps.entries()) t.match(stdout, /Exit codes:\n {2}0 {2}/, `${groups[index]}`);
  const adding = helps.at(-1)?.stdout ?? "";
  t.match(adding, /--data-dir/);
  t.notMatch(adding, /--nodes|--port-offset/, "they have no bearing on it");
  const all = await folio(["--help"]);
  t.equal(all.code, 0);
  for (const name of ["next", "batch", "status", "config", "reset", "audit", "members", "node", "cluster", "backup"]) {
    t.match(all.stdout, new RegExp(`^ {2}${name}\\b`, "m"));
  }
  t.match((await folio(["--version"])).stdout, /^\d+\.\d+\.\d+\n$/);
});

const simulator = fileURLToPath(new URL("../simulation/main.js", import.meta.url));

t.test("where nobody reads what is said, as before `head`, it ends well", async (t) => {
  const { url } = await restNode(t);
  for (const line of [
    [cliEntry, "members", "--server", url],
    [simulator, "--seeds", "1"],
  ]) {
    const child = spawn(process.execPath, line, { stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.destroy();
    let complaint = "";
    child.stderr.on("data", (chunk: Buffer) => (complaint += chunk.toString()));
    const code = await new Promise((resolve) => child.once("close", resolve));
    t.equal(complaint, "");
    t.equal(code, 0);
  }
});
