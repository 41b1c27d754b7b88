import { setTimeout as pause } from "node:timers/promises";
import type { NodeConfig } from "./config.js";
import { PeerCallFailure, type PeerCalls } from "./transport/transport.js";

const DESCRIBE_MS = 1000;
/** Often enough that all who run have answered while a lone voter listens (`loneFounderMs`); then seldom. */
const FIRST_PAUSE_MS = 250;
const PAUSE_MS_MAX = 5000;

/** host:port of everybody beside this node whom PEERS or JOIN names. */
export function namedPeers({ nodeId, peers, join, advertiseAddress, peerPort }: NodeConfig): string[] {
  const others = peers.filter(({ id }) => id !== nodeId).map(({ address }) => address);
  return [...others, ...join].filter((address) => address !== `${advertiseAddress}:${peerPort}`);
}

/** Asks each of them for its cluster, again and again, until it says that it belongs to this node's. */
export function askNamedPeers(
  addresses: readonly string[],
  parts: {
    readonly calls: Pick<PeerCalls, "describe">;
    /** This node's own; "" while it knows none. */
    readonly clusterId: () => string;
    readonly told: (address: string, clusterId: string) => void;
  },
): { stop(): void } {
  const stopped = new AbortController();
  for (const address of addresses) void askUntilSame(address, { ...parts, signal: stopped.signal });
  return { stop: () => stopped.abort() };
}

async function askUntilSame(
  address: string,
  { calls, clusterId, told, signal }: Parameters<typeof askNamedPeers>[1] & { readonly signal: AbortSignal },
): Promise<void> {
  for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; pauseMs = Math.min(2 * pauseMs, PAUSE_MS_MAX)) {
    const answer = await clusterAt(address, calls);
    if (signal.aborted) return;
    if (answer !== undefined) told(address, answer);
    if (answer !== undefined && answer !== "" && answer === clusterId()) return;
    await pause(pauseMs, undefined, { ref: false });
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
