import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { createReadStream, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import t, { type Test } from "tap";
import { OperatingFailure } from "../../src/failure.js";
import { cliEntry } from "../cluster/folio-cluster.js";
import { until } from "../cluster/waiting.js";
import { folio, restNode } from "./command-line.js";
import { backUp, leave } from "./solo-node.js";

/** A node that streams a real backup, in pieces. */
async function backedUp(t: Test) {
  const folder = t.testdir();
  await leave(join(folder, "node-1"), { SG: 3 });
  const original = join(folder, "original");
  await backUp(join(folder, "node-1"), original);
  const { administration, url } = await restNode(t);
  administration.chunks = () => createReadStream(original, { highWaterMark: 100 });
  const env = { FOLIO_SERVER: url, FOLIO_API_KEY: "admin-key" };
  return { folder, original, administration, env, file: join(folder, "folio.backup") };
}

/** What unfinished runs have left. */
function partials(folder: string): readonly string[] {
  return readdirSync(folder).filter((name) => name.includes("partial"));
}

/** A backup of which half is sent, and the rest when it is told to. */
function halved(bytes: Buffer) {
  const events = new EventEmitter();
  const [begun, rest] = [once(events, "begun"), once(events, "rest")];
  const chunks = () =>
    (async function* () {
      yield bytes.subarray(0, bytes.length >> 1);
      events.emit("begun");
      await rest;
      yield bytes.subarray(bytes.length >> 1);
    })();
  return { chunks, begun, goOn: () => events.emit("rest") };
}

t.test("backup writes the very file that the node sends, and says what is in it", async (t) => {
  const { folder, original, env, file } = await backedUp(t);
  const { code, stdout, stderr } = await folio(["backup", file], env);
  t.equal(code, 0, stderr);
  t.same(readFileSync(file), readFileSync(original));
  t.equal(statSync(file).mode & 0o777, 0o600, "numbers and names of a business are nobody else's to read");
  t.match(JSON.parse(stdout), { file, node_id: 1, version: "test", cluster_id: /^[0-9a-f]{32}$/, rows: Number });
  t.match(stderr, /^backup from 127\.0\.0\.1:\d+: 0\.0 MiB, \d+ rows\n$/);
  t.same(partials(folder), []);
});

t.test("a file that is there is replaced with --force only", async (t) => {
  const { original, env, file } = await backedUp(t);
  writeFileSync(file, "precious");
  const refused = await folio(["backup", file], env);
  t.equal(refused.code, 4);
  t.match(refused.stderr, /folio\.backup exists: choose another name, or replace it with --force/);
  t.equal(readFileSync(file, "utf8"), "precious");
  const forced = await folio(["backup", file, "--force"], env);
  t.equal(forced.code, 0, forced.stderr);
  t.same(readFileSync(file), readFileSync(original));
});

t.test("what is damaged or cut off on its way leaves no file", async (t) => {
  const { folder, original, administration, env, file } = await backedUp(t);
  const bytes = readFileSync(original);
  administration.chunks = () =>
    (async function* () {
      const flipped = Buffer.from(bytes);
      flipped[bytes.length - 10] = (bytes[bytes.length - 10] ?? 0) ^ 4;
      yield flipped;
    })();
  const damaged = await folio(["backup", file], env);
  t.equal(damaged.code, 1);
  t.match(damaged.stderr, /folio: .*snapshot/i);
  administration.chunks = () =>
    (async function* () {
      yield bytes.subarray(0, 500);
      throw new Error("a row is damaged");
    })();
  const broken = await folio(["backup", file], env);
  t.equal(broken.code, 6, broken.stderr);
  t.match(broken.stderr, /NOT_EXECUTED: the answer broke off/);
  t.notOk(existsSync(file));
  t.same(partials(folder), []);
});

t.test("a node that refuses or has no leave to is answered as any other call", async (t) => {
  const { administration, env, file } = await backedUp(t);
  const nobody = await folio(["backup", file], { FOLIO_SERVER: env.FOLIO_SERVER });
  t.equal(nobody.code, 5);
  administration.chunks = () => {
    throw new OperatingFailure("NOT_EXECUTED", "2 backups are read from this node already", 1000);
  };
  const busy = await folio(["backup", file, "--deadline", "500"], env);
  t.equal(busy.code, 6);
  t.match(busy.stderr, /2 backups are read/);
  t.notOk(existsSync(file));
});

t.test("what is not Folio, and a folder that is not there, are said in a sentence", async (t) => {
  const { env, folder } = await backedUp(t);
  const server = createServer((_request, response) => response.end("hello"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const odd = await folio(["backup", join(folder, "x")], { ...env, FOLIO_SERVER: `127.0.0.1:${address.port}` });
  t.equal(odd.code, 1);
  t.match(odd.stderr, /The file is no snapshot of Folio/);
  const nowhere = await folio(["backup", join(folder, "missing", "x")], env);
  t.equal(nowhere.code, 2);
  t.match(nowhere.stderr, /^folio: there is no folder .*missing: .*missing\/x cannot be written\n$/);
});

t.test(
  "two runs into one file do not write into each other's: whoever is last replaces the other's whole",
  async (t) => {
    const { folder, original, administration, env, file } = await backedUp(t);
    const other = join(folder, "other");
    await leave(join(folder, "node-2"), { INV: 2, PO: 7, SG: 900 });
    await backUp(join(folder, "node-2"), other);
    const slow = halved(readFileSync(original));
    administration.chunks = slow.chunks;
    const first = folio(["backup", file, "--force"], env);
    await slow.begun;
    administration.chunks = () => createReadStream(other);
    const second = await folio(["backup", file, "--force"], env);
    t.equal(second.code, 0, second.stderr);
    t.same(readFileSync(file), readFileSync(other));
    slow.goOn();
    const { code, stderr } = await first;
    t.equal(code, 0, stderr);
    t.same(readFileSync(file), readFileSync(original));
    t.same(partials(folder), []);
  },
);

t.test("a file that appears while the backup is taken stays, without --force", async (t) => {
  const { folder, original, administration, env, file } = await backedUp(t);
  const slow = halved(readFileSync(original));
  administration.chunks = slow.chunks;
  const running = folio(["backup", file], env);
  await slow.begun;
  writeFileSync(file, "precious");
  slow.goOn();
  const { code, stderr } = await running;
  t.equal(code, 4, stderr);
  t.match(stderr, "exists: choose another name");
  t.equal(readFileSync(file, "utf8"), "precious");
  t.same(partials(folder), []);
});

t.test("a run that is stopped by a signal leaves nothing behind", async (t) => {
  const { folder, original, administration, env, file } = await backedUp(t);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    const slow = halved(readFileSync(original));
    administration.chunks = slow.chunks;
    const child = spawn(process.execPath, [cliEntry, "backup", file], {
      env: { ...process.env, ...env },
      stdio: "ignore",
    });
    await slow.begun;
    await until(() => partials(folder).length === 1);
    child.kill(signal);
    const [, by] = await once(child, "exit");
    t.equal(by, signal);
    slow.goOn();
    t.same(partials(folder), []);
  }
});

t.test("what stands against the file is said before anything is asked of the node", async (t) => {
  const { folder, administration, env } = await backedUp(t);
  let asked = 0;
  administration.chunks = () => {
    asked += 1;
    throw new OperatingFailure("NOT_EXECUTED", "asked in vain", 1000);
  };
  const wrong = {
    "": /^folio: the name of the file is empty/,
    [folder]: /is a folder, not a file/,
    [`${folder}/new/`]: /new\/ is a folder, not a file/,
    [join(folder, "original", "x")]: /there is no folder .*original: /,
    "/proc/x": /^folio: \/proc\/x cannot be written: /,
  };
  for (const [path, sentence] of Object.entries(wrong)) {
    for (const force of [[], ["--force"]]) {
      const { code, stderr } = await folio(["backup", path, ...force], env);
      t.equal(code, 2, stderr);
      t.match(stderr, sentence);
    }
  }
  t.equal((await folio(["backup", "/dev/null", "--force"], env)).code, 2);
  t.equal(asked, 0);
});
