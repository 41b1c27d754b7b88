import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import t from "tap";
import { freePorts } from "../../cluster/free-ports.js";
import { LocalCluster } from "../../cluster/launcher.js";

const fakeNode = fileURLToPath(new URL("fake-node.js", import.meta.url));

/** Collects all that nothing holds. */
function garbageCollector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

t.test(
  "the wait for a node that never serves ends at its deadline, whatever is collected meanwhile",
  { timeout: 30_000 },
  async (t) => {
    const cluster = new LocalCluster({
      nodes: 1,
      dataDir: t.testdir(),
      ports: await freePorts(1, "127.0.0.1"),
      command: [fakeNode],
      env: { FAKE_NODE: "never ready" },
      readyMs: 1000,
    });
    t.teardown(() => cluster.killAll());
    const collect = garbageCollector();
    const collecting = setInterval(collect, 20);
    t.teardown(() => clearInterval(collecting));
    await t.rejects(cluster.start(), {
      name: "LaunchError",
      message: /^node 1 does not serve: /,
    });
    t.equal(cluster.pid(1), undefined, "and the node is stopped");
  },
);
