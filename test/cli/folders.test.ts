import { spawn } from "node:child_process";
import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import t, { type Test } from "tap";
import { asideOrder, setAside } from "../../src/cli/data-folder.js";
import { makeFolders } from "../../src/storage/durable-directory.js";
import { cliEntry } from "../cluster/folio-cluster.js";
import { backUp, leave } from "./solo-node.js";

/** Below it mkdir says that there is no such folder, though there is one. */
const noPlace = "/proc/folio-test/node-1";
const skip = existsSync("/proc/self") ? false : "this system has no /proc";

/** A command that spins hears nothing but SIGKILL. */
async function run(t: Test, cwd: string, script: string, env: NodeJS.ProcessEnv = {}) {
  const child = spawn("sh", ["-c", script], {
    cwd,
    env: { ...process.env, ...env },
    timeout: 60_000,
    killSignal: "SIGKILL",
  });
  t.teardown(() => child.kill("SIGKILL"));
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, output };
}

/** Without what the test runner would load into it: that needs a working directory. */
const folio = `unset NODE_OPTIONS; exec '${process.execPath}' '${cliEntry}'`;

t.test("folders are made one by one, and what cannot be made ends with the reason", { skip }, async (t) => {
  const folder = t.testdir({ there: {} });
  const wanted = join(folder, "there", "a", "b");
  t.same(makeFolders(wanted), [join(folder, "there", "a"), wanted]);
  t.ok(statSync(wanted).isDirectory());
  t.same(makeFolders(wanted), []);
  writeFileSync(join(folder, "file"), "");
  const below = join(folder, "file", "a");
  t.throws(() => makeFolders(below), {
    name: "FolderFailure",
    message: `the folder ${below} cannot be made: ${join(folder, "file")} is no folder`,
  });
  t.throws(() => makeFolders(noPlace), {
    name: "FolderFailure",
    message: /cannot be made: .*ENOENT.*\/proc\/folio-test/,
  });
});

t.test("a node whose folder cannot be made says so and ends", { skip }, async (t) => {
  const { code, output } = await run(t, t.testdir(), `${folio} node`, {
    DATA_DIR: noPlace,
    PORT: "0",
    GRPC_PORT: "0",
    PEER_PORT: "0",
  });
  t.equal(code, 1, output);
  t.match(output, `this node cannot start: the folder ${noPlace} cannot be made`);
});

t.test("a cluster whose folder cannot be made says so and ends", { skip }, async (t) => {
  const { code, output } = await run(t, t.testdir(), `${folio} cluster --data-dir ${noPlace}`);
  t.equal(code, 2, output);
  t.match(output, `folio cluster: the folder ${noPlace} cannot be made`);
});

t.test("restore says which folder cannot be made, in a working directory that is gone, too", { skip }, async (t) => {
  const source = t.testdir();
  await leave(join(source, "node-1"), { SG: 1 });
  const file = join(source, "backup");
  await backUp(join(source, "node-1"), file);
  const restore = `restore '${file}' --node-id 1 --address 127.0.0.1:7070 --data-dir`;
  const nowhere = await run(t, source, `${folio} ${restore} ${noPlace}`);
  t.equal(nowhere.code, 2, nowhere.output);
  t.match(nowhere.output, `folio: the folder ${noPlace} cannot be made`);
  const gone = await run(t, source, `mkdir gone; cd gone; rmdir ../gone; ${folio} ${restore} node-2`);
  t.equal(gone.code, 2, gone.output);
  t.match(gone.output, "the folder node-2 cannot be made: the working directory is not there any more");
});

t.test("what a repair sets aside takes the mark of stores that are not whole with it, as the last", async (t) => {
  const names = ["log", "recovering", "claim", "restoring", "state", "state-1"];
  t.same(asideOrder(names), ["claim", "state", "state-1", "log", "recovering", "restoring"]);
  const folder = t.testdir({ recovering: "", log: {}, state: {} });
  const aside = await setAside(folder, new Date(0));
  t.same(readdirSync(folder), [basename(aside ?? "")]);
});
