import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { agreeWithFounding, noteMembers } from "../../cluster/founding.js";
import { LaunchError } from "../../cluster/launch-error.js";
import { localPorts } from "../../cluster/ports.js";

t.test("a folder is founded once, and the same shape may come back", (t) => {
  const folder = join(t.testdir(), "new");
  agreeWithFounding(folder, { nodes: 3, portOffset: 0 });
  agreeWithFounding(folder, { nodes: 3, portOffset: 0 });
  t.end();
});

t.test("who came and went is noted, and is who belongs to it the next time", (t) => {
  const folder = t.testdir();
  const founding = { nodes: 3, portOffset: 0 };
  t.strictSame(agreeWithFounding(folder, founding), { ids: [1, 2, 3], joined: [] });
  noteMembers(folder, founding, { ids: [2, 3, 4], joined: [4] });
  t.match(agreeWithFounding(folder, founding), { ids: [2, 3, 4], joined: [4] });
  t.throws(() => agreeWithFounding(folder, { nodes: 5, portOffset: 0 }), { name: "LaunchError" });
  t.end();
});

t.test("another number of nodes or other ports are refused with the way out", (t) => {
  const folder = t.testdir();
  agreeWithFounding(folder, { nodes: 3, portOffset: 10 });
  const refusal = new LaunchError(
    `${folder} holds a cluster of 3 nodes with port offset 10: ` +
      "start it with --nodes 3 --port-offset 10, or choose another --data-dir",
  );
  t.throws(() => agreeWithFounding(folder, { nodes: 5, portOffset: 10 }), refusal);
  t.throws(() => agreeWithFounding(folder, { nodes: 3, portOffset: 0 }), refusal);
  t.end();
});

t.test("a damaged note stops the start instead of being overwritten", (t) => {
  for (const text of [
    "",
    "{",
    "null",
    '{"nodes":"3","portOffset":0}',
    "[]",
    '{"nodes":3,"portOffset":0,"ids":["1"]}',
  ]) {
    const folder = t.testdir();
    writeFileSync(join(folder, "cluster.json"), text);
    t.throws(() => agreeWithFounding(folder, { nodes: 3, portOffset: 0 }), { name: "LaunchError" }, `"${text}"`);
  }
  t.end();
});

t.test("a local cluster has the documented ports", (t) => {
  t.strictSame(localPorts(1), { rest: 8080, grpc: 9090, peer: 7070 });
  t.strictSame(localPorts(5), { rest: 8084, grpc: 9094, peer: 7074 });
  t.strictSame(localPorts(2, 100), { rest: 8181, grpc: 9191, peer: 7171 });
  t.end();
});
