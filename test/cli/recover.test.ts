import { readdirSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { closeStores, openStores } from "../../src/node-stores.js";
import { writeLog } from "../../src/recovery/stores.js";
import { survey } from "../../src/recovery/survey.js";
import { folio } from "./command-line.js";
import { draw, leave, soloNode } from "./solo-node.js";

/** The command dies, as by kill -9, when it has written so many batches. */
function killedAfter(writes: number): Readonly<Record<string, string>> {
  const preload = new URL("./killed-after-writes.js", import.meta.url);
  return { NODE_OPTIONS: `--import=${preload.href}`, FOLIO_TEST_WRITES: String(writes) };
}

t.test("recover makes the survivor the only member of a new cluster, having said what may be lost", async (t) => {
  const dataDir = join(t.testdir(), "node-1");
  await leave(dataDir, { SG: 4 });
  const place = ["--data-dir", dataDir, "--node-id", "1"];
  const asked = await folio(["recover", "--new-cluster", ...place]);
  t.equal(asked.code, 2, "nobody can be asked, and nobody has confirmed");
  t.match(asked.stderr, /log ends at entry \d+ of term 1/);
  t.match(asked.stderr, /nothing was changed: confirm with --yes/);
  const before = await soloNode(dataDir);
  t.same(await draw(before.node, "SG", 1), [5], "it is the old cluster still");
  const { clusterId } = before.node.backend.cluster();
  await before.node.stop(1000);

  const done = await folio(["recover", "--new-cluster", "--yes", ...place, "--safety-distance", "10", "-o", "table"]);
  t.equal(done.code, 0, done.stderr);
  t.match(done.stdout, "Node 1 is the only member of a new cluster");
  t.match(done.stdout, /SG +│ +│ +│ skipped +│ 6 +│ 15/);
  t.match(done.stdout, "JOIN=127.0.0.1:");
  const after = await soloNode(dataDir);
  t.same(await draw(after.node, "SG", 1), [16]);
  t.not(after.node.backend.cluster().clusterId, clusterId);
  await after.node.stop(1000);
});

t.test(
  "killed at any write, it leaves what no node starts on; another run skips all that the first was to",
  async (t) => {
    const dataDir = join(t.testdir(), "node-1");
    await leave(dataDir, { SG: 4 });
    const line = ["recover", "--new-cluster", "--yes", "--data-dir", dataDir, "--node-id", "1", "--safety-distance"];
    const writes = [1, 2, 3, 5];
    for (const count of writes) {
      const killed = await folio([...line, "10"], killedAfter(count));
      t.equal(killed.stdout, "", `killed after ${count}`);
      await t.rejects(soloNode(dataDir), {
        code: "DAMAGED",
        message:
          /recovering is there: `folio recover --new-cluster` .*interrupted.*Way out: run it again.*--safety-distance 10/,
      });
    }
    const smaller = await folio([...line, "3"]);
    t.equal(smaller.code, 0, smaller.stderr);
    t.match(
      smaller.stderr,
      /goes on from an interrupted run.*skips 10 .*larger of its safety distance, 10, and of this run's, 3/,
    );
    const { node } = await soloNode(dataDir);
    const [next = 0] = await draw(node, "SG", 1);
    t.ok(next >= 15, `${next} is none that may have been drawn`);
    await node.stop(1000);
    t.notOk(readdirSync(dataDir).includes("recovering"));
  },
);

t.test("a node that runs is not recovered under its feet", async (t) => {
  const dataDir = join(t.testdir(), "node-1");
  const { node } = await soloNode(dataDir);
  const { code, stderr } = await folio(["recover", "--new-cluster", "--yes", "--data-dir", dataDir, "--node-id", "1"]);
  t.equal(code, 4);
  t.match(stderr, /is in use: stop the node that runs on it first/);
  t.same(await draw(node, "SG", 1), [1]);
  await node.stop(1000);
});

t.test("a folder without data, and one of another node, are refused", async (t) => {
  const folder = t.testdir({ empty: {} });
  const nothing = await folio(["recover", "--new-cluster", "--data-dir", join(folder, "empty"), "--node-id", "1"]);
  t.equal(nothing.code, 2);
  t.match(nothing.stderr, /empty holds no data of a node/);
  const dataDir = join(folder, "node-1");
  await leave(dataDir, { SG: 1 });
  const foreign = await folio(["recover", "--new-cluster", "--yes", "--data-dir", dataDir, "--node-id", "2"]);
  t.equal(foreign.code, 4, "as repair has it");
  t.match(foreign.stderr, /belongs to node 1, not to node 2/);
});

t.test("a node that was removed is refused before anybody is asked, and told who could be recovered", async (t) => {
  const dataDir = join(t.testdir(), "node-1");
  await leave(dataDir, { SG: 1 });
  await loseSeat(dataDir);
  const place = ["--data-dir", dataDir, "--node-id", "1"];
  for (const more of [[], ["--address", "127.0.0.1:7070"]]) {
    const { code, stderr } = await folio(["recover", "--new-cluster", ...place, ...more]);
    t.equal(code, 4);
    t.match(stderr, /it was removed, or another store took its seat\. Recover a member \(2, 3\), or restore a backup/);
    t.notMatch(stderr, "--yes");
    t.notMatch(stderr, "--address");
  }
});

/** The last entry of its log is a configuration without it. */
async function loseSeat(dataDir: string): Promise<void> {
  const stores = await openStores({ dataDir, nodeId: 1, notice: () => undefined });
  const { configuration, logEnd, term } = survey(stores, 1);
  const members = [2, 3].map(
    (id) => ({ id, kind: "voter", storeId: `store ${id}`, address: `10.0.0.${id}:7070` }) as const,
  );
  const body = { kind: "configuration", configuration: { ...configuration, members } } as const;
  await writeLog(stores.log, { entries: [{ index: logEnd.index + 1, term, body }] });
  await closeStores(stores);
}

t.test("without --new-cluster nothing is recovered", async (t) => {
  const { code, stderr } = await folio("recover --data-dir d --node-id 1 --yes");
  t.equal(code, 2);
  t.match(stderr, /--new-cluster/);
});
