import { join } from "node:path";
import t from "tap";
import { localPorts } from "../../cluster/ports.js";
import { folioCluster, freeOffset, host, next } from "./folio-cluster.js";

const admin = { "x-api-key": "admin-demo", "content-type": "application/json" };

t.test("`folio cluster` serves the samples on all nodes, stops on Ctrl-C, and goes on where it stopped", async (t) => {
  const offset = await freeOffset();
  const folder = t.testdir();
  const parameters = ["--data-dir", join(folder, "cluster"), "--port-offset", String(offset)];
  const [one, two, three] = [1, 2, 3].map((id) => `http://${host}:${localPorts(id, offset).rest}`) as [
    string,
    string,
    string,
  ];

  const first = folioCluster(t, ...parameters);
  await first.shows("Try:");
  t.match(first.output(), `curl ${one}/api/v1/next/SG`);
  t.match(first.output(), "admin-demo");
  t.equal(await next(one, "SG"), "SG000001");
  t.equal(await next(two, "SG"), "SG000002", "one sequence across all nodes");
  t.match(await next(three, "INV"), /^INV2\d{3}-0001$/);
  t.equal(await next(one, "PO"), "PO00000001");
  t.equal(await next(two, "QUO"), "QUO000001");
  const changed = await fetch(`${one}/api/v1/config/QUO`, {
    method: "POST",
    headers: admin,
    body: JSON.stringify({ description: "ours" }),
  });
  t.equal(changed.status, 200);
  first.child.kill("SIGINT");
  t.equal(await first.exited, 0, first.output());
  t.match(first.output(), /Stopped\. The data stay where they are\.\n$/);

  const second = folioCluster(t, ...parameters);
  await second.shows("Try:");
  t.equal(await next(three, "SG"), "SG000003");
  const kept = (await (await fetch(`${two}/api/v1/config/QUO`)).json()) as { readonly description: string };
  t.equal(kept.description, "ours", "a changed sample is not overwritten");

  const rival = folioCluster(t, "--data-dir", join(folder, "rival"), "--port-offset", String(offset));
  t.equal(await rival.exited, 1);
  t.match(rival.output(), `port ${localPorts(1, offset).rest}, for REST of node 1, is in use already`);
  t.notMatch(rival.output(), /\n {4}at /, "a sentence, not a stack");

  second.child.kill("SIGTERM");
  t.equal(await second.exited, 0, second.output());
});

t.test("`folio cluster` says what its options take", async (t) => {
  for (const [parameters, complaint] of [
    [["--nodes", "4"], /--nodes/],
    [["--port-offset", "-1"], /--port-offset/],
    [["--port-offset", "60000"], /--port-offset/],
  ] as const) {
    const run = folioCluster(t, ...parameters);
    t.equal(await run.exited, 2);
    t.match(run.output(), complaint);
  }
  const help = folioCluster(t, "--help");
  t.equal(await help.exited, 0);
  for (const option of ["--nodes", "--data-dir", "--port-offset"]) t.match(help.output(), option);
});
