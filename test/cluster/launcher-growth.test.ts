import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { tellLauncher } from "../../cluster/control.js";
import { localPorts } from "../../cluster/ports.js";
import { damageLog } from "./damaged-log.js";
import { folioCluster, freeOffset, host, next } from "./folio-cluster.js";

t.test(
  "`folio cluster add` and `remove` let a running cluster grow and shrink, and the next start knows it",
  async (t) => {
    const offset = await freeOffset(4);
    const dataDir = join(t.testdir(), "cluster");
    const place = ["--data-dir", dataDir];
    const origin = (id: number) => `http://${host}:${localPorts(id, offset).rest}`;

    const early = folioCluster(t, "add", ...place);
    t.equal(await early.exited, 1);
    t.match(early.output(), /no folio cluster runs on .*cluster: start it, or name its --data-dir/);

    const first = folioCluster(t, ...place, "--port-offset", String(offset));
    await first.shows("Try:");
    t.match(first.output(), `cluster add --data-dir ${dataDir}`);
    t.equal(await next(origin(1), "SG"), "SG000001");
    const rival = folioCluster(t, ...place, "--port-offset", String(offset));
    t.equal(await rival.exited, 1, "a second one on the same folder fails, and takes nothing from the first");
    const added = folioCluster(t, "add", ...place);
    t.equal(await added.exited, 0, added.output());
    t.match(added.output(), `Node 4 has joined and is a voter:\n  node 4   REST ${origin(4)}`);
    t.match(first.output(), "Node 4 has joined", "the cluster's own terminal says so, too");
    t.equal(await next(origin(4), "SG"), "SG000002");

    const unknown = folioCluster(t, "remove", "7", ...place);
    t.equal(await unknown.exited, 2, "no such node: the value is not valid");
    t.match(unknown.output(), "there is no node 7 here: the nodes are 1, 2, 3, 4");
    const removed = folioCluster(t, "remove", "1", ...place);
    t.equal(await removed.exited, 0, removed.output());
    t.match(removed.output(), "Node 1 was stopped and has no seat any more; members are 2, 3, 4.");
    const [kept = ""] = readdirSync(dataDir).filter((name) => name.startsWith("node-1.removed-"));
    t.ok(existsSync(join(dataDir, kept, "log")), "what it had is kept");
    t.equal(await next(origin(3), "SG"), "SG000003");
    await t.rejects(fetch(`${origin(1)}/livez`), "it does not run");
    first.child.kill("SIGINT");
    t.equal(await first.exited, 0, first.output());
    t.notOk(existsSync(join(dataDir, "control.json")));

    damageLog(join(dataDir, "node-2"));
    const second = folioCluster(t, ...place, "--port-offset", String(offset));
    await second.shows(`npx folio cluster remove 2 --data-dir ${dataDir}\n  npx folio cluster add`);
    t.match(second.output(), "Folio is up: 2 of 3 nodes");
    t.match(second.output(), `node 4   REST ${origin(4)}`);
    t.match(second.output(), /The others go on without node 2: node 2 ended with code 1; .*repair --rejoin/s);
    t.equal(await next(origin(4), "SG"), "SG000004");
    const door = JSON.parse(readFileSync(join(dataDir, "control.json"), "utf8")) as { readonly port: number };
    const stranger = await fetch(`http://${host}:${door.port}`, { method: "POST", body: '{"kind":"add"}' });
    t.equal(stranger.status, 403, "only who can read the data is heard");
    await t.rejects(tellLauncher(join(dataDir, "node-2"), { kind: "add" }), { name: "LaunchError" });
    for (const words of [["remove", "2"], ["add"]]) {
      const told = folioCluster(t, ...words, ...place);
      t.equal(await told.exited, 0, told.output());
    }
    t.equal(await next(origin(1), "SG"), "SG000005", "the least free id");
    second.child.kill("SIGTERM");
    t.equal(await second.exited, 0, second.output());
  },
);
