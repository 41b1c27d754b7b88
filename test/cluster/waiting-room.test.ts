import { join } from "node:path";
import t from "tap";
import { freePorts } from "../../cluster/free-ports.js";
import { NodeProcess } from "../../cluster/node-process.js";
import { serves } from "../../cluster/readiness.js";
import { cliEntry, host } from "./folio-cluster.js";
import { realClusterIn } from "./real-cluster.js";
import { until } from "./waiting.js";

t.test("a node that waits to be let in lives, says why it is not ready, and serves once it is let in", async (t) => {
  const { cluster, dataDir, ports } = await realClusterIn(t);
  // Nobody can let it in.
  for (const id of [2, 3]) await cluster.kill(id);
  const own = (await freePorts(1, host))(1);
  for (const NODE_ID of ["4", "auto"]) {
    const folder = join(dataDir, `joiner-${NODE_ID}`);
    const child = await NodeProcess.start({
      id: 4,
      command: [cliEntry, "node"],
      env: {
        NODE_ID,
        PORT: String(own.rest),
        GRPC_PORT: String(own.grpc),
        PEER_PORT: String(own.peer),
        DATA_DIR: folder,
        JOIN: `${host}:${ports(1).peer}`,
      },
      logPath: `${folder}.log`,
    });
    t.teardown(async () => {
      child.signal("SIGKILL");
      await child.exited;
    });
    const origin = `http://${host}:${own.rest}`;
    const at = (path: string) => fetch(`${origin}${path}`).catch(() => undefined);
    await until(async () => (await at("/livez"))?.status === 200 || !child.running);
    t.equal((await at("/livez"))?.status, 200, child.lastLines().join("\n"));
    const reasonAt = async (path: string) => {
      const response = await fetch(`${origin}${path}`);
      t.equal(response.status, 503);
      return ((await response.json()) as { readonly reason: string }).reason;
    };
    t.match(await reasonAt("/ready"), /^Waiting until the cluster lets this node in|^Not let in yet/);
    const refusedDraw = async () => {
      const draw = await fetch(`${origin}/api/v1/next/SG`);
      t.equal(draw.status, 503);
      return (await draw.json()) as object;
    };
    t.match(await refusedDraw(), { code: "NOT_EXECUTED" });
    if (NODE_ID === "auto") {
      await until(async () => (await reasonAt("/health")).startsWith("Not let in yet, asking on: "));
      t.match(await refusedDraw(), { code: "NOT_EXECUTED", detail: /^Not let in yet/ });
      for (const id of [2, 3]) await cluster.restart(id);
      await until(async () => (await serves(origin)()) === undefined);
      t.match(await (await fetch(`${origin}/ready`)).json(), { ready: true });
    } else {
      child.signal("SIGTERM");
      t.match(await child.exited, { code: 0, signal: null }, "as one that runs");
      t.match(child.lastLines().at(-1), '"msg":"stopped"');
    }
  }
});
