import { randomInt } from "node:crypto";
import { listen, type NodePorts, whyPortIsTaken } from "./ports.js";

/**
 * Below the ports that systems give to outgoing connections (from 32 768 on Linux, 49 152 elsewhere): there, one that
 * is free now may be somebody's a moment later, while its node is down.
 */
const lowest = 10_240;
const highest = 32_767;
/** Ports of one block; the first is held for as long as the process lives, so that no other process takes the block. */
const blockSize = 32;
const attemptsMax = 1000;

let next = 0;
let end = 0;

/** Ports that nobody uses, for each node 1 to `nodes`: for tests and benchmarks, several of which may run at once. */
export async function freePorts(nodes: number, host: string): Promise<(id: number) => NodePorts> {
  const ports: number[] = [];
  while (ports.length < nodes * 3) ports.push(await freePort(host));
  return (id) => {
    const [rest, grpc, peer] = ports.slice((id - 1) * 3, id * 3);
    if (rest === undefined || grpc === undefined || peer === undefined) throw new Error(`there is no node ${id}`);
    return { rest, grpc, peer };
  };
}

async function freePort(host: string): Promise<number> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    while (next >= end) await takeBlock(host);
    const port = next++;
    if ((await whyPortIsTaken(port, host)) === undefined) return port;
  }
  throw new Error(`no port between ${lowest} and ${highest} is free on ${host}`);
}

async function takeBlock(host: string): Promise<void> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const first = lowest + blockSize * randomInt(Math.floor((highest + 1 - lowest) / blockSize));
    try {
      (await listen(first, host)).unref();
    } catch {
      // Somebody has it, or holds its block: another one, then.
      continue;
    }
    next = first + 1;
    end = first + blockSize;
    return;
  }
  throw new Error(`no ports between ${lowest} and ${highest} are free on ${host}`);
}
