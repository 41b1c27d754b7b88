import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { folio } from "../cli/command-line.js";
import { damageLog } from "./damaged-log.js";
import { faultsOf, startLoad } from "./load.js";
import { agreedLeader, realClusterIn, statusOf } from "./real-cluster.js";
import { errorsOf } from "./waiting.js";

t.test("a node with a damaged file refuses to start; repair --rejoin lets it begin anew as a voter", async (t) => {
  const ended: number[] = [];
  const { cluster, dataDir, ports } = await realClusterIn(t, { onUnexpectedExit: ({ id }) => ended.push(id) });
  const load = startLoad(cluster, { prefix: "SG", clients: 16, nodes: cluster.ids, draws: 2000 });
  await load.ended;
  const leader = await agreedLeader(cluster);
  const victim = cluster.ids.find((id) => id !== leader) ?? 0;
  const place = ["--data-dir", join(dataDir, `node-${victim}`), "--node-id", String(victim)];
  const others = cluster.ids.filter((id) => id !== victim);
  const addresses = others.map((id) => `127.0.0.1:${ports(id).peer}`).join(",");
  const repair = ["repair", "--rejoin", ...place, "--join", addresses];

  const slip = async (folder: string, id: number) => {
    const { code, stderr } = await folio([
      ...["repair", "--rejoin", "--data-dir", folder, "--node-id", String(id), "--join", addresses],
    ]);
    t.equal(code, 4, stderr);
    return stderr;
  };
  const elsewhere = join(dataDir, "elsewhere");
  const nowhere = ["--data-dir", elsewhere, "--node-id", "1", "--join", addresses];
  const missing = await folio(["repair", "--rejoin", ...nowhere]);
  t.equal(missing.code, 2);
  t.match(missing.stderr, `nothing was changed: there is no folder ${elsewhere}; check --data-dir`);
  mkdirSync(elsewhere);
  for (const id of cluster.ids) t.match(await slip(elsewhere, id), `node ${id} is up at 127.0.0.1:${ports(id).peer}`);
  t.match(await slip(elsewhere, 9), "node 9 is no member; members are 1, 2, 3");

  const running = await folio(repair);
  t.equal(running.code, 4);
  t.match(running.stderr, /is in use: stop the node that runs on it first/);
  await cluster.kill(victim, "SIGKILL");
  damageLog(join(dataDir, `node-${victim}`));
  t.match(await slip(join(dataDir, `node-${victim}`), leader), `belongs to node ${victim}, not to node ${leader}`);
  const refused = await cluster.restart(victim).then(
    () => "it started",
    (error: Error) => error.message,
  );
  t.match(refused, "folio repair --rejoin");
  t.same(ended, [victim]);

  const repaired = await folio([...repair, "-o", "table"]);
  t.equal(repaired.code, 0, repaired.stderr);
  t.match(repaired.stdout, `JOIN=${addresses}`);
  const [aside, ...nothing] = readdirSync(join(dataDir, `node-${victim}`));
  t.match(aside, /^set-aside-\d{4}-\d\d-\d\dT/);
  t.same(nothing, []);
  t.match(readdirSync(join(dataDir, `node-${victim}`, aside ?? "")).sort(), ["log", "state"]);
  const again = await folio([...repair, "-o", "json"]);
  t.match({ code: again.code, ...JSON.parse(again.stdout) }, { code: 0, seat: "free already", set_aside: null });

  await cluster.rejoin(victim);
  const after = startLoad(cluster, { prefix: "SG", clients: 6, nodes: cluster.ids, draws: 300 });
  await after.ended;
  t.same(errorsOf(after.attempts), []);
  t.same(faultsOf([...load.attempts, ...after.attempts], 1), []);
  t.equal((await statusOf(cluster, victim, "SG")).total_generated, 2300);

  // A founder whose folder was emptied while nothing ran: the others start, and can be told to let it go.
  await cluster.stop();
  rmSync(join(dataDir, `node-${leader}`), { recursive: true });
  t.match(await cluster.startMajority(), [{ id: leader, why: /does not serve: 503 .*it was wiped or replaced/s }]);
  await cluster.removeNode(leader);
  t.equal(await cluster.addNode(), leader);
  t.equal((await statusOf(cluster, leader, "SG")).total_generated, 2300);
});
