import { execFile } from "node:child_process";
import { promisify } from "node:util";
import t from "tap";
import { freePorts } from "../../cluster/free-ports.js";

const HOST = "127.0.0.1";
const NODES = 40;

async function take(): Promise<number[]> {
  const ports = await freePorts(NODES, HOST);
  return Array.from({ length: NODES }, (_, place) => Object.values(ports(place + 1))).flat();
}

/** Another process takes as many, and keeps them for as long as it lives. */
async function takeElsewhere(): Promise<number[]> {
  const module = new URL("../../cluster/free-ports.js", import.meta.url).href;
  const script = `
    const { freePorts } = await import(${JSON.stringify(module)});
    const ports = await freePorts(${NODES}, "${HOST}");
    console.log(JSON.stringify(Array.from({ length: ${NODES} }, (_, place) => Object.values(ports(place + 1))).flat()));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script]);
  return JSON.parse(stdout) as number[];
}

t.test("no port is given out twice, within a process or by several at once, nor to outgoing connections", async (t) => {
  const taken = (await Promise.all([take(), take(), takeElsewhere()])).flat();
  t.equal(taken.length, 3 * 3 * NODES);
  t.equal(new Set(taken).size, taken.length);
  t.ok(taken.every((port) => port < 32_768));
});
