import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { folio } from "./command-line.js";
import { backUp, draw, leave, soloNode } from "./solo-node.js";

async function backupOf(t: Test, draws: Readonly<Record<string, number>>) {
  const folder = t.testdir();
  await leave(join(folder, "old"), draws);
  const file = join(folder, "folio.backup");
  await backUp(join(folder, "old"), file);
  return { folder, file, dataDir: join(folder, "new") };
}

t.test("restore makes a node of a new cluster that goes on where the backup ended", async (t) => {
  const { file, dataDir } = await backupOf(t, { SG: 5, INV: 2 });
  const line = ["restore", file, "--data-dir", dataDir, "--node-id", "1", "--address", "127.0.0.1:7070"];
  const { code, stdout, stderr } = await folio(line);
  t.equal(code, 0, stderr);
  const report = JSON.parse(stdout) as {
    readonly cluster_id: string;
    readonly backup: { readonly cluster_id: string };
  };
  t.match(report, { members: [{ id: 1, kind: "voter", address: "127.0.0.1:7070" }], series: [] });
  t.match(report.cluster_id, /^[0-9a-f]{32}$/);
  t.not(report.cluster_id, report.backup.cluster_id, "it is another cluster");
  const { node } = await soloNode(dataDir);
  t.same(await draw(node, "SG", 2), [6, 7]);
  t.same(await draw(node, "INV", 1), [3]);
  t.equal(node.backend.cluster().clusterId, report.cluster_id);
  await node.stop(1000);
  rmSync(join(dataDir, "log"), { recursive: true });
  await t.rejects(soloNode(dataDir), { code: "DAMAGED", message: /log is missing, though state-1 beside it/ });
  t.same(readdirSync(dataDir), ["state-1"], "without its log it hands out nothing, and keeps what it has");
});

t.test("a safety distance is skipped in every series, and said on the terminal with how to go on", async (t) => {
  const { file, dataDir } = await backupOf(t, { SG: 5 });
  const place = ["--data-dir", dataDir, "--node-id", "1", "--address", "127.0.0.1:7070"];
  const { code, stdout, stderr } = await folio(["restore", file, ...place, "--safety-distance", "100", "-o", "table"]);
  t.equal(code, 0, stderr);
  t.match(stdout, /SG +│ +│ +│ skipped +│ 6 +│ 105/);
  t.match(stdout, `NODE_ID=1 PEERS=1=127.0.0.1:7070 ADVERTISE_ADDRESS=127.0.0.1 PEER_PORT=7070 DATA_DIR=${dataDir}`);
  t.match(stdout, "JOIN=127.0.0.1:7070");
  const { node } = await soloNode(dataDir);
  t.same(await draw(node, "SG", 1), [106]);
  await node.stop(1000);
});

t.test("a folder that is not empty is refused, and stays as it is", async (t) => {
  const { file, folder } = await backupOf(t, { SG: 1 });
  const dataDir = join(folder, "old");
  const before = readdirSync(dataDir);
  const line = ["restore", file, "--data-dir", dataDir, "--node-id", "1", "--address", "a:1"];
  const { code, stdout, stderr } = await folio(line);
  t.equal(code, 4);
  t.equal(stdout, "");
  t.match(stderr, /^folio: .*old is not empty: choose a folder that is, or does not exist yet\n$/);
  t.same(readdirSync(dataDir), before);
});

t.test("a disk that is full fails the restore, and the folder takes the next one", async (t) => {
  const { file, folder, dataDir } = await backupOf(t, { SG: 5 });
  const line = ["restore", file, "--data-dir", dataDir, "--node-id", "1", "--address", "127.0.0.1:7070"];
  // Files of 512 bytes at most: what goes beyond fails as on a full disk.
  const failed = await folio(line, {}, "unset NODE_OPTIONS; ulimit -f 1");
  t.equal(failed.code, 1, failed.stderr);
  t.match(failed.stderr, /^folio: .*could not be written: .*File too large/);
  t.notOk(existsSync(dataDir));
  cpSync(join(folder, "old"), dataDir, { recursive: true });
  writeFileSync(join(dataDir, "restoring"), "");
  const { code, stderr } = await folio([...line, "--safety-distance", "10"]);
  t.equal(code, 0, stderr);
  t.match(stderr, /^folio: what an interrupted run of `folio restore` left in .*new is replaced\n$/);
  const { node } = await soloNode(dataDir);
  t.same(await draw(node, "SG", 1), [16]);
  await node.stop(1000);
});

t.test("a backup that is damaged or cut off is refused before anything is written", async (t) => {
  const { file, folder, dataDir } = await backupOf(t, { SG: 3 });
  const sound = readFileSync(file);
  const flipped = Buffer.from(sound);
  flipped[sound.length >> 1] = (sound[sound.length >> 1] ?? 0) ^ 1;
  const damaged = join(folder, "damaged.backup");
  for (const bytes of [flipped, sound.subarray(0, -1), Buffer.concat([sound, Buffer.from("x")]), Buffer.alloc(0)]) {
    writeFileSync(damaged, bytes);
    const line = ["restore", damaged, "--data-dir", dataDir, "--node-id", "1", "--address", "a:1"];
    const { code, stderr } = await folio(line);
    t.equal(code, 2);
    t.match(stderr, /^folio: .*damaged\.backup is not a sound backup: [a-z].*(snapshot|file|chunk)/);
    t.notMatch(stderr, /\n {4}at /, "a sentence, not a stack");
    t.notOk(existsSync(dataDir));
  }
});

t.test("what the options take is said", async (t) => {
  const line = "restore x --data-dir d --node-id 1 --address a:1";
  for (const [wrong, complaint] of [
    [line.replace("--node-id 1", "--node-id 0"), /--node-id.*1 to 65535/],
    [line.replace("a:1", "a"), /--address.*host:port/],
    [`${line} --safety-distance -1`, /--safety-distance/],
    [line.replace(" --data-dir d", ""), /--data-dir/],
  ] as const) {
    const { code, stderr } = await folio(wrong);
    t.equal(code, 2, wrong);
    t.match(stderr, complaint);
  }
  const { code, stderr } = await folio(line.replace("--data-dir d", `--data-dir ${join(t.testdir(), "d")}`));
  t.equal(code, 2, "there is no such file");
  t.equal(stderr, "folio: there is no file x\n");
});
