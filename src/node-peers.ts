import { setTimeout as pause } from "node:timers/promises";
import type { NodeConfig } from "./config.js";
import { PeerCallFailure, type PeerCalls } from "./transport/transport.js";

const DESCRIBE_MS = 1000;
/** Often enough that all who run have answered while a lone voter listens (`loneFounderMs`); then seldom. */
const FIRST_PAUSE_MS = 250;
const PAUSE_MS_MAX = 5000;

export interface Asking {
  readonly calls: Pick<PeerCalls, "describe">;
  readonly told: (address: string, clusterId: string) => void;
}

/** host:port of everybody beside this node whom PEERS or JOIN names. */
export function namedPeers({ nodeId, peers, join, advertiseAddress, peerPort }: NodeConfig): string[] {
  const others = peers.filter(({ id }) => id !== nodeId).map(({ address }) => address);
  return [...others, ...join].filter((address) => address !== `${advertiseAddress}:${peerPort}`);
}

/** Asks each of them for its cluster, again and again: one that is down now may come up, or come back under another name. */
export function askNamedPeers(addresses: readonly string[], asking: Asking): { stop(): void } {
  const stopped = new AbortController();
  for (const address of addresses) void askAgainAndAgain(address, asking, stopped.signal);
  return { stop: () => stopped.abort() };
}

async function askAgainAndAgain(address: string, { calls, told }: Asking, signal: AbortSignal): Promise<void> {
  for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; pauseMs = Math.min(2 * pauseMs, PAUSE_MS_MAX)) {
    const clusterId = await clusterAt(address, calls);
    if (signal.aborted) return;
    if (clusterId !== undefined) told(address, clusterId);
    await pause(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Undefined: nobody answers. */
async function clusterAt(address: string, calls: Pick<PeerCalls, "describe">): Promise<string | undefined> {
  try {
    return (await calls.describe(address, DESCRIBE_MS)).clusterId;
  } catch (error) {
    if (error instanceof PeerCallFailure) return undefined;
    throw error;
  }
}
