import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { Agent, get } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import t, { type Test } from "tap";
import { freePorts } from "../cluster/free-ports.js";
import { nodeCommand } from "../cluster/node-process.js";
import { connectionsMaxOf, descriptorLimitIn } from "../src/connections-max.js";
import { until } from "./cluster/waiting.js";

const HOST = "127.0.0.1";
const DESCRIPTORS = 200;
const IDLE_CONNECTIONS = 400;

function limits(soft: string): string {
  return [
    "Limit                     Soft Limit           Hard Limit           Units     ",
    "Max processes             31450                31450                processes ",
    `Max open files            ${soft.padEnd(21)}1048576              files     `,
    "",
  ].join("\n");
}

t.test("the soft limit is what counts of the system's table", (t) => {
  t.equal(descriptorLimitIn(limits("1024")), 1024);
  t.equal(descriptorLimitIn(limits("unlimited")), Number.POSITIVE_INFINITY);
  t.equal(descriptorLimitIn("Max processes 31450"), undefined);
  t.equal(descriptorLimitIn(""), undefined);
  t.end();
});

t.test("connections take half of a small limit, and never more than a fixed number", (t) => {
  t.equal(connectionsMaxOf(200), 100);
  t.equal(connectionsMaxOf(1024), 512);
  t.equal(connectionsMaxOf(1_048_576), 10_000);
  t.equal(connectionsMaxOf(Number.POSITIVE_INFINITY), 10_000);
  t.equal(connectionsMaxOf(undefined), 1000);
  t.equal(connectionsMaxOf(1), 1, "0 would be no limit at all");
  t.end();
});

/** A node that may hold few descriptors; stopped with the test. */
async function limitedNode(t: Test) {
  const { rest, grpc, peer } = (await freePorts(1, HOST))(1);
  const run = `ulimit -n ${DESCRIPTORS} && exec "$0" "$@"`;
  const child = spawn("bash", ["-c", run, process.execPath, ...nodeCommand()], {
    stdio: "ignore",
    env: {
      PATH: process.env["PATH"],
      PORT: String(rest),
      GRPC_PORT: String(grpc),
      PEER_PORT: String(peer),
      PEERS: `1=${HOST}:${peer}`,
      DATA_DIR: join(t.testdir(), "node-1"),
    },
  });
  t.teardown(() => child.kill("SIGKILL"));
  await once(child, "spawn");
  return { child, rest, descriptors: () => readdirSync(`/proc/${child.pid}/fd`).length };
}

/** Many connections that say nothing; ended with the test. @returns how many the other side has closed */
function idleConnections(t: Test, port: number): () => number {
  let closed = 0;
  const sockets: Socket[] = [];
  for (let count = 0; count < IDLE_CONNECTIONS; count += 1) {
    const socket = connect({ host: HOST, port });
    // Closed before it was noticed that it is open.
    socket
      .on("error", () => undefined)
      .on("close", () => {
        closed += 1;
      });
    sockets.push(socket.resume());
  }
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
  });
  return () => closed;
}

function statusOf(port: number, path: string, agent: Agent): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get({ host: HOST, port, path, agent }, (response) => {
      response.resume().once("end", () => resolve(response.statusCode));
    }).once("error", reject);
  });
}

t.test(
  "connections that say nothing leave a node with few descriptors what its stores need",
  { skip: existsSync("/proc/self/fd") && existsSync("/bin/bash") ? false : "needs bash and /proc" },
  async (t) => {
    const { child, rest, descriptors } = await limitedNode(t);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    t.teardown(() => agent.destroy());
    await until(async () => (await statusOf(rest, "/ready", agent).catch(() => 0)) === 200);
    const closed = idleConnections(t, rest);
    await until(() => closed() > IDLE_CONNECTIONS / 2);
    t.ok(descriptors() <= DESCRIPTORS * 0.8, `${descriptors()} of ${DESCRIPTORS} are open`);
    t.equal(await statusOf(rest, "/api/v1/next/SG", agent), 200, "who is connected goes on");
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    t.strictSame(await exited, [0, null]);
  },
);
